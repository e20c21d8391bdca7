"""The wrong answers of a run, the surest first, and where their pictures lie now."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tumorscope.errors import CatalogError
from tumorscope.serve.reports.files import FileBrokenError, iter_rows
from tumorscope.serve.roots import Root, inside, may_be_named

NEEDED = ("path", "dataset", "label", "called", "right", "certainty", "sha256")
SEEN = {"leak_free": "group_seen", "twin_free": "twin_seen"}
"""The column that marks what a split leaves out."""
MOST_WRONG = 50_000
LARGEST_PICTURE = 100_000_000
DEPTH = 2
"""How far under a data root a set is looked for by its name."""


@dataclass(frozen=True)
class Mistake:
    """One wrong answer.

    Attributes:
        row: its number in ``findings.csv``.
        path: the file, relative to its data set.
        dataset: the set's name.
        index: which slice of the file.
        channel: which of three sequences, None for the usual one.
        label: what it is.
        called: what the model called it.
        certainty: how sure it was.
        tumor: the probability of any tumor.
        sha256: of the file.
        cluster: of its twins.
    """

    row: int
    path: str
    dataset: str
    index: int
    channel: int | None
    label: str
    called: str
    certainty: float
    tumor: float | None
    sha256: str
    cluster: str


@dataclass(frozen=True)
class Wrong:
    """The wrong answers that were asked for: how many, and some of them."""

    count: int
    shown: list[Mistake]


def wrong_answers(
    findings: Path, split: str, *, label: str | None = None, called: str | None = None, offset: int = 0, limit: int = 12
) -> Wrong:
    """Return the wrong answers of a split, the surest first, those of a twin cluster already shown last.

    Args:
        findings: ``findings.csv``.
        split: 'leak_free', 'twin_free' or 'full'.
        label: only slices that are this.
        called: only slices that were called this.
        offset: how many to leave out.
        limit: how many to return.

    Raises:
        FileBrokenError: it cannot be read, or lacks columns.
    """
    everything = _wrong(findings, findings.stat().st_mtime_ns, split)
    chosen = [m for m in everything if label in (None, m.label) and called in (None, m.called)]
    return Wrong(len(chosen), chosen[offset : offset + limit])


def find_mistake(findings: Path, split: str, row: int) -> Mistake | None:
    """Return the wrong answer of a row of ``findings.csv``; None where that row is none."""
    return next((m for m in _wrong(findings, findings.stat().st_mtime_ns, split) if m.row == row), None)


class Whereabouts:
    """Finds the files of mistakes under the data roots.

    Args:
        roots: the folders that may be read.
    """

    def __init__(self, roots: Sequence[Root]) -> None:
        self._roots = roots
        self._known: dict[str, list[tuple[Root, Path]]] = {}

    def find(self, mistake: Mistake) -> Path | None:
        """Return the file of a mistake if it lies under a data root, byte for byte what was evaluated."""
        if not may_be_named(mistake.path):
            return None
        if mistake.dataset not in self._known:
            self._known[mistake.dataset] = list(_sets_named(mistake.dataset, self._roots))
        for root, folder in self._known[mistake.dataset]:
            path = inside(root.path, (folder / mistake.path).relative_to(root.path).as_posix())
            if path is not None and path.is_file() and _is(path, mistake.sha256):
                return path
        return None


def shown(mistake: Mistake, link: str, whereabouts: Whereabouts) -> dict[str, Any]:
    """Return a mistake as the page shows it, with the address of its picture where there is one."""
    return {
        "path": mistake.path,
        "dataset": mistake.dataset,
        "label": mistake.label,
        "called": mistake.called,
        "certainty": mistake.certainty,
        "tumor_probability": mistake.tumor,
        "picture": f"{link}/pictures/{mistake.row}" if whereabouts.find(mistake) else None,
    }


@lru_cache(maxsize=8)
def _wrong(findings: Path, _changed: int, split: str) -> list[Mistake]:
    rows = iter_rows(findings)
    names = next(rows, [])
    if missing := [name for name in NEEDED if name not in names]:
        raise FileBrokenError(f"lacks the columns {', '.join(missing)}", findings)
    left_out = SEEN.get(split)
    found = []
    for number, row in enumerate(rows):
        if len(row) != len(names):
            continue
        values = dict(zip(names, row, strict=True))
        is_asked = values.get("counted", "True") == "True" and (left_out is None or values.get(left_out) != "True")
        if is_asked and values["right"] == "False":
            found.append(_mistake(number, values))
        if len(found) > MOST_WRONG:
            raise FileBrokenError(f"has more than {MOST_WRONG:,} wrong answers", findings)
    return _one_of_each_cluster_first(sorted(found, key=lambda mistake: -mistake.certainty))


def _mistake(number: int, values: dict[str, str]) -> Mistake:
    return Mistake(
        number, values["path"], values["dataset"], _number(values, "slice") or 0, _number(values, "channel"),
        values["label"],
        values["called"], _share(values["certainty"]) or 0.0, _share(values.get("tumor_probability", "")),
        values["sha256"], values.get("cluster", ""),
    )  # fmt: skip


def _number(values: dict[str, str], column: str) -> int | None:
    text = values.get(column, "")
    return int(text) if text.isdecimal() else None


def _share(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _one_of_each_cluster_first(mistakes: list[Mistake]) -> list[Mistake]:
    seen: set[str] = set()
    first: list[Mistake] = []
    later: list[Mistake] = []
    for mistake in mistakes:
        (later if mistake.cluster and mistake.cluster in seen else first).append(mistake)
        seen.add(mistake.cluster)
    return first + later


def _sets_named(dataset: str, roots: Sequence[Root]) -> Iterator[tuple[Root, Path]]:
    """Yield the folders below the roots that the catalog would call by this name, as its layouts step into them."""
    from tumorscope.catalog.layouts import data_roots

    for root in roots:
        for folder in _folders(root.path, DEPTH):
            if folder.name == dataset:
                with suppress(OSError, CatalogError):
                    yield root, next(iter(data_roots([folder]).values()))


def _folders(folder: Path, depth: int) -> list[Path]:
    if depth == 0:
        return [folder]
    try:
        with os.scandir(folder) as entries:  # it knows what is a folder without asking for each of many files
            inner = sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        inner = []
    return [folder, *(found for entry in inner for found in _folders(entry, depth - 1))]


def _is(path: Path, sha256: str) -> bool:
    try:
        if path.stat().st_size > LARGEST_PICTURE:
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
