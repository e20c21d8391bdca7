"""Two floors under every reported accuracy: what a copy machine gets, and what the file alone gives away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorscope.statistics import estimate
from tumorscope.statistics.bootstrap import cluster_codes
from tumorscope.statistics.metrics import share
from tumorscope.tasks.threads import cores, side_by_side

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
BLOCK = 512
"""Test thumbnails compared at once: a block of distances to 10,000 training slices takes 20 MB."""
LARGEST_GROUP = 0.8
"""Where one group holds a larger share of a class, a fold that tests it has too little to learn that class from."""
CANDIDATES = 4
"""Neighbors found in float32 whose distances are then counted exactly."""
MAX_COMPARISONS = 100_000_000
"""Above this many thumbnail pairs a random part of the test slices is taken, and the note says so."""
COARSE = "tumor"
NO_TUMOR = ("notumor", "lesion")

Thumbs = NDArray[np.uint8]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """An accuracy with its sample size and 95% interval.

    Attributes:
        accuracy: share of right answers, or None where it cannot be measured (`note` says why).
        n: slices it was measured on.
        interval: 95% bounds, from a bootstrap over clusters; None where these are too few to say.
        majority: what always naming the commonest label would score on the same slices.
        note: how it was measured, in words.
        right: for each slice that was given 1 or 0, or NaN where it was not tried.
    """

    accuracy: float | None
    n: int
    interval: tuple[float, float] | None
    majority: float | None
    note: str
    right: Floats = field(default_factory=lambda: np.zeros(0), repr=False)

    def to_json(self, digits: int = 4) -> dict[str, Any]:
        """Return the score as plain data, rounded."""
        return {
            "accuracy": None if self.accuracy is None else round(self.accuracy, digits),
            "n": self.n,
            "interval": None if self.interval is None else [round(bound, digits) for bound in self.interval],
            "majority": None if self.majority is None else round(self.majority, digits),
            "note": self.note,
        }


def score_answers(
    right: Floats, labels: ArrayLike, clusters: ArrayLike, note: str, among: Bools | None = None, *, seed: int = 0
) -> Score:
    """Count answers, over all slices or part of them.

    Args:
        right: ``(n,)``: 1, 0, or NaN where a slice was not tried.
        labels: str ``(n,)``.
        clusters: ``(n,)``, what the bootstrap resamples.
        note: how it was measured.
        among: bool ``(n,)``, the slices that count; all when None.
        seed: of the bootstrap.
    """
    tried = ~np.isnan(right) if among is None else among & ~np.isnan(right)
    if not tried.any():
        return Score(None, 0, None, None, note, right)
    figure = estimate([share("accuracy", right == 1, tried)], clusters, seed=seed)["accuracy"]
    _, counts = np.unique(np.asarray(labels)[tried], return_counts=True)
    return Score(figure.value, figure.n, figure.interval, float(counts.max() / tried.sum()), note, right)


def copy_baseline(
    train_thumbs: Thumbs,
    train_labels: Sequence[str],
    test_thumbs: Thumbs,
    test_labels: Sequence[str],
    clusters: ArrayLike | None = None,
    *,
    seed: int = 0,
    note: str = "training to test",
) -> Score:
    """Measure a 1-nearest-neighbor: each test slice gets the label of the training slice that looks most like it.

    It understands nothing, so what it scores is what copies and near copies are worth. A model has to be better.

    Args:
        train_thumbs: uint8 ``(n, 64, 64)`` gray.
        train_labels: their labels.
        test_thumbs: uint8 ``(m, 64, 64)`` gray.
        test_labels: their labels; a coarse `tumor` is met by any tumor class.
        clusters: what the bootstrap resamples, one a test slice; each slice by itself when None.
        seed: of the bootstrap.
        note: what was compared with what.
    """
    if not len(train_thumbs) or not len(test_thumbs):
        return Score(None, 0, None, None, "no slices to compare")
    rows = _sample(len(test_thumbs), len(train_thumbs), seed)
    nearest = nearest_neighbors(train_thumbs, test_thumbs[rows])
    right = np.full(len(test_thumbs), np.nan)
    right[rows] = labels_agree(np.asarray(train_labels)[nearest], np.asarray(test_labels)[rows])
    note = note if len(rows) == len(test_thumbs) else f"{note}, a random {len(rows):,} of {len(test_thumbs):,} slices"
    return score_answers(right, test_labels, _clusters(clusters, len(test_thumbs)), note, seed=seed)


def copy_baseline_folds(
    thumbs: Thumbs, labels: Sequence[str], clusters: ArrayLike | None = None, *, seed: int = 0
) -> Score:
    """Measure the copy baseline where no split is published: random five-fold cross-validation, copies left in."""
    if len(thumbs) < 2:
        return Score(None, 0, None, None, "too few slices")
    names, count = np.asarray(labels), len(thumbs)
    fold = np.random.default_rng(seed).permutation(count) % min(FOLDS, count)
    answers = np.empty(count, object)
    rows = _sample(count, count, seed)
    for k in range(int(fold.max()) + 1):
        test, train = rows[fold[rows] == k], np.flatnonzero(fold != k)
        if len(test):
            answers[test] = names[train[nearest_neighbors(thumbs[train], thumbs[test])]]
    right = np.full(count, np.nan)
    right[rows] = labels_agree(answers[rows].astype(str), names[rows])
    note = "random five-fold cross-validation, since no test part is published"
    return score_answers(right, names, _clusters(clusters, count), note, seed=seed)


def nearest_neighbors(train: NDArray[np.uint8], test: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return for each test thumbnail the index of the nearest training one (Euclidean; of equal ones the first)."""
    flat_train = train.reshape(len(train), -1)
    flat_test = test.reshape(len(test), -1)
    columns = flat_train.astype(np.float32) - 128.0
    squares = np.einsum("ij,ij->i", columns, columns)
    count = min(CANDIDATES, len(train))
    nearest = np.empty(len(test), np.int64)
    for start in range(0, len(test), BLOCK):
        block = flat_test[start : start + BLOCK]
        ranks = squares - 2.0 * ((block.astype(np.float32) - 128.0) @ columns.T)
        found = np.sort(np.argpartition(ranks, count - 1, axis=1)[:, :count], axis=1)
        exact = _squared_distances(flat_train[found], block)
        nearest[start : start + BLOCK] = np.take_along_axis(found, exact.argmin(axis=1)[:, None], axis=1)[:, 0]
    return nearest


