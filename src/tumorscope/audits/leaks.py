"""What stands on both sides: twins across a split, twins with contradicting labels, one set inside another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.audits.probes import labels_agree
from tumorscope.catalog.groups import Union, twin_roots
from tumorscope.catalog.table import slice_names
from tumorscope.twins.identical import MOST_LISTED, number_pictures

if TYPE_CHECKING:
    import pandas as pd

    from tumorscope.catalog.table import Catalog

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Sides:
    """The two sides of the split that an audit looks at.

    Attributes:
        train: for each row, whether it is trained on.
        test: for each row, whether it is tested on.
        split: 'published' where the data set has a test part of its own, else 'random'.
    """

    train: Rows
    test: Rows
    split: str


@dataclass(frozen=True)
class Leaks:
    """Which test slices are known from training.

    Attributes:
        exact: for each row, whether it is a test slice with an exact twin in training.
        near: the same for any twin, exact ones included.
        group: the same for any slice of its group (its patient, its fold, its twins).
    """

    exact: Rows
    near: Rows
    group: Rows


def published_sides(table: pd.DataFrame) -> Sides | None:
    """Return the sides that the data set publishes, or None where it has no training or no test part.

    Where only a validation part is published, that is the test part.
    """
    official = table["official"].to_numpy(str)
    train = official == "train"
    test = official == ("test" if (official == "test").any() else "val")
    return Sides(train, test, "published") if train.any() and test.any() else None


def agreed_pairs(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs whose slices stand in one set of twins.

    The others only look alike: the atlas knows the two as different slices, neighbors of one patient mostly.
    """
    twins = twin_roots(table)
    agreed: pd.DataFrame = pairs[twins[pairs["a"].to_numpy(int)] == twins[pairs["b"].to_numpy(int)]]
    return agreed.reset_index(drop=True)


def find_leaks(table: pd.DataFrame, pairs: pd.DataFrame, sides: Sides) -> Leaks:
    """Find the test slices that stand in training too, by twin and by group.

    Args:
        table: a catalog's rows.
        pairs: its twins, as rows `a` and `b` and their `kind`.
        sides: the split.
    """
    is_exact = pairs["kind"].to_numpy(str) == "exact"
    picture = _pictures(pairs[is_exact], len(table))
    trained = _marked(picture[sides.train], len(table))
    beside = trained.copy()
    a, b = (picture[pairs[~is_exact][side].to_numpy(int)] for side in "ab")
    beside[a[trained[b]]] = beside[b[trained[a]]] = True
    known = set(table["group"].to_numpy(str)[sides.train])
    return Leaks(
        exact=sides.test & trained[picture],
        near=sides.test & beside[picture],
        group=sides.test & table["group"].isin(known).to_numpy(),
    )


def leak_facts(table: pd.DataFrame, sides: Sides, leaks: Leaks) -> dict[str, Any]:
    """Return the `leaks` of ``audit.json``: counts of test images, whole and by class."""
    tests, near = table["label"][sides.test].value_counts(), table["label"][leaks.near].value_counts()
    names = sorted(tests.index)
    return {
        "split": sides.split,
        "train_images": int(sides.train.sum()),
        "test_images": int(sides.test.sum()),
        "exact": int(leaks.exact.sum()),
        "near": int(leaks.near.sum()),
        "group": int(leaks.group.sum()),
        "by_class": {name: int(near.get(name, 0)) for name in names},
        "exact_by_class": {name: int((table["label"][leaks.exact] == name).sum()) for name in names},
        "group_by_class": {name: int((table["label"][leaks.group] == name).sum()) for name in names},
        "test_by_class": {name: int(tests[name]) for name in names},
    }


