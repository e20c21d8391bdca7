"""The twins of one audit in a small database: a page asks for some of them, and a picture has an opaque id."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tumorscope.files.atomic import replacing

if TYPE_CHECKING:
    import pandas as pd

    from tumorscope.audits.audit import Audited
    from tumorscope.catalog import Catalog

SCHEMA = """
CREATE TABLE slices (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL, file TEXT NOT NULL,
    slice INTEGER NOT NULL, channel INTEGER,
    label TEXT NOT NULL, part TEXT NOT NULL, split TEXT NOT NULL, width INTEGER, height INTEGER, mode TEXT NOT NULL
) STRICT;
CREATE TABLE pairs (
    number INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES slices(row), b INTEGER NOT NULL REFERENCES slices(row),
    kind TEXT NOT NULL, similarity REAL NOT NULL, transform TEXT NOT NULL,
    leaks INTEGER NOT NULL, conflict INTEGER NOT NULL
) STRICT;
"""
SIDE = ("id", "path", "label", "part", "split", "width", "height", "mode")
FOUND = """FROM pairs JOIN slices AS a ON a.row = pairs.a JOIN slices AS b ON b.row = pairs.b
WHERE (:kind IS NULL OR pairs.kind = :kind) AND (:leaks IS NULL OR pairs.leaks = :leaks)
AND (:conflict IS NULL OR pairs.conflict = :conflict) AND (:transform IS NULL OR pairs.transform = :transform)
AND (:label IS NULL OR :label IN (a.label, b.label)) AND (:part IS NULL OR :part IN (a.part, b.part))"""
ORDERS = {
    "leaks": "pairs.leaks DESC, pairs.conflict DESC, pairs.kind = 'exact' DESC, pairs.similarity DESC, pairs.number",
    "most_alike": "pairs.similarity DESC, pairs.number",
    "least_alike": "pairs.similarity, pairs.number",
}

Kind = Literal["exact", "near"]
Part = Literal["train", "val", "test"]
Sorting = Literal["leaks", "most_alike", "least_alike"]


@dataclass(frozen=True)
class TwinQuery:
    """Which pairs are asked for; None asks for all.

    Attributes:
        kind: 'exact' or 'near'.
        leaks: whether one of the two is trained on and the other tested.
        conflict: whether the labels contradict each other.
        label: of either.
        part: 'train', 'val' or 'test', of either; as published, or as tried where nothing is.
        transform: what makes `b` of `a`.
        order: 'leaks' first, or by similarity.
    """

    kind: Kind | None = None
    leaks: bool | None = None
    conflict: bool | None = None
    label: str | None = None
    part: Part | None = None
    transform: str | None = None
    order: Sorting = "leaks"


@dataclass(frozen=True)
class Slice:
    """Where a slice is to be had: a path below the folder that may be read, the number of the slice, the channel."""

    file: str
    index: int
    channel: int | None


class TwinStore:
    """The pairs of one audit, and the slices in them.

    Args:
        path: of the database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, audit: Audited, split: Catalog, base: Path) -> None:
        """Write the pairs of an audit.

        Args:
            audit: as `run_audit` returns it.
            split: its catalog with a split.
            base: the folder that the paths of files are kept relative to, links resolved.
        """
        pairs = audit.catalog.pairs
        assert pairs is not None
        rows = sorted({*pairs["a"].astype(int).to_list(), *pairs["b"].astype(int).to_list()})
        parts = _parts(audit)
        with replacing(self.path) as path:
            database = sqlite3.connect(path)
            try:
                database.executescript(SCHEMA)
                database.executemany(
                    f"INSERT INTO slices VALUES ({', '.join('?' * 12)})", _slices(split.table, parts, rows, base)
                )
                database.executemany(f"INSERT INTO pairs VALUES ({', '.join('?' * 8)})", _pairs(audit, pairs, parts))
                database.commit()
            finally:
                database.close()

    def find(self, query: TwinQuery, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """Return how many pairs match, and some of them.

        Each is {"kind", "similarity", "transform", "leaks", "conflict", "a", "b"}; a side has {"id", "path", "label",
        "part", "split", "width", "height", "mode"}.
        """
        values = {name: getattr(query, name) for name in ("kind", "leaks", "conflict", "label", "part", "transform")}
        columns = ", ".join(f"{side}.{name}" for side in "ab" for name in SIDE)
        select = f"SELECT pairs.kind, similarity, transform, leaks, conflict, {columns} {FOUND}"
        with self._reading() as database:
            count = database.execute(f"SELECT COUNT(*) {FOUND}", values).fetchone()[0]
            rows = database.execute(
                f"{select} ORDER BY {ORDERS[query.order]} LIMIT :limit OFFSET :offset",
                {**values, "limit": limit, "offset": offset},
            ).fetchall()
        return int(count), [_shown(row) for row in rows]

    def choices(self) -> dict[str, dict[str, int]]:
        """Return what can be asked for and how many pairs that gives: kinds, transforms, flags, labels, parts."""
        with self._reading() as database:
            found = {
                name: dict(database.execute(f"SELECT {name}, COUNT(*) FROM pairs GROUP BY 1 ORDER BY 2 DESC, 1"))
                for name in ("kind", "transform")
            }
            flags = database.execute("SELECT SUM(leaks), SUM(conflict), COUNT(*) FROM pairs").fetchone()
            for name in ("label", "part"):
                found[name] = dict(
                    database.execute(
                        f"SELECT side, COUNT(*) FROM (SELECT number, a.{name} AS side FROM pairs JOIN slices AS a "
                        f"ON a.row = pairs.a UNION SELECT number, b.{name} FROM pairs JOIN slices AS b "
                        "ON b.row = pairs.b) WHERE side != '' GROUP BY 1 ORDER BY 1"
                    )
                )
        return {**found, "flag": {"leaks": flags[0] or 0, "conflict": flags[1] or 0, "all": flags[2]}}

    def picture(self, slice_id: str) -> Slice | None:
        """Return where the picture of a slice is; None where no slice has this id."""
        with self._reading() as database:
            row = database.execute("SELECT file, slice, channel FROM slices WHERE id = ?", (slice_id,)).fetchone()
        return None if row is None else Slice(*row)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            yield database
        finally:
            database.close()


def _parts(audit: Audited) -> list[str]:
    """Return for each row the part that the audit took it for: as published, else as tried."""
    official = audit.catalog.table["official"].to_list()
    if audit.sides is None:
        return [str(part) for part in official]
    sides = zip(official, audit.sides.train.tolist(), audit.sides.test.tolist(), strict=True)
    return ["train" if train else "test" if test else str(part) for part, train, test in sides]


def _slices(table: pd.DataFrame, parts: list[str], rows: list[int], base: Path) -> Iterator[tuple[Any, ...]]:
    from tumorscope.catalog.table import slice_names

    chosen = table.iloc[rows]
    channels = [
        int(channel) if known else None
        for channel, known in zip(chosen["channel"], chosen["channel"].notna(), strict=True)
    ]
    files = [Path(file).resolve().relative_to(base).as_posix() for file in chosen["file"]]
    ids = [secrets.token_urlsafe(12) for _ in rows]
    sizes = chosen["width"].astype(int).to_list(), chosen["height"].astype(int).to_list()
    numbers = chosen["slice"].astype("Int64").fillna(0).astype(int).to_list()
    words = chosen["label"], [parts[row] for row in rows], chosen["split"]
    yield from zip(
        rows, ids, slice_names(chosen), files, numbers, channels, *words, *sizes, chosen["mode"], strict=True
    )


def _pairs(audit: Audited, pairs: pd.DataFrame, parts: list[str]) -> Iterator[tuple[Any, ...]]:
    from tumorscope.audits.probes import labels_agree

    labels = audit.catalog.table["label"].to_numpy(str)
    a, b = pairs["a"].to_numpy(int), pairs["b"].to_numpy(int)
    agree = labels_agree(labels[a], labels[b]).tolist()
    columns = (a.tolist(), b.tolist(), pairs["kind"], pairs["similarity"], pairs["transform"], agree)
    for number, (first, second, kind, similarity, transform, agrees) in enumerate(zip(*columns, strict=True)):
        leaks = {parts[first], parts[second]} == {"train", "test"}
        yield number, first, second, str(kind), round(float(similarity), 4), str(transform), int(leaks), int(not agrees)


def _shown(row: tuple[Any, ...]) -> dict[str, Any]:
    kind, similarity, transform, leaks, conflict, *sides = row
    first, second = (dict(zip(SIDE, part, strict=True)) for part in (sides[: len(SIDE)], sides[len(SIDE) :]))
    how = {"kind": kind, "similarity": similarity, "transform": transform}
    return {**how, "leaks": bool(leaks), "conflict": bool(conflict), "a": first, "b": second}
