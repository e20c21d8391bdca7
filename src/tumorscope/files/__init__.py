"""Files: atomic writing, locks, archives, and what the files of a run are called."""
