"""Bringing files to the disk, so that a loss of power does not lose what was accepted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

THREADS = 8


def flush(files: Iterable[Path], folders: Iterable[Path]) -> None:
    """Return once the files, and the entries of the folders, are on the disk.

    Raises:
        OSError: the disk is full or broken.
    """
    with ThreadPoolExecutor(THREADS) as pool:  # the disk takes many at one time
        list(pool.map(_flush, files))
    for folder in folders:
        _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
