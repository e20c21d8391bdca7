"""The SQLite file of a study as a storage of Optuna, and in a line what keeps it from being read or written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.errors import MissingExtraError, OutputError, StudyError, TumorscopeError

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

BUSY_S = 30.0
"""What another program reads or writes just now is waited for so long."""
UNWRITABLE = ("full", "disk I/O", "readonly")
"""What SQLite says where it cannot write."""


def open_storage(file: Path) -> RDBStorage:
    """Open a file, or begin it.

    It is opened by its path: in a URL, what a path holds of ``?``, ``%`` and ``{}`` would mean something else.

    Raises:
        StudyError: it is none of ours.
        OutputError: it cannot be written.
    """
    import sqlite3

    from sqlalchemy.pool import NullPool

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(file, timeout=BUSY_S, check_same_thread=False)

    with telling(file):
        try:
            storage: RDBStorage = load_optuna().storages.RDBStorage(
                "sqlite://", engine_kwargs={"creator": connect, "poolclass": NullPool}
            )
        except RuntimeError as error:
            why = str(error).splitlines()[0]
            raise StudyError(
                f"was written by another version of Optuna ({why})", file=file, remedy="give a new --out"
            ) from error
    return storage


@contextmanager
def telling(file: Path) -> Iterator[None]:
    """Turn what Optuna and SQLite raise over a file into an error of ours."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise _problem(file, error) from error


def load_optuna() -> Any:
    """Import Optuna, and keep it from talking.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "a study needs optuna, which is not installed", remedy="pip install 'tumorscope[train]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _problem(file: Path, error: Exception) -> TumorscopeError:
    cause = error if error.__cause__ is None else error.__cause__  # Optuna wraps what SQLAlchemy wraps
    why = str(getattr(cause, "orig", cause)).splitlines()[0]
    if any(words in why for words in UNWRITABLE):
        return OutputError(f"cannot be written ({why})", file=file, remedy="make room, then run the study again")
    if "locked" in why:
        return StudyError("is in use by another program", file=file, remedy="end it, then run the study again")
    return StudyError(f"cannot be read as the record of a study ({why})", file=file, remedy="give a new --out")
