"""The checks of a data set, and what they found."""
