"""Twin groups as lists: the paths of each, and the pairs of ``pairs.csv``, which grow in line with the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog.groups import Union, twin_roots
from tumorscope.catalog.table import slice_names
from tumorscope.twins.identical import MOST_LISTED

if TYPE_CHECKING:
    import pandas as pd


def twin_groups(table: pd.DataFrame) -> list[list[str]]:
    """Return the paths of each set of twins, in the order of the rows; with the data set where there are several."""
    paths = slice_names(table)
    names = paths if table["dataset"].nunique() == 1 else table["dataset"].to_numpy(str) + "/" + paths
    members: dict[str, dict[str, None]] = {}
    for root, name in zip(twin_roots(table), names, strict=True):
        members.setdefault(str(root), {})[str(name)] = None
    return [list(group) for group in members.values() if len(group) > 1]


def listed_pairs(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return every pair of a set of up to `MOST_LISTED` twins, and of a larger one its star.

    The star links each slice to the first of its set; one that was not found to be a twin of the first itself, to the
    most similar of those that are linked.

    Args:
        table: a catalog's rows, with their sets of twins.
        pairs: as `find_twins` returns them, of slices of one set each.
    """
    _, first, group, sizes = np.unique(twin_roots(table), return_index=True, return_inverse=True, return_counts=True)
    a, b = pairs["a"].to_numpy(int), pairs["b"].to_numpy(int)
    kept = sizes[group[a]] <= MOST_LISTED
    large = np.flatnonzero(~kept)
    is_of_first = (a == first[group[a]]) | (b == first[group[a]])
    order = np.lexsort((-pairs["similarity"].to_numpy(float)[large], ~is_of_first[large]))
    kept[_spanning(a, b, large[order], len(table))] = True
    return pairs[kept].reset_index(drop=True)


def _spanning(a: NDArray[np.int64], b: NDArray[np.int64], order: NDArray[np.int64], count: int) -> list[int]:
    """Return those of the pairs that link slices which the pairs before did not link (Kruskal)."""
    linked, chosen = Union([None] * count), []
    for pair in order.tolist():
        if linked.root(int(a[pair])) != linked.root(int(b[pair])):
            linked.join(int(a[pair]), int(b[pair]))
            chosen.append(pair)
    return chosen
