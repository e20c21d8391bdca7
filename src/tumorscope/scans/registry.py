"""The readers of formats. A format is one file in this folder and one row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tumorscope.errors import ScanError
from tumorscope.scans.picture import looks_like_picture, read_picture
from tumorscope.scans.scan import MAX_PIXELS, Scan


@dataclass(frozen=True)
class Reader:
    """A format: its name, a test of the first bytes of a file, and the reader itself (path, most pixels)."""

    name: str
    recognizes: Callable[[bytes], bool]
    read: Callable[[Path, int], Scan]


READERS = (Reader("picture", looks_like_picture, read_picture),)
HEAD_BYTES = 512


def read_scan(path: str | Path, max_pixels: int = MAX_PIXELS) -> Scan:
    """Read one file, whatever its name says it is.

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
            return reader.read(path, max_pixels)
    raise ScanError(
        "is not an image of a known format", file=path, remedy=f"give a {' or '.join(r.name for r in READERS)} file"
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise ScanError(
            f"cannot be opened ({(error.strerror or str(error)).lower()})", file=path, remedy="check the path"
        ) from error
    if not head:
        raise ScanError("is empty", file=path, remedy="export or download it again")
    return head
