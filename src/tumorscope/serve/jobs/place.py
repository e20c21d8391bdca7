"""Where the jobs of a server lie, and that only one server works there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from tumorscope.errors import OutputError, UsageError

if sys.platform != "win32":
    import fcntl

LOCK = ".lock"
PASSING = "passing-"
"""How the name of a folder begins that no later server will look for."""
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
    try:
        folder, lock = _hold(keep, host, port)
    except OSError as error:
        raise OutputError(
            f"cannot be written ({(error.strerror or str(error)).lower()})",
            file=error.filename or keep or _cache(),
            remedy="give --keep another folder, or set TUMORSCOPE_CACHE",
        ) from error
    try:
        yield Place(folder, keeps=keep is not None)
    finally:
        if folder.name.startswith(PASSING):
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _hold(keep: Path | None, host: str, port: int) -> tuple[Path, int]:
    if keep is None and not port:
        return _hold_passing(_private(_cache()))
    folder = _private(_cache() / f"{host}-{port}".replace(":", ".") if keep is None else keep / "jobs")
    lock = _take(folder)
    if lock is None:
        raise UsageError(
            "another server keeps its jobs here",
            file=folder,
            remedy="stop that one, or give this one another --port or --keep",
        )
    return folder, lock


def _hold_passing(cache: Path) -> tuple[Path, int]:
    """Hold a new folder; between its making and its locking another server may have cleared it away."""
    _clear_passing(cache)
    while True:
        folder = Path(mkdtemp(prefix=PASSING, dir=cache))
        try:
            lock = _take(folder)
        except FileNotFoundError:
            continue
        if lock is not None and (folder / LOCK).exists():
            return folder, lock


def _cache() -> Path:
    base = os.environ.get("TUMORSCOPE_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tumorscope" / "serve"


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(PRIVATE)
    return folder


def _take(folder: Path) -> int | None:
    """Return the descriptor of the held lock, None where another process holds it."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    if sys.platform == "win32":  # there the user takes care
        return descriptor
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # some network file systems have no locks
        return descriptor
    return descriptor


def _clear_passing(cache: Path) -> None:
    for folder in cache.glob(f"{PASSING}*"):
        lock = _take(folder) if folder.is_dir() else None
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