def conflicting(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs whose labels contradict each other; `tumor` contradicts no tumor class."""
    labels = table["label"].to_numpy(str)
    return pairs[~labels_agree(labels[pairs["a"].to_numpy(int)], labels[pairs["b"].to_numpy(int)])]


def label_conflicts(table: pd.DataFrame, pairs: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the `label_conflicts` of ``audit.json``: the contradicting pairs with both labels."""
    differ = conflicting(table, pairs)
    labels = table["label"].to_numpy(str)
    named = pairs_by_path(differ, table).assign(
        label_a=labels[differ["a"].to_numpy(int)], label_b=labels[differ["b"].to_numpy(int)]
    )
    return [{str(key): value for key, value in row.items()} for row in named.to_dict("records")]


def with_twin(pairs: pd.DataFrame, count: int) -> Rows:
    """Return for each of `count` rows whether it has a twin at all."""
    return _marked(pairs["a"], count) | _marked(pairs["b"], count)


def twin_facts(table: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, Any]:
    """Count the twins of a catalog: pairs by kind and by transform, and the slices that a copy could stand in for.

    Of a large set ``pairs.csv`` lists fewer pairs than are counted here (see `listed_pairs`).
    """
    sizes = np.unique(twin_roots(table), return_counts=True)[1]
    kinds = pairs["kind"].value_counts()
    return {
        "pairs": len(pairs),
        "exact_pairs": int(kinds.get("exact", 0)),
        "slices_with_a_twin": int(with_twin(pairs, len(table)).sum()),
        "redundant": int((table["twin_of"] != "").sum()),
        "listed_whole_up_to": MOST_LISTED,
        "groups_listed_as_stars": int((sizes > MOST_LISTED).sum()),
        "transforms": {str(name): int(n) for name, n in pairs["transform"].value_counts().sort_index().items()},
    }


def overlap_facts(data: Catalog, other: Catalog, pairs: pd.DataFrame) -> dict[str, Any]:
    """Say how much of `other` stands in `data`, whole and by class of `other`.

    Args:
        data: the catalog that is audited.
        other: the set that may stand in it.
        pairs: twins, `a` in `data` and `b` in `other`.
    """
    count = len(other.table)
    near = _marked(pairs["b"], count)
    exact = _marked(pairs["b"][pairs["kind"] == "exact"], count)
    assert data.prints is not None
    picture, official = number_pictures(data.prints.digests), data.table["official"].to_numpy(str)
    shown = picture[pairs["a"].to_numpy(int)]  # of many identical slices not all are paired

    def near_in(part: str) -> int:
        return int(_marked(pairs["b"][np.isin(shown, picture[official == part])], count).sum())

    labels = other.table["label"].to_numpy(str)
    return {
        "images": count,
        "exact": int(exact.sum()),
        "near": int(near.sum()),
        "near_in_train": near_in("train"),
        "near_in_test": near_in("test"),
        "by_class": {
            name: {
                "images": int((labels == name).sum()),
                "exact": int((exact & (labels == name)).sum()),
                "near": int((near & (labels == name)).sum()),
            }
            for name in sorted(set(labels))
        },
        "other_label": _renamed(data.table["label"].to_numpy(str), labels, pairs),
        "unreadable": len(other.unreadable),
    }


def pairs_by_path(pairs: pd.DataFrame, first: pd.DataFrame, second: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return pairs of row numbers as ``pairs.csv`` has them: paths, kind, similarity, transform.

    Where the rows come from several data sets, `dataset_a` and `dataset_b` follow.

    Args:
        pairs: as `find_twins` returns them.
        first: the table that `a` counts in.
        second: the table that `b` counts in, when it is another one.
    """
    other = first if second is None else second
    a, b = first.iloc[pairs["a"].to_numpy(int)], other.iloc[pairs["b"].to_numpy(int)]
    named = pairs.assign(a=slice_names(a), b=slice_names(b))
    named = named.assign(similarity=named["similarity"].astype(float).round(4))
    columns = ["a", "b", "kind", "similarity", "transform"]
    if second is not None or first["dataset"].nunique() > 1:
        named = named.assign(dataset_a=a["dataset"].to_numpy(), dataset_b=b["dataset"].to_numpy())
        columns += ["dataset_a", "dataset_b"]
    return named[columns].reset_index(drop=True)


def _pictures(exact: pd.DataFrame, count: int) -> NDArray[np.int64]:
    """Return for each of `count` rows the first of the same picture: of many identical ones not all are paired."""
    same = Union([None] * count)
    for a, b in zip(exact["a"].tolist(), exact["b"].tolist(), strict=True):
        same.join(a, b)
    return same.roots()


def _marked(rows: NDArray[np.int64] | pd.Series[int], count: int) -> Rows:
    out = np.zeros(count, bool)
    out[np.asarray(rows, int)] = True
    return out


def _renamed(ours: NDArray[np.str_], theirs: NDArray[np.str_], pairs: pd.DataFrame) -> int:
    """Count the slices of the other set whose twin in ours carries a contradicting label."""
    a, b = pairs["a"].to_numpy(int), pairs["b"].to_numpy(int)
    return len(set(b[~labels_agree(ours[a], theirs[b])]))
