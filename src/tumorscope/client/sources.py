"""What a caller gives -> what is sent: paths, folders, bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tumorscope.errors import ScanError, UsageError

Picture = str | os.PathLike[str] | bytes | tuple[str, bytes]
"""A file, a folder of them, the bytes of a file, or these with a name."""


@dataclass(frozen=True)
class Source:
    """One file to send.

    Attributes:
        name: as findings name it.
        size: in bytes.
        content: the path, or the bytes themselves.
        problem: why it cannot be sent, in the words of `predict`; None if it can.
    """

    name: str
    size: int
    content: str | bytes
    problem: str | None = None

    def open(self) -> BinaryIO:
        """Open the file.

        Raises:
            ScanError: it is not there any more.
        """
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        try:
            return Path(self.content).open("rb")
        except OSError as error:
            raise _unreadable(self.content, error) from error


def list_sources(pictures: Picture | Sequence[Picture]) -> list[Source]:
    """Name what is to be sent, in order; folders are walked as `predict` walks them.

    Raises:
        UsageError: nothing is given, or none of the paths leads to a file.
    """
    given = _as_list(pictures)
    if not given:
        raise UsageError("no picture was given", remedy="give pictures, or folders of them")
    paths = [os.fspath(item) for item in given if isinstance(item, str | os.PathLike)]
    if len(paths) == len(given):
        return [_from_path(name) for name in _walk(paths)]
    return [source for number, item in enumerate(given, 1) for source in _from_item(item, number)]


def sendable(sources: Sequence[Source]) -> Sequence[Source]:
    """Return the files as they are.

    Raises:
        ScanError: one of them cannot be read.
    """
    for source in sources:
        if source.problem is not None:
            what, _, remedy = source.problem.partition("; ")
            raise ScanError(what, file=source.name, remedy=remedy)
    return sources


def _as_list(pictures: Picture | Sequence[Picture]) -> list[Picture]:
    match pictures:
        case str() | bytes() | os.PathLike():
            return [pictures]
        case (str(name), bytes(data)):
            return [(name, data)]
        case _:
            return list(pictures)


def _from_item(item: Picture, number: int) -> Iterator[Source]:
    match item:
        case bytes():
            yield Source(f"file {number}", len(item), item)
        case (str(name), bytes(data)):
            yield Source(name, len(data), data)
        case str() | os.PathLike():
            path = os.fspath(item)
            yield from map(_from_path, _walk([path]) if os.path.isdir(path) else [path])
        case _:
            raise UsageError(
                f"a {type(item).__name__} is no picture", remedy="give a path, bytes, or a pair of name and bytes"
            )


def _walk(paths: Sequence[str]) -> list[str]:
    from tumorscope.scans import find_scans

    return [ref.name for ref in find_scans(paths)]


def _from_path(path: str) -> Source:
    """Look at a file without reading it; one that is not there fails alone, as in `predict`."""
    if os.path.isdir(path):
        return Source(path, 0, path, "holds no picture; give a folder of pictures, or files")
    try:
        with open(path, "rb") as file:
            return Source(path, os.fstat(file.fileno()).st_size, path)
    except FileNotFoundError:
        return Source(path, 0, path, "is not there; check the path")
    except OSError as error:
        problem = _unreadable(path, error)
        return Source(path, 0, path, f"{problem.what}; {problem.remedy}")


def _unreadable(path: str, error: OSError) -> ScanError:
    reason = (error.strerror or str(error)).lower()
    return ScanError(f"cannot be opened ({reason})", file=path, remedy="check the path")
