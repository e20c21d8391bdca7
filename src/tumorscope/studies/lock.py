"""One process at a time works on a study's folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tumorscope.errors import UsageError
from tumorscope.files.locks import Lock, take

FILE = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; the system lets go of it however the process ends.

    Raises:
        UsageError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = next(filter(None, (_take_after(folder, wait) for wait in (0.0, 0.2, 0.5))), None)
    if lock is None:
        raise UsageError("another process is running this study", file=folder, remedy="wait for it, or stop it")
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether some process works on the folder."""
    if not (folder / FILE).is_file():
        return False
    lock = take(folder / FILE)
    if lock is not None:
        lock.release()
    return lock is None


def _take_after(folder: Path, wait: float) -> Lock | None:
    """Try again a little later: a glance of `is_locked` holds the lock for a moment."""
    time.sleep(wait)
    return take(folder / FILE, make=True)
