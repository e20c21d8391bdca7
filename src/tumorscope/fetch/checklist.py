"""The list of a set's files, and whether a folder holds what it says.

A list is text, gzipped: a line a file, of a letter, a value and a path. The letter says how far the file can be
checked, which is as far as the copies that the list was made from are what was published (``tools/make_hashes.py``):

    b  the first 16 digits of the SHA-256 of its bytes
    p  the same of its decoded pixels (of a mask that was stored anew without loss)
    l  its look: 64 bits, which gray is brighter than its left neighbor on a grid of 8 x 8; they stand recompression
    n  its name alone; the value is -
    f  a folder and how many files it has at least

The first line is ``complete``, or ``partial`` where the set has more files than the list.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tumorscope.errors import OutputError

if TYPE_CHECKING:
    from tumorscope.progress import Progress

DIGITS = 16
GRID = 8
LOOK_TOLERANCE = 8
"""Bits: pictures shrunk to 288 pixels and saved as JPEG differ in at most 3, of two pictures 1 pair in 100 in fewer."""

PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp")
HOW = {"b": "byte for byte", "p": "pixel for pixel", "l": "by their look", "n": "by name", "f": "by folder"}
SHOWN = 3


@dataclass(frozen=True)
class Line:
    """A line of a list: how to check, the expected value, and the path relative to the set's folder."""

    how: str
    value: str
    path: str


@dataclass(frozen=True)
class Checklist:
    """The list of a set.

    Attributes:
        lines: a file or folder each.
        complete: whether the set has no pictures but these.
    """

    lines: tuple[Line, ...]
    complete: bool

    @property
    def paths(self) -> list[str]:
        """The files and folders that are listed."""
        return [line.path for line in self.lines]

    def __str__(self) -> str:
        counts = {how: sum(line.how == how for line in self.lines) for how in HOW}
        said = ", ".join(f"{count:,} {HOW[how]}" for how, count in counts.items() if count)
        return said if self.complete else f"{said} (the list has not all of the set's files)"


def read_checklist(path: Path) -> Checklist:
    """Read a list."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        kind, *rows = file.read().splitlines()
    return Checklist(tuple(Line(*row.split(" ", 2)) for row in rows), kind == "complete")


def write_checklist(path: Path, checklist: Checklist) -> None:
    """Write a list; equal lists give equal bytes."""
    rows = [f"{line.how} {line.value} {line.path}" for line in sorted(checklist.lines, key=lambda line: line.path)]
    text = "\n".join(["complete" if checklist.complete else "partial", *rows]) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def check_folder(folder: Path, checklist: Checklist, name: str, *, progress: Progress | None = None) -> None:
    """Compare a folder with the list of the set `name`.

    Raises:
        OutputError: a file lacks, differs, or is not of the set; the message names the first ones.
    """
    wrong = list(differences(folder, checklist, progress=progress))
    if not wrong:
        return
    shown = ", ".join(wrong[:SHOWN]) + (", …" if len(wrong) > SHOWN else "")
    raise OutputError(
        f"{len(wrong):,} of {len(checklist.lines):,} files are not those of the list: {shown}",
        file=name, remedy="nothing was kept; --no-check takes what is published now as it is",
    )  # fmt: skip


def differences(folder: Path, checklist: Checklist, *, progress: Progress | None = None) -> Iterator[str]:
    """Yield ``path lacks``, ``path differs`` and ``path is not in the list``, in the list's order."""
    for done, line in enumerate(checklist.lines, start=1):
        if progress and (done % 100 == 0 or done == len(checklist.lines)):
            progress("checking", done, len(checklist.lines))
        path = folder / line.path
        if line.how == "f":
            count = len(_pictures(path)) if path.is_dir() else 0
            if count < int(line.value):
                yield f"{line.path}/ has {count} of {line.value} files"
        elif not path.is_file():
            yield f"{line.path} lacks"
        elif not _agrees(path, line):
            yield f"{line.path} differs"
    if checklist.complete:
        known = set(checklist.paths)
        for path in _pictures(folder):
            if (relative := path.relative_to(folder).as_posix()) not in known:
                yield f"{relative} is not in the list"


def value_of(path: Path, how: str) -> str:
    """Return the value of a file that a list has for it.

    Raises:
        OSError: it is no picture (for 'p' and 'l').
    """
    if how == "n":
        return "-"
    if how == "b":
        return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]
    with Image.open(path) as image:
        if how == "p":
            gray = np.asarray(image.convert("L"))
            return hashlib.sha256(f"{gray.shape}".encode() + gray.tobytes()).hexdigest()[:DIGITS]
        image.draft("L", (32 * GRID, 32 * GRID))
        gray = np.asarray(image.convert("L").resize((GRID + 1, GRID), Image.Resampling.BOX), np.int16)
    return np.packbits(gray[:, 1:] > gray[:, :-1]).tobytes().hex()


def _agrees(path: Path, line: Line) -> bool:
    try:
        value = value_of(path, line.how)
    except (OSError, ValueError, Image.DecompressionBombError):
        return False
    if line.how == "l":
        return (int(value, 16) ^ int(line.value, 16)).bit_count() <= LOOK_TOLERANCE
    return value == line.value


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES and path.is_file())
