"""The folders that the server may read, and the only way from what a client names to a path below one of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumorscope.errors import UsageError

MOST_LISTED = 500
"""Folders that one listing names."""
MOST_COUNTED = 20_000
"""Entries of a folder that are looked at before a listing stops counting."""
LONGEST = 1000


class PathRefusedError(UsageError):
    """A name is of a kind that no folder of ours is opened for: ``..``, absolute, NUL, control characters."""


class NotThereError(UsageError):
    """There is nothing of this name that may be read.

    Said alike of what does not exist and of what a link leads out to: the difference is none of the client's business.
    """


@dataclass(frozen=True)
class Root:
    """One folder that may be read.

    Attributes:
        name: how it is called on the page, unique among the roots.
        path: the folder, all links resolved.
    """

    name: str
    path: Path


@dataclass(frozen=True)
class Folder:
    """One folder below a root.

    Attributes:
        root: the name of the root.
        path: relative to the root, with forward slashes; '' is the root itself.
        folders: names of the folders in it that may be opened, in natural order, `MOST_LISTED` at most.
        files: how many files it holds itself.
        left_out: how many folders it holds that are links out of the root, or have a name that may not be asked for.
        more: whether there is more than was listed or counted.
    """

    root: str
    path: str
    folders: list[str]
    files: int
    left_out: int
    more: bool


def named_roots(folders: Sequence[Path]) -> tuple[Root, ...]:
    """Name the folders that may be read; equal names get a number.

    Raises:
        UsageError: one of them is no folder.
    """
    roots: dict[str, Root] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError("is no folder", file=folder, remedy="give a folder that exists")
        path = folder.resolve()
        name, number = path.name or "root", 2
        while name in roots:
            name, number = f"{path.name}-{number}", number + 1
        roots[name] = Root(name, path)
    return tuple(roots.values())


def find_folder(roots: Sequence[Root], path: str, root: str | None = None) -> tuple[Root, Path]:
    """Find the folder that a client names.

    Args:
        roots: the folders that may be read.
        path: relative to one of them, with forward slashes; '' or '.' is the root itself.
        root: which one, by name; None takes the first in which `path` is a folder.

    Returns:
        The root, and the folder with all links resolved.

    Raises:
        PathRefusedError: the name is of a refused kind.
        NotThereError: there is no such folder, or a link leads out of the root.
    """
    check_name(path)
    for candidate in roots:
        if root in (None, candidate.name) and (found := inside(candidate.path, path)) and found.is_dir():
            return candidate, found
    raise NotThereError("there is no such folder under the folders that may be read", remedy="choose a listed one")


def inside(folder: Path, relative: str) -> Path | None:
    """Return the path below `folder` with all links resolved; None where it is not there, hidden, or leads out."""
    if any(part.startswith(".") for part in relative.split("/") if part != "."):
        return None
    try:
        found = (folder / relative).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # not there, a circle of links, a name that no disk has
        return None
    return found if found.is_relative_to(folder) else None


def check_name(path: str) -> None:
    """Refuse what is no plain relative path.

    Raises:
        PathRefusedError: it is absolute, has ``..`` or a backslash, is too long, or has characters that are not shown.
    """
    hidden = any(unicodedata.category(letter)[0] == "C" for letter in path)
    if hidden or path.startswith("/") or "\\" in path or ".." in path.split("/") or len(path) > LONGEST:
        raise PathRefusedError(
            "the path must be relative, without '..', backslashes and control characters",
            remedy="choose a folder from the list",
        )


def may_be_named(relative: str) -> bool:
    """Whether `check_name` lets a path pass."""
    try:
        check_name(relative)
    except PathRefusedError:
        return False
    return True


def list_folder(roots: Sequence[Root], path: str, root: str | None = None) -> Folder:
    """List a folder: what may be opened in it, and how many files it holds.

    Raises:
        PathRefusedError, NotThereError: as `find_folder` does; also where the folder cannot be read.
    """
    from tumorscope.catalog.layouts.listing import natural

    chosen, folder = find_folder(roots, path, root)
    names, files, left_out, more = [], 0, 0, False
    for number, entry in enumerate(_entries(folder)):
        if number >= MOST_COUNTED:
            more = True
            break
        relative = entry.relative_to(chosen.path).as_posix()
        if entry.is_dir():
            if may_be_named(relative) and inside(chosen.path, relative):
                names.append(entry.name)
            else:
                left_out += not entry.name.startswith(".")
        else:
            files += not entry.name.startswith(".")
    names.sort(key=natural)
    where = folder.relative_to(chosen.path).as_posix()
    more = more or len(names) > MOST_LISTED
    return Folder(chosen.name, "" if where == "." else where, names[:MOST_LISTED], files, left_out, more)


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError as error:
        raise NotThereError("the folder cannot be read", remedy="choose another one") from error
