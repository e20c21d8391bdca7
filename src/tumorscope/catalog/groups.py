"""Which slices belong together: twins, patients, folds of the Cheng set, runs of one series."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog.table import Catalog, slice_names
from tumorscope.progress import Progress
from tumorscope.twins.atlas import load_atlas
from tumorscope.twins.search import find_twins

CHENG = "cheng"
CHENG_SEQUENCE = "T1ce"
SERIES_CORRELATION = 0.8
"""Neighboring files of a set without patients, this alike, are taken for one series (see docs/decisions)."""


class Union:
    """Disjoint sets that refuse to merge two members of different known identity."""

    def __init__(self, identity: Sequence[Hashable | None]) -> None:
        self.parent = list(range(len(identity)))
        self.identity = list(identity)

    def root(self, member: int) -> int:
        """Return the member that stands for the set of `member`."""
        while self.parent[member] != member:
            self.parent[member] = self.parent[self.parent[member]]
            member = self.parent[member]
        return member

    def join(self, a: int, b: int) -> None:
        """Merge the sets of `a` and `b`, unless both are known to be something else."""
        low, high = sorted((self.root(a), self.root(b)))
        known = {self.identity[low], self.identity[high]} - {None}
        if low != high and len(known) < 2:
            self.parent[high] = low
            self.identity[low] = next(iter(known), None)

    def roots(self) -> NDArray[np.int64]:
        """Return for every member the first member of its set."""
        return np.array([self.root(member) for member in range(len(self.parent))], np.int64)


def add_groups(catalog: Catalog, *, use_atlas: bool = True, progress: Progress | None = None) -> Catalog:
    """Search the twins and fill ``group``, ``cluster``, ``twin_of``, ``source``, ``fold`` (and Cheng's ``sequence``).

    Args:
        catalog: with fingerprints.
        use_atlas: recognize slices of the Cheng set by the shipped atlas.
        progress: told how far the search is.

    Returns:
        The catalog with these columns, and with ``pairs``.
    """
    if catalog.prints is None:
        raise ValueError("a catalog without fingerprints cannot be grouped")
    table = catalog.table
    scans = _scans(table)
    pairs = find_twins(catalog.prints, progress=progress, scan=_scan_numbers(scans))
    if use_atlas:
        known = load_atlas().recognize(catalog.prints)
        index, fold = _numbers(known["index"]), _numbers(known["fold"])
    else:
        index = fold = [None] * len(table)
    twins = _twin_sets(pairs, index)
    is_cheng = np.array([number is not None for number in index], bool)
    patients = _patients(table)
    dependent = _joined(twins, [scan or None for scan in scans])
    table = table.assign(
        fold=pd.array(fold, dtype="Int64"),
        source=table["source"].where(~is_cheng, CHENG),
        sequence=table["sequence"].where(~(is_cheng & table["sequence"].isin(["", "T1"])), CHENG_SEQUENCE),
        twin_of=_first_twins(table, twins),
        cluster=np.where(patients != "", patients, [f"twin:{root}" for root in dependent]),
        group=_group_names(table, twins, patients, fold, catalog.prints.thumbs),
    )
    return replace(catalog, table=table, pairs=pairs)


def _numbers(column: pd.Series[int]) -> list[int | None]:
    return [None if pd.isna(number) else int(number) for number in column]


def _scans(table: pd.DataFrame) -> NDArray[np.object_]:
    """Name the scan of several slices that each row is one of; '' of pictures."""
    return np.asarray((table["dataset"] + ":" + table["series"]).where(table["series"] != "", ""), object)


def _scan_numbers(scans: NDArray[np.object_]) -> NDArray[np.int64] | None:
    """Return a number for each scan, one of its own for a picture: neighbors within a scan are alike, and no copies."""
    if not (scans != "").any():
        return None
    alone = np.arange(len(scans)) + len(scans)
    return np.where(scans == "", alone, np.unique(scans, return_inverse=True)[1])


def _joined(roots: NDArray[np.int64], keys: Sequence[Hashable | None]) -> NDArray[np.int64]:
    """Join sets that share a key; the slices of one scan depend on each other as twins do."""
    union = Union([None] * len(roots))
    _join_equal(union, roots)
    _join_equal(union, keys)
    return union.roots()


def _twin_sets(pairs: pd.DataFrame, cheng_index: list[int | None]) -> NDArray[np.int64]:
    """Join twins, the surest first; slices that the atlas tells apart are never joined, not even by a third."""
    union = Union(cheng_index)
    surest = pairs.sort_values("similarity", ascending=False, kind="stable")
    for a, b in zip(surest["a"], surest["b"], strict=True):
        union.join(int(a), int(b))
    return union.roots()


def twin_roots(table: pd.DataFrame) -> NDArray[np.str_]:
    """Return the first twin of each row of a catalog, itself where it has none, as data set and path, ``(n,)``.

    `twin_of` names the path alone where that says which is meant: the row's own set has it, or no more than one other.
    """
    sets, paths, firsts = table["dataset"].to_numpy(str), slice_names(table), table["twin_of"].to_numpy(str)
    own, home = set(zip(sets, paths, strict=True)), dict(zip(paths[::-1], sets[::-1], strict=True))

    def root(name: str, path: str, first: str) -> str:
        if not first or (name, first) in own:
            return f"{name}/{first or path}"
        return f"{home[first]}/{first}" if first in home else first

    return np.array([root(*row) for row in zip(sets, paths, firsts, strict=True)], str)


def _first_twins(table: pd.DataFrame, twins: NDArray[np.int64]) -> list[str]:
    """Return what `twin_roots` reads again."""
    sets, paths = table["dataset"].to_numpy(str), slice_names(table)
    owners: dict[str, set[str]] = {}
    for name, path in zip(sets, paths, strict=True):
        owners.setdefault(path, set()).add(name)

    def first(row: int, root: int) -> str:
        path = str(paths[root])
        is_plain = sets[root] == sets[row] or owners[path] == {sets[root]}
        return path if is_plain else f"{sets[root]}/{path}"

    return ["" if root == row else first(row, root) for row, root in enumerate(twins)]


def _patients(table: pd.DataFrame) -> NDArray[np.object_]:
    named = table["dataset"] + ":" + table["patient"]
    return np.asarray(named.where(table["patient"] != "", ""), object)


def _group_names(
    table: pd.DataFrame,
    twins: NDArray[np.int64],
    patients: NDArray[np.object_],
    folds: list[int | None],
    thumbs: NDArray[np.uint8],
) -> list[str]:
    """Join what must not be parted: twins, patients, folds, runs. Two different folds are never joined."""
    union = Union(folds)
    _join_equal(union, folds)
    _join_equal(union, twins)
    _join_equal(union, [patient or None for patient in patients])
    _join_equal(union, [f"{name}:{path}" for name, path in zip(table["dataset"], table["path"], strict=True)])
    for row in _series_neighbors(table, thumbs):
        union.join(row, row + 1)
    return [_group_name(union.identity[root], patients[root], root) for root in map(union.root, range(len(table)))]


def _group_name(fold: Hashable | None, patient: object, root: int) -> str:
    return f"{CHENG}:{fold}" if fold is not None else str(patient) or f"set:{root}"


def _join_equal(union: Union, keys: Iterable[Hashable | None]) -> None:
    first: dict[Hashable, int] = {}
    for row, key in enumerate(keys):
        if key is not None:
            union.join(first.setdefault(key, row), row)


def _series_neighbors(table: pd.DataFrame, thumbs: NDArray[np.uint8]) -> list[int]:
    """Find rows that look like the same series as the next one: patients unknown, same folder and size, much alike."""
    folder = table["dataset"] + "/" + table["path"].str.rpartition("/")[0]
    facts = [folder, table["width"], table["height"], table["label"], table["sequence"]]
    same = [np.append(values[:-1] == values[1:], False) for values in (fact.to_numpy(object) for fact in facts)]
    candidates = np.logical_and.reduce(same)
    candidates &= (table["patient"] == "").to_numpy() & table["fold"].isna().to_numpy()
    rows = np.flatnonzero(candidates)
    return [int(row) for row in rows if _correlation(thumbs[row], thumbs[row + 1]) > SERIES_CORRELATION]


def _correlation(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    x, y = a.astype(np.float32).ravel(), b.astype(np.float32).ravel()
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / max(float(np.linalg.norm(x) * np.linalg.norm(y)), 1e-6))
