"""The readers of formats. A format is one file in this folder and one row here."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tumorscope.errors import ScanError
from tumorscope.scans.picture import looks_like_picture, open_picture
from tumorscope.scans.scan import MAX_PIXELS, Pixels, Scan, sequence_of


@dataclass(frozen=True)
class Reader:
    """A format: its name, a test of the first bytes of a file, and what opens one (path, most pixels in a slice)."""

    name: str
    recognizes: Callable[[bytes], bool]
    open: Callable[[Path, int], Scan]


READERS = (Reader("picture", looks_like_picture, open_picture),)
UNREAD = {"DICOM": ((128, b"DICM"),), "NIfTI": ((344, b"n+1\0"), (344, b"ni1\0"), (4, b"n+2\0"), (4, b"ni2\0"))}
"""Formats of scans without a reader, by what stands at which byte (PS3.10 of DICOM; the headers of NIfTI-1 and -2)."""
HEAD_BYTES = 512


def open_scan(path: str | Path, max_pixels: int = MAX_PIXELS) -> Scan:
    """Open one file, whatever its name says it is; close it, or use it in a ``with``.

    Args:
        path: the file.
        max_pixels: more in one slice are refused before they are decoded.

    Raises:
        ScanError: the file is missing, empty, truncated, too large or of no known format.
    """
    path = Path(path)
    head = _head(path)
    for reader in READERS:
        if reader.recognizes(head):
            return reader.open(path, max_pixels)
    if (name := _unread(head)) is not None:
        raise ScanError(f"is {name}, which is not read", file=path, remedy="export its slices as 16-bit PNG")
    raise ScanError(
        "is not an image of a known format", file=path, remedy=f"give a {' or '.join(r.name for r in READERS)} file"
    )


def read_slice(path: str | Path, index: int = 0, channel: int | None = None) -> Pixels:
    """Open a file and read one slice of it: float32 ``(height, width)`` (see `Scan.read`).

    Args:
        path: the file.
        index: of the slice.
        channel: number of the sequence, where the file holds several; None for the usual one.

    Raises:
        ScanError: it cannot be read.
    """
    with open_scan(path) as scan:
        return scan.read(index, sequence_of(scan.header, channel))


def looks_like_scan(path: str | Path) -> bool:
    """Whether a file's content is a scan's, of a format that is read or of one that is known."""
    try:
        head = _head(Path(path))
    except ScanError:
        return False
    return _unread(head) is not None or any(reader.recognizes(head) for reader in READERS)


def _unread(head: bytes) -> str | None:
    return next((name for name, marks in UNREAD.items() if any(head[at:].startswith(m) for at, m in marks)), None)


def _head(path: Path) -> bytes:
    try:
        mode = os.stat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # opening a pipe would wait for ever
            raise ScanError("is no file of data", file=path, remedy="give a picture file")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.is_symlink():
            raise ScanError("is a link to nothing", file=path, remedy="fetch what it links to") from error
        raise ScanError(
            f"cannot be opened ({(error.strerror or str(error)).lower()})", file=path, remedy="check the path"
        ) from error
    if not head:
        raise ScanError("is empty", file=path, remedy="export or download it again")
    return head
