"""Where the jobs of a server lie, and that only one server works there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tumorscope.errors import OutputError, UsageError
from tumorscope.files.atomic import clear_leftovers, passing_folder
from tumorscope.files.locks import Lock, take
from tumorscope.jobs.store import JobStore

LOCK = ".lock"
PRIVATE = 0o700


@dataclass(frozen=True)
class Place:
    """A folder that this process holds.

    Attributes:
        folder: it, readable by its owner alone.
        keeps: whether ended jobs stay until they are removed; else they go when their time is over.
    """

    folder: Path
    keeps: bool


@contextmanager
def holding(keep: Path | None, host: str, port: int) -> Iterator[Place]:
    """Hold the folder of a server's jobs; the system lets go of it however the process ends.

    Under `keep` that is ``jobs``. Without, it lies in the user's cache under the address of the server, so that the
    next server there finds the jobs that a killed one left. A server on any free port (0) is found by none: its folder
    goes when it ends, or with the next server if it was killed.

    Raises:
        UsageError: another server works there.
        OutputError: it cannot be written.
    """
    if keep is None and port == 0:
        clear_leftovers(_cache())
        with passing_folder(_private(_cache())) as folder:
            yield Place(folder, keeps=False)
        return
    folder = _private(_cache() / f"{host}-{port}".replace(":", ".") if keep is None else keep / "jobs")
    lock = _take(folder)
    try:
        yield Place(folder, keeps=keep is not None)
    finally:
        lock.release()


def check_free(keep: Path | None, host: str, port: int) -> None:
    """Find out, before a server starts, whether it could hold its folder and read the record in it.

    Raises:
        UsageError: another server works there.
        OutputError: it cannot be written, or the record is none of ours.
    """
    with holding(keep, host, port) as place:
        JobStore(place.folder).close()


def _cache() -> Path:
    base = os.environ.get("TUMORSCOPE_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tumorscope" / "serve"


def _private(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(PRIVATE)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder


def _take(folder: Path) -> Lock:
    try:
        lock = take(folder / LOCK, make=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    if lock is None:
        raise UsageError(
            "another server keeps its jobs here",
            file=folder,
            remedy="stop that one, or give this one another --port or --keep",
        )
    return lock


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot be written ({(error.strerror or str(error)).lower()})",
        file=folder,
        remedy="give another folder to --keep, or to TUMORSCOPE_CACHE",
    )
