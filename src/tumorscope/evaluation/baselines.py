"""The baselines under every figure: what copying scores on the evaluated slices, and what the file alone gives away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.audits.probes import copy_baseline, labels_agree, score_answers, source_probe
from tumorscope.catalog import Catalog
from tumorscope.evaluation.overlap import read_prints

Rows = NDArray[np.bool_]
DIGITS = 6


@dataclass(frozen=True)
class Baseline:
    """Answers of a method that understands nothing.

    Attributes:
        right: for each evaluated slice 1, 0, or NaN where it was not tried.
        note: how it was measured, or why it could not be.
    """

    right: NDArray[np.float64]
    note: str

    def to_json(
        self, labels: NDArray[np.str_], clusters: NDArray[np.str_], rows: Rows | None = None, *, seed: int = 0
    ) -> dict[str, Any]:
        """Return accuracy, n, interval, the share of the commonest label and the note, over all slices or `rows`."""
        return score_answers(self.right, labels, clusters, self.note, rows, seed=seed).to_json(DIGITS)


@dataclass(frozen=True)
class Baselines:
    """What every figure has to beat: what copying scores on the same slices, and what file properties score."""

    copies: Baseline
    sources: Baseline


def copied_labels(
    catalog: Catalog, rows: NDArray[np.int64], trained: Rows, prints_of_training: str, seed: int
) -> Baseline:
    """Give each evaluated slice the label of the training slice that looks most like it.

    Args:
        catalog: with fingerprints.
        rows: the evaluated ones.
        trained: which rows of the catalog the model was trained on; where there are any, they are the training slices.
        prints_of_training: as packed in the model file, used where no training slice is in the catalog.
        seed: of the choice of slices where there are too many.
    """
    if catalog.prints is None:
        return _unknown(len(rows), "the catalog has no fingerprints")
    labels = catalog.table["label"].to_numpy(str)
    if trained.any():
        thumbs, note = catalog.prints.thumbs, "the nearest of the training slices on 64x64 thumbnails"
        sides = (thumbs[trained], labels[trained].tolist(), thumbs[rows], labels[rows].tolist())
        score = copy_baseline(*sides, seed=seed, note=note)
        return Baseline(score.right, score.note)
    packed = read_prints(prints_of_training)
    if packed is None:
        return _unknown(
            len(rows), "the model file carries no fingerprints of its training slices that can be read here"
        )
    from tumorscope.twins.search import compact_baseline_labels

    copied = compact_baseline_labels(catalog.prints.take(rows), *packed)
    note = "the nearest of the training slices by the 8x8 thumbnails in the model file, hence approximate"
    return Baseline(labels_agree(copied, labels[rows]).astype(np.float64), note)


def labels_by_source(catalog: Catalog, rows: NDArray[np.int64], seed: int) -> Baseline:
    """Tell the labels of the evaluated slices by properties of their files alone, in cross-validation."""
    from tumorscope.audits.properties import file_properties

    if catalog.prints is None:
        return _unknown(len(rows), "the catalog has no fingerprints")
    table = catalog.table.iloc[rows].reset_index(drop=True)
    features = file_properties(table, catalog.prints.thumbs[rows])
    score = source_probe(features, table["label"].tolist(), table["group"].to_numpy(str), seed=seed)
    return Baseline(score.right if score.n else np.full(len(rows), np.nan), score.note)


def _unknown(count: int, note: str) -> Baseline:
    return Baseline(np.full(count, np.nan), f"not measurable: {note}")
