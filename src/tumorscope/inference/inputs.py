"""From paths to slices: folders are walked, every file gives its slices or one line that says why not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorscope.errors import ScanError, UsageError
from tumorscope.preprocess import Placement, Plane, Spec, is_empty, place, preprocess
from tumorscope.scans import (
    DEEP_MODES,
    LGG_DEFAULT_CHANNEL,
    LGG_SEQUENCES,
    MAX_PIXELS,
    Channels,
    Scan,
    looks_like_scan,
    read_scan,
)

CLUTTER = ("thumbs.db", "desktop.ini")
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp")
MASK = "_mask"
"""In a folder, a file of this name beside its picture is a mask and no picture."""


@dataclass(frozen=True)
class Input:
    """One slice, ready for a model.

    Attributes:
        file: as findings name it.
        index: which slice of the file, None where it has one.
        sequence: which sequence it shows, where the file holds several and the model takes one.
        image: uint8 ``(side, side, channels)``.
        placement: where the slice lies in the image.
        is_empty: whether the picture has a single gray level.
        plane: the picture as read, float32 ``(height, width)``, or with three channels; None where it was not kept.
        is_deep: whether the file holds more than 8 bits a pixel.
    """

    file: str
    index: int | None
    sequence: str | None
    image: NDArray[np.uint8]
    placement: Placement
    is_empty: bool
    plane: Plane | None
    is_deep: bool = False


def list_files(paths: Sequence[str | Path], out: Path | None = None) -> list[str]:
    """Name the files to read: those given, and what folders hold that looks like a scan (hidden files and masks apart).

    A path that is not there, or a folder without a scan, stands for itself, and reading it tells what is wrong: the
    other paths are answered all the same.

    Args:
        paths: files, or folders of them.
        out: where pictures will be written; what lies there is not read.

    Raises:
        UsageError: none of the paths leads to a file, or `out` holds a file that was named.
    """
    if not paths or "" in paths:
        raise UsageError("no picture was given", remedy="give pictures, or folders of them")
    named = [name for path in paths for name in _named(str(path), out)]
    read_from = {Path(path) for path in paths} | {Path(name).parent for name in named}
    if out is not None and out.resolve() in {folder.resolve() for folder in read_from}:
        raise UsageError("holds pictures that are to be read", file=out, remedy="choose another --out")
    if all(_is_absent(name) for name in named):
        error = _nothing_there(Path(named[0]))
        raise UsageError(error.what, file=error.file, remedy=error.remedy)
    return named


def read_inputs(
    file: str, spec: Spec, channels: Channels = "one", *, keep_planes: bool = False, max_pixels: int = MAX_PIXELS
) -> list[Input]:
    """Read a file and bring each of its slices to a model's input.

    Raises:
        ScanError: it cannot be read.
    """
    if _is_absent(file):
        raise _nothing_there(Path(file))
    if os.path.isdir(file):
        raise ScanError("is a folder that cannot be looked into", file=file, remedy="ask for the right to open it")
    scan = read_scan(file, max_pixels)
    is_deep, has_many = scan.meta.get("mode") in DEEP_MODES, len(scan.pixels) > 1
    return [
        _input(file, index if has_many else None, sequence, plane, spec, keep_planes, is_deep)
        for index, sequence, plane in _planes(scan, spec, channels)
    ]


def _named(path: str, out: Path | None) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    inside = _inside(Path(path))
    if out is not None and Path(path).resolve() in out.resolve().parents:  # what an earlier call has left there
        inside = [file for file in inside if out.resolve() not in file.resolve().parents]
    return [os.path.join(path, file.relative_to(path)) for file in sorted(inside)] or [path]


def _inside(root: Path) -> list[Path]:
    """Return what lies in a folder and looks like a scan, and the folders in it that cannot be opened."""
    closed: list[Path] = []
    walk = os.walk(root, onerror=lambda error: closed.append(Path(error.filename)))
    files = [Path(folder, name) for folder, _, names in walk for name in names]
    return [file for file in files if _looks_like_scan(file, root)] + [at for at in closed if not _is_hidden(at, root)]


def _is_absent(path: str) -> bool:
    """Whether there is no file to read; one in a folder that cannot be looked into may be there."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        if is_folder:
            os.scandir(path).close()
    except PermissionError:
        return False
    except OSError:
        return not os.path.islink(path)
    return is_folder


def _nothing_there(path: Path) -> ScanError:
    if path.is_dir():
        return ScanError("holds no picture", file=path, remedy="give a folder of pictures, or files")
    return ScanError("is not there", file=path, remedy="check the path")


def _looks_like_scan(file: Path, root: Path) -> bool:
    """Whether a file in a folder is meant to be read: by content, or, where that is damaged, by its name."""
    if file.name.lower() in CLUTTER or _is_hidden(file, root):
        return False
    if file.stem.endswith(MASK) and file.with_stem(file.stem.removesuffix(MASK)).exists():
        return False
    return file.suffix.lower() in PICTURES or looks_like_scan(file)


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _planes(scan: Scan, spec: Spec, channels: Channels) -> Iterator[tuple[int, str | None, Plane]]:
    """Return index, sequence and pixels of each slice; the sequences of a slice follow one another."""
    chosen = range(len(LGG_SEQUENCES)) if channels == "all" else (LGG_DEFAULT_CHANNEL,)
    for index in range(len(scan.pixels)):
        if spec.channels == "lgg":
            yield index, None, _sequences(scan, index)
        elif scan.has_sequences:
            yield from ((index, LGG_SEQUENCES[channel], scan.gray(index, channel)) for channel in chosen)
        else:
            yield index, None, scan.gray(index)


def _sequences(scan: Scan, index: int) -> Plane:
    """Return the three sequences of a slice; a color picture whose planes are alike holds one sequence three times.

    The LGG set does so for patients of whom only one sequence was taken.
    """
    if scan.has_sequences:
        return scan.pixels[index]
    if scan.meta.get("mode") != "RGB":
        raise ScanError(
            "is gray, and the model needs three sequences in one picture",
            file=scan.source,
            remedy="use a model of gray slices",
        )
    return np.repeat(scan.pixels[index][..., None], 3, axis=-1)


def _input(
    file: str, index: int | None, sequence: str | None, plane: Plane, spec: Spec, keep_plane: bool, is_deep: bool
) -> Input:
    kept = plane if keep_plane else None  # a folder of large pictures must not fill the memory
    placed = place(plane, spec)
    return Input(file, index, sequence, preprocess(plane, spec, placed), placed, is_empty(plane), kept, is_deep)
