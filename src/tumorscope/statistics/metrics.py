"""Metrics as pure functions of arrays. Each takes row weights, so that one piece of code gives value and bootstrap.

A `Measure` is built once from the arrays of a set (sorting and comparing happen there); `compute` then maps weights
``(b, n)``, how often each of b resamples drew each of n rows, to ``(b,)`` values. A value that a resample does not
define (no positive was drawn) is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]

BINS = 15
"""Of confidence, of equal width."""


@dataclass(frozen=True)
class Measure:
    """One metric of one set.

    Attributes:
        name: its key in metrics.json.
        parts: bool ``(n,)`` each: the rows it counts; two or more where each side must have rows (AUC), or where shares
            of several parts are averaged.
        compute: weights ``(b, n)`` -> ``(b,)``.
        is_biased: whether resamples give larger values than the set itself does, as with absolute gaps.
    """

    name: str
    parts: tuple[Bools, ...]
    compute: Callable[[Floats], Floats]
    is_biased: bool = False

    @property
    def rows(self) -> Bools:
        """The rows that count, ``(n,)``."""
        rows: Bools = np.logical_or.reduce(self.parts)
        return rows

    @property
    def n(self) -> int:
        """How many rows count."""
        return int(self.rows.sum())

    @property
    def value(self) -> float:
        """The metric on the set itself; NaN where a part has no rows."""
        if not all(part.any() for part in self.parts):
            return float("nan")
        return float(self.compute(np.ones((1, len(self.rows))))[0])


def share(name: str, hits: ArrayLike, among: Bools) -> Measure:
    """Return the share of the rows `among` that are `hits`: accuracy, sensitivity, specificity, coverage."""
    return mean(name, np.asarray(hits, np.float64), among)


def mean(name: str, values: Floats, among: Bools) -> Measure:
    """Return the mean of `values` over the rows `among`."""
    return ratio(name, np.where(among, values, 0.0), among.astype(np.float64), among)


def ratio(name: str, top: Floats, bottom: Floats, rows: Bools) -> Measure:
    """Return the ratio of two sums over rows: precision, F1 (``2 tp / (2 tp + fp + fn)``)."""
    columns = np.column_stack([top, bottom]).astype(np.float64)
    return Measure(name, (rows,), lambda weights: _divide(*(weights @ columns).T))


def precision(name: str, called: Bools, positive: Bools, rows: Bools) -> Measure:
    """Return how often a call is right, among the `rows` that were called."""
    return share(name, positive, rows & called)


def f1(name: str, called: Bools, positive: Bools, rows: Bools) -> Measure:
    """Return the harmonic mean of precision and recall over `rows`."""
    hits = 2.0 * (called & positive & rows)
    measure = ratio(name, hits, (called & rows).astype(float) + (positive & rows), rows)
    return Measure(name, (positive & rows,), measure.compute)


def balanced_accuracy(name: str, right: Bools, strata: Sequence[Bools]) -> Measure:
    """Return the mean over `strata` (the rows of each label) of the share that is right."""
    return average(name, [share(name, right, stratum) for stratum in strata])


def average(name: str, measures: Sequence[Measure]) -> Measure:
    """Return the mean of several measures; one that a resample does not define is left out there."""

    def compute(weights: Floats) -> Floats:
        values = np.stack([measure.compute(weights) for measure in measures])
        defined = ~np.isnan(values)
        return _divide(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0).astype(float))

    return Measure(name, tuple(part for measure in measures for part in measure.parts), compute)


def auc(name: str, scores: Floats, positive: Bools, rows: Bools) -> Measure:
    """Return the area under the ROC curve: how often a positive scores above a negative, ties counting half."""
    sides = _by_score(scores, positive, rows)

    def compute(weights: Floats) -> Floats:
        above, below = sides(weights)
        lower = np.cumsum(below, axis=1) - 0.5 * below
        return _divide((above * lower).sum(axis=1), above.sum(axis=1) * below.sum(axis=1))

    return Measure(name, (positive & rows, ~positive & rows), compute)


def average_precision(name: str, scores: Floats, positive: Bools, rows: Bools) -> Measure:
    """Return the area under the precision-recall curve as a step function, as scikit-learn does."""
    sides = _by_score(scores, positive, rows)

    def compute(weights: Floats) -> Floats:
        above, below = (side[:, ::-1] for side in sides(weights))
        found = np.cumsum(above, axis=1)
        precisions = _divide(found, found + np.cumsum(below, axis=1), empty=0.0)
        return _divide((above * precisions).sum(axis=1), found[:, -1])

    return Measure(name, (positive & rows, ~positive & rows), compute)


def sensitivity_at(name: str, scores: Floats, positive: Bools, rows: Bools, specificity: float) -> Measure:
    """Return the sensitivity at the lowest threshold whose specificity, on the same rows, is at least `specificity`."""
    sides = _by_score(scores, positive, rows)

    def compute(weights: Floats) -> Floats:
        above, below = sides(weights)
        total = below.sum(axis=1, keepdims=True)
        kept = np.cumsum(below, axis=1) >= specificity * total - 1e-9
        last_refused = np.where(kept.any(axis=1), kept.argmax(axis=1), kept.shape[1] - 1)
        missed = np.take_along_axis(np.cumsum(above, axis=1), last_refused[:, None], axis=1)[:, 0]
        value = 1 - _divide(missed, above.sum(axis=1))
        return np.where(total[:, 0] > 0, value, np.nan)

    return Measure(name, (positive & rows, ~positive & rows), compute)


def predictive_value(
    name: str, called: Bools, positive: Bools, rows: Bools, prevalence: float, *, of: bool = True
) -> Measure:
    """Return the predictive value that sensitivity and specificity give at a prevalence, by Bayes' rule.

    Args:
        name: its key.
        called: whether each row was called positive.
        positive: whether it is.
        rows: which count.
        prevalence: share of positives among those who would be examined.
        of: True for a positive call (PPV), False for a negative one (NPV).
    """
    sensitivity = share("", called, positive & rows)
    specificity = share("", ~called, ~positive & rows)

    def compute(weights: Floats) -> Floats:
        found, spared = sensitivity.compute(weights), specificity.compute(weights)
        if of:
            right, wrong = prevalence * found, (1 - prevalence) * (1 - spared)
        else:
            right, wrong = (1 - prevalence) * spared, prevalence * (1 - found)
        return _divide(right, right + wrong)

    return Measure(name, (positive & rows, ~positive & rows), compute)


def calibration_error(name: str, confidence: Floats, right: Bools, rows: Bools, bins: int = BINS) -> Measure:
    """Return the mean gap between confidence and accuracy over `bins` bins of equal width (Guo et al., 2017)."""
    columns = np.zeros((len(rows), bins))
    gaps = np.where(rows, right.astype(np.float64) - confidence, 0.0)
    columns[np.arange(len(rows)), confidence_bins(confidence, bins)] = gaps
    counted = rows.astype(np.float64)

    def compute(weights: Floats) -> Floats:
        return _divide(np.abs(weights @ columns).sum(axis=1), weights @ counted)

    return Measure(name, (rows,), compute, is_biased=True)


def confidence_bins(confidence: Floats, bins: int = BINS) -> NDArray[np.int64]:
    """Return the number of the bin of each confidence, ``(n,)``; bins are closed above, as in Guo et al."""
    return np.clip(np.ceil(np.asarray(confidence, np.float64) * bins).astype(np.int64) - 1, 0, bins - 1)


def _by_score(scores: Floats, positive: Bools, rows: Bools) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return a function from weights to the weight of positives and of negatives at each distinct score, rising."""
    chosen = np.flatnonzero(rows)
    order = chosen[np.argsort(np.asarray(scores)[chosen], kind="stable")]
    ranked = np.asarray(scores)[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else np.zeros(0, np.int64)
    side = positive[order].astype(np.float64)

    def sides(weights: Floats) -> tuple[Floats, Floats]:
        drawn = weights[:, order]
        above = drawn * side
        if len(starts) == len(order):
            return above, drawn - above
        return np.add.reduceat(above, starts, axis=1), np.add.reduceat(drawn - above, starts, axis=1)

    return sides


def _divide(top: Floats, bottom: Floats, empty: float = np.nan) -> Floats:
    out = np.full(np.broadcast(top, bottom).shape, empty)
    np.divide(top, bottom, out=out, where=np.asarray(bottom) > 0)
    return out
