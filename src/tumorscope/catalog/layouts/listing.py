"""What recognizing a layout brings: the files of a data set and what the layout says of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tumorscope.files.clutter import is_clutter


@dataclass(frozen=True)
class Entry:
    """One file of a data set, before it is opened. Paths are relative to the data set's folder; '' is unknown.

    Attributes:
        path: the picture.
        label: our class name, or the set's own.
        split: the part that the set itself publishes it in: 'train', 'val', 'test' or ''.
        slice: which slice of a scan the entry is about, or None for each.
        channel: which of three sequences the entry is about, or None for what the reader takes by default.
    """

    path: str
    label: str
    kind: str = ""
    patient: str = ""
    sequence: str = ""
    plane: str = ""
    mask: str = ""
    split: str = ""
    slice: int | None = None
    channel: int | None = None


@dataclass(frozen=True)
class Listing:
    """A data set as its layout tells it.

    Attributes:
        layout: the layout's name, as shown to users.
        root: the folder that the entries' paths are relative to.
        entries: in natural order of their paths.
    """

    layout: str
    root: Path
    entries: list[Entry]


def folders_in(folder: Path) -> list[Path]:
    """Return the subfolders that are not hidden, in natural order."""
    return sorted((p for p in folder.iterdir() if p.is_dir() and not is_clutter(p.name)), key=lambda p: natural(p.name))


def files_in(folder: Path) -> list[Path]:
    """Return the files that are not hidden and no clutter of a desktop, in natural order.

    Links to nothing are among them: sets under git-annex or DVC have some until their content is fetched.
    """
    return sorted(
        (p for p in folder.iterdir() if _is_file(p) and not is_clutter(p.name)), key=lambda p: natural(p.name)
    )


def natural(text: str) -> list[tuple[int, str]]:
    """Return a sorting key that puts 'a2' before 'a10'."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _is_file(path: Path) -> bool:
    return path.is_file() or (path.is_symlink() and not path.exists())
