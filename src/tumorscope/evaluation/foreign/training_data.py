"""Data to evaluate a foreign model on, beside what its owner says that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorscope.catalog import Catalog, add_groups, build_catalog
from tumorscope.catalog.benchmark import assign_benchmark
from tumorscope.catalog.parts import is_benchmark
from tumorscope.evaluation.overlap import FITTED_ON
from tumorscope.evaluation.selection import Part, choose_part
from tumorscope.progress import Progress
from tumorscope.scans import Channels

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Given:
    """What a model is put to.

    Attributes:
        catalog: the data, with groups; where a folder of training data is named, its slices too.
        part: which of these are evaluated.
        trained_on: a catalog with ``split`` and ``group`` that tells what was trained on; None where nobody knows.
        stated: the same in words.
    """

    catalog: Catalog
    part: Part
    trained_on: pd.DataFrame | None = None
    stated: str = ""


def with_training_data(
    data: Sequence[str | Path], named: str | None, split: str, channels: Channels, progress: Progress | None
) -> Given:
    """Read data, and what a model was trained on, into one catalog, so that twins and patients are found across both.

    Args:
        data: DATA to evaluate on.
        named: a folder, of which every slice counts as trained on; a CSV, of which those count whose ``split`` is not
            'test'; ``benchmark:NAME``, whose training and validation parts count; or None.
        split: which part of `data` is evaluated.
        channels: 'one' or 'all'.
        progress: told how far it is.

    Raises:
        CatalogError: data that have no known layout.
        UsageError: an unknown split or benchmark.
    """
    from_folder = named is not None and not is_benchmark(named)
    items = [*data, str(named)] if from_folder else list(data)
    built = build_catalog(items, channels=channels, progress=progress)
    theirs = (built.table["dataset"] == list(built.roots)[-1]).to_numpy() if from_folder else _none(built)
    catalog = add_groups(built, progress=progress)
    part = _part(catalog, split, ~theirs)
    if named is None:
        return Given(catalog, part)
    if from_folder:
        trained = theirs & (catalog.table["official"] != "test").to_numpy() if _is_csv(named) else theirs
        table = catalog.table.assign(split=np.where(trained, FITTED_ON[0], ""))
        return Given(catalog, part, table, f"{int(trained.sum()):,} slices of {Path(named).name}")
    table = assign_benchmark(catalog, named).table
    return Given(catalog, part, table, f"the training and validation parts of {named}")


def _part(catalog: Catalog, split: str, own: Rows) -> Part:
    """Choose a part among the data alone."""
    marked = assign_benchmark(catalog, split) if is_benchmark(split) else catalog
    found = choose_part(replace(marked, table=marked.table[own]), split)
    rows, trained = np.zeros((2, len(own)), bool)
    rows[own], trained[own] = found.rows, found.trained
    return replace(found, rows=rows, trained=trained)


def _is_csv(named: str) -> bool:
    return Path(named).suffix.lower() == ".csv"


def _none(catalog: Catalog) -> Rows:
    return np.zeros(len(catalog.table), bool)
