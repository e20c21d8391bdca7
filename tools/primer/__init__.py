"""What makes docs/primer.md: real small experiments, the pictures that are drawn from them, and the text."""
