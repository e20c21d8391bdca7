"""From paths to scans: folders are walked, and what looks like a scan in them is named."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tumorscope.errors import ScanError, UsageError
from tumorscope.files.clutter import holds_clutter
from tumorscope.scans.formats import PICTURE_SUFFIXES
from tumorscope.scans.registry import looks_like_scan, open_scan
from tumorscope.scans.scan import MAX_PIXELS, Scan

MASK = "_mask"
"""In a folder, a file of this name beside its picture is a mask and no picture."""


@dataclass(frozen=True)
class ScanRef:
    """A scan that was found and is not open yet.

    Attributes:
        name: as findings name it: the path as given, or the given folder joined with the path inside it.
    """

    name: str

    def open(self, max_pixels: int = MAX_PIXELS) -> Scan:
        """Open it; every error names it as it was given.

        Raises:
            ScanError: it is not there, or cannot be read.
        """
        try:
            _check_there(self.name)
            return open_scan(self.name, max_pixels)
        except ScanError as error:
            raise ScanError(error.what, file=self.name, remedy=error.remedy) from error
        except (OSError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or error or "too little memory"
            raise ScanError(f"cannot be read ({reason})", file=self.name, remedy="check the file") from error


def find_scans(paths: Sequence[str | Path], out: Path | None = None) -> list[ScanRef]:
    """Name the scans to read: those given, and what folders hold that looks like one (hidden files and masks apart).

    A path that is not there, or a folder without a scan, stands for itself, and opening it tells what is wrong: the
    other paths are answered all the same.

    Args:
        paths: files, or folders of them.
        out: where results will be written; what lies there is not read.

    Raises:
        UsageError: none of the paths leads to a file, or `out` holds a file that was named.
    """
    if not paths or "" in paths:
        raise UsageError("no picture was given", remedy="give pictures, or folders of them")
    named = [name for path in paths for name in _named(str(path), out)]
    read_from = {Path(path) for path in paths} | {Path(name).parent for name in named}
    if out is not None and out.resolve() in {folder.resolve() for folder in read_from}:
        raise UsageError("holds pictures that are to be read", file=out, remedy="choose another --out")
    if all(is_absent(name) for name in named):
        error = nothing_there(Path(named[0]))
        raise UsageError(error.what, file=error.file, remedy=error.remedy)
    return [ScanRef(name) for name in named]


def is_absent(path: str) -> bool:
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


def nothing_there(path: Path) -> ScanError:
    """Return what is said of a path that `is_absent`."""
    if path.is_dir():
        return ScanError("holds no picture", file=path, remedy="give a folder of pictures, or files")
    return ScanError("is not there", file=path, remedy="check the path")


def _check_there(path: str) -> None:
    if is_absent(path):
        raise nothing_there(Path(path))
    if os.path.isdir(path):
        raise ScanError("is a folder that cannot be looked into", remedy="ask for the right to open it")


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
    meant = [path for path in files + closed if not holds_clutter(path.relative_to(root))]
    return [path for path in meant if path in closed or _looks_like_scan(path)]


def _looks_like_scan(file: Path) -> bool:
    """Whether a file in a folder is meant to be read: by content, or, where that is damaged, by its name."""
    if file.stem.endswith(MASK) and file.with_stem(file.stem.removesuffix(MASK)).exists():
        return False
    return file.suffix.lower() in PICTURE_SUFFIXES or looks_like_scan(file)
