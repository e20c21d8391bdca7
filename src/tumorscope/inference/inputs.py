"""From paths to slices: folders are walked, every file gives its slices or one line that says why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorscope.errors import ScanError, UsageError
from tumorscope.preprocess import Placement, Plane, Spec, place, preprocess
from tumorscope.scans import LGG_DEFAULT_CHANNEL, READERS, Channels, Scan, read_scan

HEAD_BYTES = 512
CLUTTER = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Input:
    """One slice, ready for a model.

    Attributes:
        file: as findings name it.
        index: which slice of the file, None where it has one.
        plane: the picture as read, float32 ``(height, width)``, or with three channels.
        image: uint8 ``(side, side, channels)``.
        placement: where the slice lies in the image.
    """

    file: str
    index: int | None
    plane: Plane
    image: NDArray[np.uint8]
    placement: Placement

    @property
    def pixels(self) -> int:
        """The smaller side of the head, in pixels of the picture."""
        return min(self.placement.box[2:])

    @property
    def is_empty(self) -> bool:
        """Whether the picture has a single gray level."""
        return bool(self.plane.min() == self.plane.max())


def list_files(paths: Sequence[str | Path]) -> list[str]:
    """Name the files to read: those given, and what folders hold that looks like a scan (hidden files apart).

    Raises:
        UsageError: a path is not there, or a folder holds no scan.
    """
    return [name for path in paths for name in _named(Path(path))]


def read_inputs(file: str, spec: Spec, channels: Channels = "one") -> list[Input]:
    """Read a file and bring each of its slices to a model's input.

    Raises:
        ScanError: it cannot be read.
    """
    scan = read_scan(file)
    planes = list(_planes(scan, spec, channels))
    return [_input(file, index if len(planes) > 1 else None, plane, spec) for index, plane in enumerate(planes)]


def _named(path: Path) -> list[str]:
    if path.is_dir():
        inside = [str(file) for file in sorted(path.rglob("*")) if file.is_file() and _looks_like_scan(file, path)]
        if not inside:
            raise UsageError("holds no picture", file=path, remedy="give a folder of pictures, or files")
        return inside
    if not path.exists():
        raise UsageError("is not there", file=path, remedy="check the path")
    return [str(path)]


def _looks_like_scan(file: Path, root: Path) -> bool:
    """Whether a file in a folder is meant to be read: by content, or, where that is damaged, by its name."""
    if file.name.lower() in CLUTTER or any(part.startswith(".") for part in file.relative_to(root).parts):
        return False
    if file.suffix.lower() in (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp"):
        return True
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return False
    return any(reader.recognizes(head) for reader in READERS)


def _planes(scan: Scan, spec: Spec, channels: Channels) -> Iterator[Plane]:
    for index in range(len(scan.pixels)):
        if spec.channels == "lgg":
            if not scan.has_sequences:
                raise ScanError(
                    "is gray, and the model needs three sequences in one picture",
                    file=scan.source,
                    remedy="use a model of gray slices",
                )
            yield scan.pixels[index]
        elif scan.has_sequences and channels == "all":
            yield from (scan.gray(index, channel) for channel in range(scan.pixels.shape[-1]))
        else:
            yield scan.gray(index, LGG_DEFAULT_CHANNEL if scan.has_sequences else None)


def _input(file: str, index: int | None, plane: Plane, spec: Spec) -> Input:
    return Input(file, index, plane, preprocess(plane, spec), place(plane, spec))