def source_probe(
    features: pd.DataFrame,
    labels: Sequence[str],
    groups: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    seed: int = 0,
) -> Score:
    """Measure how well properties of the file alone predict the label, without looking at any anatomy.

    Gradient boosting in cross-validation that cuts no group. Far above `majority`, the labels come from different
    sources, and a model can score by telling the sources apart.

    Args:
        features: one row a slice, as `file_properties` returns it.
        labels: their labels.
        groups: what must not stand on two sides of a fold.
        clusters: what the bootstrap resamples; the groups when None.
        seed: of the folds and the bootstrap.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    names, sides = np.asarray(labels), cluster_codes(groups)
    folds = _possible_folds(names, sides)
    if folds < 2:
        return Score(None, 0, None, None, "not measurable: a class has a single group, or there is a single class")
    if lumped := _lumped(names, sides):
        return Score(None, 0, None, None, f"not measurable: nearly all slices of '{lumped}' are of one group")
    values = features.to_numpy(np.float32)
    right = np.full(len(names), np.nan)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    parts = [(train, test) for train, test in splitter.split(values, names, sides) if len(set(names[train])) > 1]

    def answer(part: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.str_]:
        train, test = part
        probe = HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.15, max_leaf_nodes=15, max_bins=64, early_stopping=False, random_state=seed
        )
        with threadpool_limits(1, user_api="openmp"):  # trees this small lose more to waiting threads than they gain
            return np.asarray(probe.fit(values[train], names[train]).predict(values[test]))

    for (_, test), answers in side_by_side(answer, parts, cores()):
        right[test] = labels_agree(answers, names[test])
    where = groups if clusters is None else clusters
    note = f"gradient boosting on file properties, {folds}-fold cross-validation that cuts no group"
    return score_answers(right, names, where, note, seed=seed)


def labels_agree(given: ArrayLike, truth: ArrayLike) -> NDArray[np.bool_]:
    """Tell where two arrays of labels agree; the coarse label `tumor` agrees with every tumor class."""
    a, b = np.asarray(given).astype(str), np.asarray(truth).astype(str)
    tumor_a, tumor_b = ~np.isin(a, NO_TUMOR), ~np.isin(b, NO_TUMOR)
    coarse = (a == COARSE) | (b == COARSE)
    agree: NDArray[np.bool_] = (a == b) | (coarse & tumor_a & tumor_b)
    return agree


def _sample(tests: int, trains: int, seed: int) -> NDArray[np.int64]:
    most = max(1, MAX_COMPARISONS // max(1, trains))
    if tests <= most:
        return np.arange(tests)
    return np.sort(np.random.default_rng(seed).choice(tests, most, replace=False))


def _squared_distances(candidates: NDArray[np.uint8], block: NDArray[np.uint8]) -> NDArray[np.int64]:
    out = np.empty(candidates.shape[:2], np.int64)
    for i in range(candidates.shape[1]):  # one candidate at a time keeps the difference small in memory
        difference = candidates[:, i].astype(np.int32) - block
        out[:, i] = np.einsum("ij,ij->i", difference, difference, dtype=np.int64)
    return out


def _clusters(clusters: ArrayLike | None, count: int) -> ArrayLike:
    return np.arange(count) if clusters is None else clusters


def _lumped(labels: NDArray[np.str_], groups: NDArray[np.int64]) -> str:
    """Return a class of which one group holds nearly everything, or ''."""
    for name in np.unique(labels):
        of_class = groups[labels == name]
        if np.bincount(of_class).max() > LARGEST_GROUP * len(of_class):
            return str(name)
    return ""


def _possible_folds(labels: NDArray[np.str_], groups: NDArray[np.int64]) -> int:
    names = np.unique(labels)
    if len(names) < 2:
        return 0
    return min(FOLDS, *(len(np.unique(groups[labels == name])) for name in names))
