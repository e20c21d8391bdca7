"""One process at a time works on a study's folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tumorscope.errors import UsageError

FILE = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; the system lets go of it however the process ends.

    Raises:
        UsageError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("w") as handle:
        if not any(_take(handle.fileno(), wait) for wait in (0.0, 0.2, 0.5)):  # a glance of `is_locked` is short
            raise UsageError("another process is running this study", file=folder, remedy="wait for it, or stop it")
        yield


def is_locked(folder: Path) -> bool:
    """Whether some process works on the folder."""
    if not (folder / FILE).is_file():
        return False
    with (folder / FILE).open("r+") as handle:
        return not _take(handle.fileno())


def _take(descriptor: int, wait: float = 0.0) -> bool:
    time.sleep(wait)
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows: the user takes care
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
