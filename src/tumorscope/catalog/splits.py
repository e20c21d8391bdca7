"""Splits into training, validation and test: by group, as published, in folds, or (leaky, and named so) at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog.benchmark import assign_benchmark
from tumorscope.catalog.parts import BENCHMARK, FOLDS, PARTS, is_benchmark, parts_of_folds
from tumorscope.catalog.table import Catalog
from tumorscope.errors import CatalogError, UsageError, did_you_mean
from tumorscope.words import LESION

FRACTIONS = (0.70, 0.15, 0.15)
PUBLISHED_VAL = 0.15
PART_OF_FOLD = {1: 0, 2: 0, 3: 0, 4: 1, 5: 2}
HOWS = ("grouped", "official", "folds", "random")
LEAKY = ("official", "random")
"""Splits that may cut through a group."""

Strings = NDArray[np.object_]


def assign_split(catalog: Catalog, how: str = "grouped", *, seed: int = 0, fold: int | None = None) -> Catalog:
    """Fill the column ``split`` with 'train', 'val' and 'test'.

    Args:
        catalog: with groups.
        how: 'grouped' cuts no group and is stratified by set and label; Cheng slices go by their folds. 'official' is
            the published test part, with a validation part taken out of training by group where none is published.
            'folds' tests on `fold` of five and validates on the one before it. 'random' ignores groups and leaks.
            ``benchmark:NAME`` or ``benchmark:NAME:FOLD`` are the published parts of the benchmark (see
            `catalog.benchmark`); slices that it does not know get no part.
        seed: of everything random.
        fold: 1 to 5, for 'folds'.

    Raises:
        UsageError: an unknown `how`, or a fold missing or out of range.
        CatalogError: no split is published, or a label has too few groups to stand in every part.
    """
    if is_benchmark(how):
        return _by_benchmark(catalog, how, fold)
    if how not in HOWS:
        raise UsageError(f"'{how}' is no split", remedy=did_you_mean(how, [*HOWS, f"{BENCHMARK}NAME"]))
    if (how == "folds") != (fold is not None) or fold not in (None, *range(1, FOLDS + 1)):
        raise UsageError("--fold and --split folds go together", remedy=f"give --split folds --fold 1 to {FOLDS}")
    table = catalog.table
    if how == "official":
        parts = _official(catalog, seed)
    elif how == "random":
        alone = [f"{row}" for row in range(len(table))]
        parts = _spread(alone, _strata(table), _given(len(table)), FRACTIONS, seed)
    elif how == "grouped":
        given = np.array([PART_OF_FOLD.get(k, -1) for k in table["fold"].fillna(0)], np.int64)
        parts = _spread(table["group"], _strata(table), given, FRACTIONS, seed)
    else:
        parts = parts_of_folds(spread_folds(table, seed), int(fold or 0))
    split = pd.Series(np.array(PARTS)[parts], index=table.index, dtype=object)
    _check_labels(table, split)
    return catalog.with_table(table.assign(split=split))


def _by_benchmark(catalog: Catalog, how: str, fold: int | None) -> Catalog:
    if fold is not None:
        raise UsageError("--fold goes with --split folds", remedy=f"write --split {how}:{fold}")
    found = assign_benchmark(catalog, how)
    known = found.table["split"] != ""
    if not known.any():
        raise CatalogError(
            f"holds no slice that {how} knows",
            file=", ".join(map(str, catalog.roots.values())),
            remedy="give the set that the benchmark is of",
        )
    _check_labels(found.table[known], found.table.loc[known, "split"])
    return found


def _official(catalog: Catalog, seed: int) -> NDArray[np.int64]:
    table = catalog.table
    unpublished = sorted(set(table.loc[table["official"] == "", "dataset"]))
    if unpublished or not {"train", "test"} <= set(table["official"]):
        raise CatalogError(
            "publishes no split into training and test",
            file=", ".join(unpublished) or None,
            remedy="leave --split out (grouped) or use --split folds",
        )
    parts = np.array([PARTS.index(name) for name in table["official"]], np.int64)
    if not (parts == 1).any():
        rows = np.flatnonzero(parts == 0)
        trained = table.iloc[rows]
        fractions = (1 - PUBLISHED_VAL, PUBLISHED_VAL)
        parts[rows] = _spread(_fine_groups(trained), _strata(trained), _given(len(rows)), fractions, seed)
    return parts


def _fine_groups(table: pd.DataFrame) -> pd.Series[str]:
    """Return twin clusters where the group is a whole fold: five groups are too few to take a validation part from."""
    return table["group"].where(table["fold"].isna(), table["cluster"])


def spread_folds(table: pd.DataFrame, seed: int = 0) -> NDArray[np.int64]:
    """Give every slice one of five folds, 1 to 5, that cut no group; Cheng slices keep theirs. Int ``(n,)``.

    Args:
        table: of a catalog with groups.
        seed: of everything random.
    """
    given = table["fold"].fillna(0).to_numpy(np.int64) - 1
    return _spread(table["group"], _strata(table), given, (1 / FOLDS,) * FOLDS, seed) + 1


def _strata(table: pd.DataFrame) -> Strings:
    return np.asarray(table["dataset"] + "\n" + table["label"] + "\n" + table["sequence"], object)


def _given(count: int) -> NDArray[np.int64]:
    return np.full(count, -1, np.int64)


def _spread(
    groups: Sequence[str] | pd.Series[str],
    strata: Strings,
    given: NDArray[np.int64],
    fractions: tuple[float, ...],
    seed: int,
) -> NDArray[np.int64]:
    """Give every group to one part so that each stratum is spread in the wanted fractions.

    Large groups go first; each goes where, counted over its strata, most is missing. A group with a `given` part stays
    there.

    Returns:
        int ``(n,)``: the part of every row.
    """
    group_of, group_count = _codes(groups)
    stratum_of, stratum_count = _codes(strata)
    counts = np.zeros((group_count, stratum_count))
    np.add.at(counts, (group_of, stratum_of), 1)
    totals = np.maximum(counts.sum(axis=0), 1)
    part_of = _given_parts(group_of, group_count, given)
    filled = np.zeros((len(fractions), stratum_count))
    for part in range(len(fractions)):
        filled[part] = counts[part_of == part].sum(axis=0)
    wanted = np.outer(fractions, totals)
    free = np.flatnonzero(part_of < 0)
    rng = np.random.default_rng(seed)
    order = free[np.lexsort((rng.random(len(free)), -(counts[free] / totals).max(axis=1).round(3)))]
    for group in order:
        touched = np.flatnonzero(counts[group])
        lacking = (wanted[:, touched] - filled[:, touched]) / wanted[:, touched]
        part = int((lacking @ counts[group, touched]).argmax())
        part_of[group] = part
        filled[part] += counts[group]
    return np.asarray(part_of[group_of], np.int64)


def _given_parts(group_of: NDArray[np.int64], count: int, given: NDArray[np.int64]) -> NDArray[np.int64]:
    part_of = np.full(count, -1, np.int64)
    known = given >= 0
    part_of[group_of[known]] = given[known]
    return part_of


def _codes(values: Sequence[str] | pd.Series[str] | Strings) -> tuple[NDArray[np.int64], int]:
    names, codes = np.unique(np.asarray(values, object).astype(str), return_inverse=True)
    return codes.astype(np.int64), len(names)


def _check_labels(table: pd.DataFrame, split: pd.Series[str]) -> None:
    for label in sorted(set(table["label"]) - {LESION}):
        rows = table["label"] == label
        if missing := [part for part in PARTS if part not in set(split[rows])]:
            groups = table.loc[rows, "group"].nunique()
            raise CatalogError(
                f"class '{label}' ({int(rows.sum())} images in {groups} groups) has none for {' and '.join(missing)}",
                file=", ".join(sorted(set(table.loc[rows, "dataset"]))),
                remedy="give more of it, leave the folder out, or try another --split",
            )
