"""Slices that show the very same picture: one of them is searched, and what is found is said of the others too.

Pairs grow with the square of the copies. Of more than `MOST_LISTED` identical slices the first stands for the others,
so that lists grow in line with the slices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

MOST_LISTED = 20
"""Of up to this many copies every pair is given; of more each one's link to the first."""
Rows = NDArray[np.int64]


def number_pictures(digests: NDArray[np.uint8]) -> Rows:
    """Give each different picture a number: int64 ``(n,)``, equal where the digests ``(n, bytes)`` are."""
    joined = np.ascontiguousarray(digests).view(f"V{digests.shape[1]}").ravel()
    return np.unique(joined, return_inverse=True)[1].astype(np.int64)


def tabulate_slices(picture: Rows, row: Rows, scan: Rows) -> pd.DataFrame:
    """Return slices by what they show.

    Args:
        picture: int64 ``(n,)``, the number of the picture that each shows.
        row: int64 ``(n,)``, their rows, rising.
        scan: int64 ``(n,)``, the scan that each is of.

    Returns:
        Columns `picture`, `row`, `scan`, `is_many` (of a picture with more than `MOST_LISTED` slices) and `stands` (the
        first slice of its picture, or the first that is of another scan than that one: it stands in where scans agree).
    """
    import pandas as pd

    slices = pd.DataFrame({"picture": picture, "row": row, "scan": scan})
    by_picture = slices.groupby("picture")
    elsewhere = slices["scan"] != by_picture["scan"].transform("first")
    return slices.assign(
        is_many=by_picture["row"].transform("size") > MOST_LISTED,
        stands=~pd.DataFrame({"picture": slices["picture"], "elsewhere": elsewhere}).duplicated(),
    )


def spread(found: pd.DataFrame, a: pd.DataFrame, b: pd.DataFrame, *, reach_all: bool) -> pd.DataFrame:
    """Turn pairs of pictures into pairs of the slices that show them, of different scans.

    Args:
        found: columns `picture_a`, `picture_b`, and any others.
        a: the slices that show the first pictures, from `tabulate_slices`.
        b: the slices that show the second ones.
        reach_all: whether of pictures with many slices each slice gets a pair, or the first ones alone.

    Returns:
        The other columns of `found`, and `a` and `b`, rows.
    """
    import pandas as pd

    crowded = {*a.loc[a["is_many"], "picture"], *b.loc[b["is_many"], "picture"]}
    is_large = found["picture_a"].isin(crowded) | found["picture_b"].isin(crowded)
    few, large = found[~is_large], found[is_large]
    first_a, first_b = a[a["stands"]], b[b["stands"]]
    if reach_all:
        by_a = _joined(large, first_a, b).drop_duplicates(["picture_a", "b"])
        by_b = _joined(large, a, first_b).drop_duplicates(["a", "picture_b"])
        parts = [_joined(few, a, b), by_a, by_b]
    else:
        parts = [_joined(few, a, b), _joined(large, first_a, first_b).drop_duplicates(["picture_a", "picture_b"])]
    return pd.concat(parts, ignore_index=True).drop(columns=["picture_a", "picture_b"])


def _joined(found: pd.DataFrame, a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    first = a.rename(columns={"picture": "picture_a", "row": "a", "scan": "scan_a"})
    second = b.rename(columns={"picture": "picture_b", "row": "b", "scan": "scan_b"})
    joined = found.merge(first[["picture_a", "a", "scan_a"]], on="picture_a")
    joined = joined.merge(second[["picture_b", "b", "scan_b"]], on="picture_b")
    return joined[joined["scan_a"] != joined["scan_b"]].drop(columns=["scan_a", "scan_b"])
