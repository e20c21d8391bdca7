"""The floors under every figure: what copying scores on the evaluated slices, and what the file alone gives away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.audits.probes import Score, copy_baseline, labels_agree, source_probe
from tumorscope.catalog import Catalog
from tumorscope.evaluation.bootstrap import estimate
from tumorscope.evaluation.metrics import share
from tumorscope.evaluation.overlap import read_prints

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Floor:
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
        among = ~np.isnan(self.right) if rows is None else rows & ~np.isnan(self.right)
        found = estimate([share("accuracy", self.right == 1, among)], clusters, seed=seed) if among.any() else {}
        if "accuracy" not in found:
            return {"accuracy": None, "n": 0, "interval": None, "majority": None, "note": self.note}
        figure, counts = found["accuracy"], np.unique(labels[among], return_counts=True)[1]
        return {
            "accuracy": round(figure.value, 6),
            "n": figure.n,
            "interval": None if figure.interval is None else [round(bound, 6) for bound in figure.interval],
            "majority": round(float(counts.max() / among.sum()), 6),
            "note": self.note,
        }


def copy_floor(catalog: Catalog, rows: NDArray[np.int64], trained: Rows, prints_of_training: str, seed: int) -> Floor:
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
        return _floor(score, len(rows))
    packed = read_prints(prints_of_training)
    if packed is None:
        return _unknown(
            len(rows), "the model file carries no fingerprints of its training slices that can be read here"
        )
    from tumorscope.twins.search import compact_baseline_labels

    given = compact_baseline_labels(catalog.prints.take(rows), *packed)
    note = "the nearest of the training slices by the 8x8 thumbnails in the model file, hence approximate"
    return Floor(labels_agree(given, labels[rows]).astype(np.float64), note)


def source_floor(catalog: Catalog, rows: NDArray[np.int64], seed: int) -> Floor:
    """Tell the labels of the evaluated slices by properties of their files alone, in cross-validation."""
    from tumorscope.audits.properties import file_properties

    if catalog.prints is None:
        return _unknown(len(rows), "the catalog has no fingerprints")
    table = catalog.table.iloc[rows].reset_index(drop=True)
    features = file_properties(table, catalog.prints.thumbs[rows])
    score = source_probe(features, table["label"].tolist(), table["group"].to_numpy(str), seed=seed)
    return _floor(score, len(rows))


def _floor(score: Score, count: int) -> Floor:
    right = np.full(count, np.nan)
    right[score.rows] = score.right
    return Floor(right, score.note)


def _unknown(count: int, note: str) -> Floor:
    return Floor(np.full(count, np.nan), f"not measurable: {note}")
