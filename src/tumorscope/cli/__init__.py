"""The command line: one light file a verb, which parses, calls one function of the package and prints."""

from tumorscope.cli.app import main, run
from tumorscope.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED, WRONG_CALL

__all__ = ["DONE", "INTERRUPTED", "SOME_FAILED", "WRONG_CALL", "main", "run"]
