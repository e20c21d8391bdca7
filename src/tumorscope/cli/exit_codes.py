"""What the command's exit code says."""

DONE, SOME_FAILED, WRONG_CALL = 0, 1, 2
"""All done; some inputs failed, or a result could not be written; the call is wrong."""
INTERRUPTED = 130
