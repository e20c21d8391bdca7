"""Locks between processes, on a file or a folder. The system lets go of one when its process ends, however it ends."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PRIVATE = 0o600


@dataclass(frozen=True)
class Lock:
    """What `take` gave; give it back with `release`.

    Attributes:
        descriptor: of the open file or folder, None where nothing is open.
        is_real: whether it keeps others out; Windows and some network file systems have no such locks.
    """

    descriptor: int | None
    is_real: bool

    def release(self) -> None:
        """Let others in."""
        if self.descriptor is not None:
            os.close(self.descriptor)


def take(path: str | Path, *, make: bool = False, wait: bool = False) -> Lock | None:
    """Lock a folder or a file; links are not followed.

    Args:
        path: of a folder or a file.
        make: the file if it is missing.
        wait: until another process lets go.

    Returns:
        None where another process holds it.

    Raises:
        OSError: it cannot be opened.
    """
    if sys.platform == "win32":
        return Lock(None, is_real=False)
    how = os.O_RDWR | os.O_CREAT if make else os.O_RDONLY
    descriptor = os.open(path, how | os.O_NOFOLLOW, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        return Lock(descriptor, is_real=False)
    return Lock(descriptor, is_real=True)
