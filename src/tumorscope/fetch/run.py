"""``fetch SET``: show the terms, ask, download, check, lay out; the folder appears when all of it is there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tumorscope.errors import MissingExtraError, OutputError, UsageError
from tumorscope.fetch.addresses import mirrored, stated_hash
from tumorscope.fetch.arrange import arrange
from tumorscope.fetch.checklist import Checklist, check_folder, read_checklist
from tumorscope.fetch.download import download
from tumorscope.fetch.sets import PublicSet, PublishedFile, list_file, public_set
from tumorscope.fetch.unpack import unpack
from tumorscope.fetch.workspace import all_or_nothing, workspace

if TYPE_CHECKING:
    from tumorscope.progress import Progress

SOURCE = "SOURCE.txt"
"""What the folder says of its own origin and terms."""

Accept = bool | Callable[[PublicSet], bool]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Fetched:
    """What came.

    Attributes:
        folder: where the set lies.
        layout: what the catalog recognizes it as.
        pictures: how many slices it lists.
        checked: how the files were checked, in words.
    """

    folder: Path
    layout: str
    pictures: int
    checked: str


def fetch_set(
    name: str,
    out: str | Path | None = None,
    *,
    accept: Accept = False,
    mirror: str | None = None,
    check: bool = True,
    progress: Progress | None = None,
    say: Say = lambda _: None,
) -> Fetched:
    """Get a public set from where it is published, check it, and lay it out for the catalog.

    Args:
        name: of a known set (see `tumorscope.fetch.sets.public_sets`).
        out: a new or empty folder; without it a folder of the set's name.
        accept: whether its terms are agreed to, or a function that asks; only asked where the use is not open.
        mirror: address that serves the publisher's paths in the publisher's place; without it the environment variable
            TUMORSCOPE_MIRROR, and without that the publisher.
        check: compare the archives with their published hashes and the files with the shipped list.
        progress: told how far the job is.
        say: told what a user should know on the way.

    Returns:
        Where it lies and what it is.

    Raises:
        UsageError: there is no such set, it is not published openly, its terms are not agreed to, or `out` is taken.
        OutputError: it cannot be had, is not what was published, or cannot be written.
        MissingExtraError: what fetching needs is not installed.
    """
    chosen = public_set(name)
    path = list_file(name)
    checklist = read_checklist(path) if path else None
    return fetch(chosen, out, checklist, accept=accept, mirror=mirror, check=check, progress=progress, say=say)


def fetch(
    chosen: PublicSet,
    out: str | Path | None = None,
    checklist: Checklist | None = None,
    *,
    accept: Accept = False,
    mirror: str | None = None,
    check: bool = True,
    progress: Progress | None = None,
    say: Say = lambda _: None,
    pause: float = 1.0,
) -> Fetched:
    """Get a set that the caller describes, with its list of files if there is one; else as `fetch_set`.

    `pause` is how many seconds pass before a broken connection is tried again.
    """
    folder = Path(chosen.name if out is None else out)
    if folder.name in ("", ".."):
        raise UsageError("cannot be made anew", file=folder, remedy="name a folder: --out DIR")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("is not a new or empty folder", file=folder, remedy="give another --out")
    _check_installed(chosen)
    _agree(chosen, accept)
    with workspace(folder) as work:
        archives = [
            _download(file if check else _unchecked(file), work, mirror, progress, say, pause) for file in chosen.files
        ]
        with all_or_nothing(work):
            fresh = work / folder.name
            fresh.mkdir()
            _unpack(archives, fresh, checklist)
            if checklist and check:
                check_folder(fresh, checklist, chosen.name, progress=progress)
            arrange(fresh, chosen, check=check, progress=progress)
            layout, pictures = _recognize(fresh, chosen)
            checked = _checked(chosen, checklist, check)
            _write_source(fresh / SOURCE, chosen, archives, checked)
            if folder.exists():
                folder.rmdir()
            os.replace(fresh, folder)
    return Fetched(folder, layout, pictures, checked)


def _check_installed(chosen: PublicSet) -> None:
    needed = ("pooch", "h5py") if chosen.arrange == "cheng" else ("pooch",)
    if lacking := [name for name in needed if find_spec(name) is None]:
        raise MissingExtraError(
            f"{chosen.name} needs {' and '.join(lacking)}", remedy="pip install 'tumorscope[fetch]' and try again"
        )


def _agree(chosen: PublicSet, accept: Accept) -> None:
    if chosen.use == "open" or (accept(chosen) if callable(accept) else accept):
        return
    what = "for non-commercial use only" if chosen.use == "non-commercial" else "under terms that are not clear"
    raise UsageError(
        f"{chosen.name} is {what} ({chosen.licence}), and nobody agreed to that; nothing was fetched",
        remedy=f"read {chosen.page} and give --yes",
    )


def _download(
    file: PublishedFile, work: Path, mirror: str | None, progress: Progress | None, say: Say, pause: float
) -> Path:
    known_hash = f"sha256:{file.sha256}" if file.sha256 else None
    if file.record:
        known_hash = stated_hash(mirrored(file.record, mirror), file.name)
        if known_hash is None:
            say(f"{file.name}: the publisher's record cannot be had; its hash stays unchecked")
    url = mirrored(file.url, mirror)
    return download(url, work, file.name, known_hash=known_hash, size=file.size, progress=progress, pause=pause)


def _unchecked(file: PublishedFile) -> PublishedFile:
    """Forget what is known of an archive but its address."""
    return PublishedFile(name=file.name, url=file.url)


def _unpack(archives: list[Path], folder: Path, checklist: Checklist | None) -> None:
    listed = checklist.paths if checklist else []
    for archive in archives:
        unpack(archive, folder, listed=listed, only_listed=bool(checklist and checklist.complete))


def _recognize(folder: Path, chosen: PublicSet) -> tuple[str, int]:
    from tumorscope.catalog.layouts import list_data

    listing = list_data(folder)
    if listing.layout != chosen.layout:
        raise OutputError(
            f"came as '{listing.layout}' and should be '{chosen.layout}'",
            file=chosen.name, remedy="the publisher changed it; download it by hand and sort it",
        )  # fmt: skip
    return listing.layout, len(listing.entries)


def _checked(chosen: PublicSet, checklist: Checklist | None, check: bool) -> str:
    if not check:
        return "nothing was compared with the list"
    if checklist:
        return str(checklist)
    return "all numbers, tumors as in the atlas" if chosen.arrange == "cheng" else "there is no list of this set"


def _write_source(path: Path, chosen: PublicSet, archives: list[Path], checked: str) -> None:
    """Write where the folder is from, so that its terms travel with it."""
    lines = [chosen.terms(), f"checked: {checked}", f"fetched: {datetime.now(UTC):%Y-%m-%d}"]
    for file, archive in zip(chosen.files, archives, strict=True):
        with archive.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        lines.append(f"archive: {file.url} sha256 {digest}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
