"""Which slices of a catalog are put to a model: a part of its split, and of that what the classes can express."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog import Catalog, cover_matrix
from tumorscope.catalog.parts import is_benchmark
from tumorscope.errors import CatalogError, UsageError
from tumorscope.model_file import Card
from tumorscope.words import LESION

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """A part of a catalog.

    Attributes:
        name: as the user names it.
        words: the same for a reader.
        rows: bool ``(n,)``, which slices it has.
        trained: bool ``(n,)``, the training slices of the same split; none where there is no split.
    """

    name: str
    words: str
    rows: Rows
    trained: Rows


@dataclass(frozen=True)
class Selection:
    """The slices that are put to the model.

    Attributes:
        part: that they are chosen from.
        rows: positions in the catalog of those that count and of the lesions.
        counted: which of `rows` count.
        cover: bool ``(rows, classes)``.
    """

    part: Part
    rows: NDArray[np.int64]
    counted: Rows
    cover: Rows


def select(catalog: Catalog, card: Card, part: Part) -> Selection:
    """Choose the slices of a part whose labels the model knows, and the lesions, which are reported apart.

    Raises:
        CatalogError: nothing is left.
    """
    table = catalog.table
    cover = cover_matrix(table["label"], card.classes)
    counted: Rows = part.rows & cover.any(axis=1)
    if not counted.any():
        raise CatalogError(
            f"no slice has a label that the model knows ({', '.join(card.classes)})",
            file=", ".join(map(str, catalog.roots.values())),
            remedy="evaluate on data with these classes",
        )
    rows = np.flatnonzero(counted | (part.rows & (table["label"] == LESION).to_numpy()))
    return Selection(part, rows, counted[rows], cover[rows])


def choose_part(catalog: Catalog, split: str) -> Part:
    """Return a part of the catalog's split, or of the one that the set publishes.

    Args:
        catalog: of any data; with its split filled in for a benchmark (see `assign_benchmark`).
        split: 'test', 'val' or 'train'; 'all'; or ``benchmark:NAME``, which means its test part.

    Raises:
        UsageError: there is no such part.
        CatalogError: no slice of the data is in the benchmark's test part.
    """
    table = catalog.table
    everything = np.ones(len(table), bool)
    if split == "all":
        return Part(split, "all slices of the set", everything, ~everything)
    if is_benchmark(split):
        return _benchmark_part(catalog, split)
    if split not in ("train", "val", "test"):
        raise UsageError(f"'{split}' is no split", remedy="choose one of: test, val, train, all, benchmark:NAME")
    for column, words in (("split", "the {} part of the split"), ("official", "the published {} part")):
        rows = (table[column] == split).to_numpy()
        if rows.any():
            return Part("all" if rows.all() else split, words.format(split), rows, _is(table[column], "train", split))
    if split == "test":
        return Part("all", "all slices, since the set has no test part", everything, ~everything)
    raise UsageError(f"the data has no part '{split}'", remedy="choose one of: test, all")


def _benchmark_part(catalog: Catalog, split: str) -> Part:
    parts = catalog.table["split"]
    rows, unknown = (parts == "test").to_numpy(), int((parts == "").sum())
    if not rows.any():
        raise CatalogError(
            f"none of its {len(rows):,} slices is in the test part of {split} ({unknown:,} are unknown to it)",
            file=", ".join(map(str, catalog.roots.values())),
            remedy="give the set that the benchmark is of",
        )
    left = f"; {unknown:,} slices of the data are unknown to it and left out" if unknown else ""
    return Part(split, f"the test part of {split}{left}", rows, (parts == "train").to_numpy())


def _is(column: pd.Series[str], name: str, split: str) -> Rows:
    return (column == name).to_numpy() if name != split else np.zeros(len(column), bool)
