"""The hidden folder beside the target in which a set is made ready, and what of it outlives a failure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tumorscope.errors import UsageError
from tumorscope.files.atomic import unwritable
from tumorscope.files.locks import Lock, take


@contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `folder`; after a failure it stays where a later call can go on from it.

    Raises:
        UsageError: another process is at it.
        OutputError: it cannot be written.
    """
    work = folder.parent / f".{folder.name}.fetch"
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = _lock(work)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        shutil.rmtree(work / folder.name, ignore_errors=True)
        yield work
        shutil.rmtree(work, ignore_errors=True)
    except BaseException:
        shutil.rmtree(work / folder.name, ignore_errors=True)
        if not _holds_archives(work):
            shutil.rmtree(work, ignore_errors=True)
        raise
    finally:
        lock.release()


@contextmanager
def all_or_nothing(work: Path) -> Iterator[None]:
    """Drop the archives as well where they turn out to be wrong; an interruption keeps them."""
    try:
        yield
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        raise unwritable(work, error) from error
    except Exception:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _holds_archives(work: Path) -> bool:
    return work.is_dir() and any(path.stat().st_size for path in work.iterdir() if path.suffix in (".part", ".zip"))


def _lock(work: Path) -> Lock:
    lock = take(work)
    if lock is None:
        raise UsageError("is being fetched by another process", file=work, remedy="wait for it")
    return lock
