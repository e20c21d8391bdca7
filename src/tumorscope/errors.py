"""The one exception family: what is wrong, with which file, and what to do about it.

Library code raises these; only the command line turns them into a line of text and an exit code.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class TumorscopeError(Exception):
    """Base of every error that a user can mend.

    Args:
        what: what is wrong, in plain words, without a full stop.
        file: the file or folder concerned.
        remedy: what the user can do about it, as an imperative.
    """

    def __init__(self, what: str, *, file: str | Path | None = None, remedy: str | None = None) -> None:
        super().__init__(what, file, remedy)
        self.what = what
        self.file = None if file is None else str(file)
        self.remedy = remedy

    def __str__(self) -> str:
        """Return one line: ``file: what; remedy``."""
        line = self.what if self.file is None else f"{self.file}: {self.what}"
        line = line if self.remedy is None else f"{line}; {self.remedy}"
        return " ".join(line.split())


class UsageError(TumorscopeError):
    """The call itself is wrong: an unknown word, a missing argument, a path that is not there."""


class ScanError(TumorscopeError):
    """A file cannot be read as a scan."""


class CatalogError(TumorscopeError):
    """A folder or table cannot be understood as a data set, or cannot be split as asked."""


class RecipeError(TumorscopeError):
    """A recipe is not valid."""


class StudyError(TumorscopeError):
    """A study is not valid, or is not the one that a folder holds."""


class ModelFileError(TumorscopeError):
    """A file is not a model file of ours, or was altered."""


class OutputError(TumorscopeError):
    """A result cannot be written."""


class MissingExtraError(TumorscopeError):
    """A job needs an optional part of the package that is not installed."""


class ServerError(TumorscopeError):
    """A server does not do what it was asked.

    Attributes:
        status: of its answer; None where there was none.
    """

    def __init__(
        self, what: str, *, file: str | Path | None = None, remedy: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(what, file=file, remedy=remedy)
        self.status = status


class UnreachableError(ServerError):
    """No server answers at the address."""


class ConnectionLostError(ServerError):
    """A server went away, or stood still, before its answer was whole."""


class AccessError(ServerError):
    """The server does not let us in: no key, a wrong one, or the wrong address."""


class TooLargeError(ServerError):
    """More than the server takes in one request or job."""


class BusyError(ServerError):
    """The server has too much to do, or stops, and had so for as long as we were ready to wait."""


class GoneError(ServerError):
    """What was asked for is not there, or no more."""


class JobFailedError(ServerError):
    """A job ended without all of its findings."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return a remedy that names the nearest of `choices`, or all of them when none is near."""
    known = sorted(choices)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"choose one of: {', '.join(known)}"
