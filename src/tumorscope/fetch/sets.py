"""The public sets that are known: one YAML a set in ``sets/``, its list of files, if there is one, in ``lists/``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from tumorscope.errors import UsageError, did_you_mean

Use = Literal["open", "non-commercial", "unclear"]
Arrangement = Literal["as published", "kinds", "cheng"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedFile(_Part):
    """One archive of a set.

    Attributes:
        name: what it is called here.
        url: where it is published.
        sha256: of the archive, where it is known.
        size: in bytes, where it is known.
        record: address of the publisher's record (Zenodo) that states the archive's MD5.
    """

    name: str
    url: str
    sha256: str | None = None
    size: int | None = None
    record: str | None = None


class PublicSet(_Part):
    """What is known of a public set.

    Attributes:
        name: the word of the command line.
        title: what it is, in a line.
        pictures: how many slices it has.
        layout: the name of the layout that the catalog must recognize.
        page: where to read about it.
        licence: as its publisher states it.
        use: 'open', 'non-commercial' or 'unclear'; all but 'open' are asked for.
        note: what one should know before using it.
        cite: what to cite.
        files: the archives; none where the set cannot be fetched.
        arrange: what is done after unpacking.
        kinds: for 'kinds': the folder's first word -> the kind of lesion.
        instead: for a set that cannot be fetched: how to get it.
    """

    name: str
    title: str
    pictures: int
    page: str
    licence: str
    use: Use
    cite: str
    layout: str = ""
    note: str = ""
    files: tuple[PublishedFile, ...] = ()
    arrange: Arrangement = "as published"
    kinds: dict[str, str] = {}
    instead: str = ""

    def terms(self) -> str:
        """Return what a user must know before the download, in a few lines."""
        lines = [f"{self.name}: {self.title}", f"page:    {self.page}", f"licence: {self.licence} ({self.use})"]
        return "\n".join([*lines, *([f"note:    {self.note}"] if self.note else []), f"cite:    {self.cite}"])


def public_sets() -> dict[str, PublicSet]:
    """Return every known set by its name."""
    return {path.stem: _read(path) for path in sorted(_folder("sets").glob("*.yaml"))}


def public_set(name: str) -> PublicSet:
    """Return the set of that name.

    Raises:
        UsageError: there is none, or it is not published openly.
    """
    path = _folder("sets") / f"{name}.yaml"
    if not name.isidentifier() or not path.is_file():
        raise UsageError(f"there is no set '{name}'", remedy=did_you_mean(name, public_sets()))
    found = _read(path)
    if not found.files:
        raise UsageError(f"{name} cannot be fetched", remedy=found.instead)
    return found


def list_file(name: str) -> Path | None:
    """Return the shipped list of files of a set, or None where there is none."""
    path = _folder("lists") / f"{name}.txt.gz"
    return path if path.is_file() else None


def _read(path: Path) -> PublicSet:
    return PublicSet(name=path.stem, **yaml.safe_load(path.read_text(encoding="utf-8")))


def _folder(name: str) -> Path:
    return Path(str(files("tumorscope.fetch") / name))
