"""Writing that is never seen half done: to a temporary name beside the target, then renamed.

The temporary name is a hidden folder, locked by the process that writes. The system frees the lock when that process
ends, however it ends, so a folder that nobody locks was left by a process that was killed. A process id in the name
would say less: ids are used again, mean nothing on another machine, and are the same in every container.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tumorscope.errors import OutputError
from tumorscope.files.locks import Lock, take

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
TEMPORARY = ".tumorscope-"
"""How the name of every temporary folder of ours begins."""


@contextmanager
def replacing(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `target` when the block ends well, and vanishes when it does not.

    The temporary name keeps the suffix of `target`, since many writers choose the format by it.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder, lock = _make_locked(target.parent)
    except OSError as error:
        raise unwritable(target, error) from error
    try:
        yield folder / target.name
        os.replace(folder / target.name, target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        _remove_locked(folder, lock)


@contextmanager
def passing_folder(parent: str | Path) -> Iterator[Path]:
    """Yield a new folder in `parent` that only this user can open; it vanishes with the block.

    One that a killed process left goes when `clear_leftovers` is called for `parent`.

    Raises:
        OutputError: it cannot be made.
    """
    parent = Path(parent)
    try:
        folder, lock = _make_locked(parent)
    except OSError as error:
        raise unwritable(parent, error) from error
    try:
        yield folder
    finally:
        _remove_locked(folder, lock)


def clear_leftovers(folder: str | Path) -> int:
    """Remove the unfinished writing of killed processes from a folder, and say how many pieces that were.

    Touches only what `replacing` and `passing_folder` made in `folder` itself, and only where no living process holds
    it. Where that cannot be told (a file system without locks), everything stays.
    """
    folder = Path(folder)
    return sum(_clear(path) for path in sorted(folder.glob(f"{TEMPORARY}*"))) if folder.is_dir() else 0


def write_text(target: str | Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with replacing(target) as path:
        path.write_text(text, encoding="utf-8")


def write_bytes(target: str | Path, data: bytes) -> None:
    """Write `data`."""
    with replacing(target) as path:
        path.write_bytes(data)


def write_json(target: str | Path, value: Any) -> None:
    """Write `value` as readable JSON; NaN is refused, since JSON has none."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _make_locked(parent: Path) -> tuple[Path, Lock]:
    """Make a temporary folder and lock it."""
    while True:
        folder = Path(mkdtemp(prefix=TEMPORARY, dir=parent))
        try:
            lock = take(folder, wait=True)
        except FileNotFoundError:
            continue
        assert lock is not None
        if folder.is_dir():  # else another process cleared it away before it was locked
            return folder, lock
        lock.release()


def _remove_locked(folder: Path, lock: Lock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()


def _clear(folder: Path) -> bool:
    if not folder.is_dir():  # ours are folders
        return False
    try:
        lock = take(folder)
    except OSError:  # a link, or gone by now
        return False
    if lock is None:  # its owner lives
        return False
    if lock.is_real and folder.is_dir():  # else its owner ended well in between
        shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    return not folder.exists()


def unwritable(target: Path, error: OSError) -> OutputError:
    """Return the error that says why a file or folder cannot be written."""
    reason = (error.strerror or str(error)).lower()
    remedy = "free some space or choose another --out" if error.errno in NO_SPACE else "choose another --out"
    return OutputError(f"cannot be written ({reason})", file=target, remedy=remedy)
