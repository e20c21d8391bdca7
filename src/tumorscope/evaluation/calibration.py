"""Probabilities that mean what they say, and the thresholds of a model. All of it is fitted on validation.

A label may cover several classes (see `cover` below): the probability of a row's label is the sum over what it covers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tumorscope.inference.decide import is_called, shown_numbers
from tumorscope.model_file import NOTUMOR, Thresholds

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]

TEMPERATURES = (0.5, 10.0)
"""A validation that is classified without error would ask for ever smaller temperatures; this is as far as it goes."""
SPECIFICITY = 0.95
MIN_SENSITIVITY = 0.8
"""The tumor threshold keeps this specificity on validation, unless that costs more than a fifth of the tumors."""
SMOOTHING = 0.5
"""Width, in logits, by which validation scores are blurred before the threshold is chosen: few slices lie near it, and
where both sides are far apart the middle of the gap serves a new hospital better than its edge."""
THRESHOLDS = (0.1, 0.9)
OUTLIER_QUANTILE = 0.99
COVERAGE = 0.95
MAX_CONFORMAL = 0.3
"""Above this a second likely class would never be named, however often the first is right on validation."""
ACCEPTED_ACCURACY = 0.99
MAX_ABSTAIN_SHARE = 0.10
ABSTAIN = (0.6, 0.9)
TINY = 1e-7


def fit_temperature(logits: Floats, cover: Bools) -> float:
    """Find the temperature under which the labels are likeliest (Guo et al., 2017, arXiv 1706.04599).

    Args:
        logits: ``(n, classes)``.
        cover: bool ``(n, classes)``, the classes that each label covers; rows that cover none or all are left out.

    Returns:
        What to divide the logits by, between 0.5 and 10; 1 where there is nothing to fit on.
    """
    from scipy.optimize import minimize_scalar

    useful = cover.any(axis=1) & ~cover.all(axis=1)
    if not useful.any():
        return 1.0
    z, covered = np.asarray(logits, np.float64)[useful], cover[useful]

    def loss(log_temperature: float) -> float:
        scaled = z / np.exp(log_temperature)
        return float(np.mean(_logsumexp(scaled) - _logsumexp(np.where(covered, scaled, -np.inf))))

    found = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def fit_thresholds(probabilities: Floats, outlier: Floats, cover: Bools, classes: Sequence[str]) -> Thresholds:
    """Choose a model's thresholds on its validation slices.

    Args:
        probabilities: ``(n, classes)``, temperature-scaled.
        outlier: ``(n,)`` distances in embedding space.
        cover: bool ``(n, classes)``.
        classes: their names, in order.
    """
    tumor = tumor_truth(cover, classes)
    known = ~np.isnan(tumor)
    scores, truth = shown_numbers(probabilities, classes)[1][known], tumor[known] > 0
    threshold = choose_tumor_threshold(scores, truth)
    return Thresholds(
        tumor=threshold,
        outlier=_upper_quantile(outlier, OUTLIER_QUANTILE),
        abstain=choose_abstain(scores, truth, threshold),
        conformal=choose_conformal(probabilities, cover),
        coverage=COVERAGE,
    )


def tumor_probability(probabilities: Floats, classes: Sequence[str]) -> NDArray[np.float64]:
    """Return the summed probability of the tumor classes, float64 ``(n,)``."""
    columns = [name != NOTUMOR for name in classes]
    summed: NDArray[np.float64] = np.asarray(probabilities, np.float64)[:, columns].sum(axis=1)
    return np.clip(summed, 0.0, 1.0)


def tumor_truth(cover: Bools, classes: Sequence[str]) -> NDArray[np.float64]:
    """Say of each label whether it is a tumor: 1, 0, or NaN where it covers both sides or nothing, ``(n,)``."""
    tumor_columns = np.array([name != NOTUMOR for name in classes])
    tumor, free = cover[:, tumor_columns].any(axis=1), cover[:, ~tumor_columns].any(axis=1)
    return np.where(tumor == free, np.nan, tumor.astype(np.float64))


def choose_tumor_threshold(scores: Floats, truth: Bools) -> float:
    """Choose from which tumor probability on a slice is called a tumor.

    The threshold with the largest sum of sensitivity and specificity (Youden, 1950) among those whose specificity is at
    least 0.95, on scores blurred by half a logit. Where these all miss more than a fifth of the tumors, among all.

    Args:
        scores: tumor probabilities ``(n,)``.
        truth: whether it is a tumor ``(n,)``.

    Returns:
        Between 0.1 and 0.9; 0.5 where one side is missing.
    """
    if truth.all() or not truth.any():
        return 0.5
    grid = np.linspace(_logit(THRESHOLDS[0]), _logit(THRESHOLDS[1]), 201)
    logits = _logit(scores)
    sensitivity = 1 - _blurred_share_below(logits[truth], grid)
    specificity = _blurred_share_below(logits[~truth], grid)
    allowed = (specificity >= SPECIFICITY) & (sensitivity >= MIN_SENSITIVITY)
    allowed = allowed if allowed.any() else np.ones_like(allowed)
    youden = np.where(allowed, sensitivity + specificity, -np.inf)
    best = np.flatnonzero(youden >= youden.max() - 1e-4)
    return round(float(_sigmoid(grid[best].mean())), 4)


def choose_abstain(scores: Floats, truth: Bools, threshold: float) -> float:
    """Choose below which probability of its answer (tumor or none) a model should rather abstain.

    The lowest at which 99% of the answers still given are right, abstaining from a tenth of the slices at most;
    between 0.6 and 0.9.

    Args:
        scores: tumor probabilities ``(n,)``, as findings show them.
        truth: whether it is a tumor ``(n,)``.
        threshold: from which on a slice is called a tumor.
    """
    if not len(scores):
        return ABSTAIN[0]
    confidence = np.maximum(scores, 1 - scores)
    right = is_called(scores, threshold) == truth
    order = np.argsort(confidence, kind="stable")
    most = int(MAX_ABSTAIN_SHARE * len(order))
    left_accuracy = np.cumsum(right[order][::-1])[::-1] / np.arange(len(order), 0, -1)
    enough = np.flatnonzero(left_accuracy[: most + 1] >= ACCEPTED_ACCURACY)
    skipped = enough[0] if len(enough) else most
    lowest = confidence[order[skipped]] if skipped else 0.0
    return round(float(np.clip(lowest, *ABSTAIN)), 4)


def choose_conformal(probabilities: Floats, cover: Bools) -> float:
    """Choose from which probability on a class stands in the prediction set, so that 95% of the sets hold the truth.

    Split conformal prediction with the score ``1 - p`` (Sadinle et al., 2019, arXiv 1609.00451), on the labels that
    cover one class, or on all where there are none such. Never above 0.3.
    """
    single = cover.sum(axis=1) == 1
    rows = single if single.any() else cover.any(axis=1)
    truth = np.sort(np.where(cover, probabilities, 0.0).max(axis=1)[rows])
    rank = int(np.floor((len(truth) + 1) * (1 - COVERAGE)))
    return 0.0 if rank < 1 else min(MAX_CONFORMAL, float(np.floor(truth[rank - 1] * 1e4) / 1e4))


def answers(probabilities: Floats, cover: Bools) -> tuple[NDArray[np.float64], Bools]:
    """Return how sure the likeliest answer is, and whether it is right.

    What a label covers counts as one answer with the summed probability; without coarse labels this is the likeliest
    class.

    Returns:
        confidence float64 ``(n,)`` and right bool ``(n,)``.
    """
    values = np.asarray(probabilities, np.float64)
    covered = np.where(cover, values, 0.0).sum(axis=1)
    other = np.where(cover, -1.0, values).max(axis=1)
    return np.maximum(covered, other), covered >= other


def brier_scores(probabilities: Floats, cover: Bools) -> NDArray[np.float64]:
    """Return the Brier score of each row, ``(n,)``, 0 (best) to 2: squared errors summed over the answers.

    What a label covers counts as one answer with the summed probability.
    """
    values = np.asarray(probabilities, np.float64)
    covered = np.where(cover, values, 0.0).sum(axis=1)
    others: NDArray[np.float64] = np.where(cover, 0.0, values**2).sum(axis=1)
    return np.asarray((1 - covered) ** 2 + others, np.float64)


def before_temperature(probabilities: Floats, temperature: float) -> NDArray[np.float64]:
    """Undo a temperature: return the probabilities that the graph would give without it, ``(n, classes)``."""
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-30)) * temperature
    return np.asarray(np.exp(logits - _logsumexp(logits)[:, None]), np.float64)


def _blurred_share_below(values: Floats, marks: Floats) -> NDArray[np.float64]:
    from scipy.special import ndtr

    edges = np.linspace(_logit(0.0), _logit(1.0), 1025)
    counts, _ = np.histogram(values, edges)
    centers = (edges[1:] + edges[:-1]) / 2
    return np.asarray(ndtr((marks[:, None] - centers) / SMOOTHING) @ counts / len(values), np.float64)


def _upper_quantile(values: Floats, quantile: float) -> float | None:
    if not len(values):
        return None
    rank = min(len(values), int(np.ceil((len(values) + 1) * quantile)))
    return float(np.sort(values)[rank - 1])


def _logit(values: Floats | float) -> NDArray[np.float64]:
    clipped = np.clip(np.asarray(values, np.float64), TINY, 1 - TINY)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float64)


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def _logsumexp(values: Floats) -> NDArray[np.float64]:
    top = values.max(axis=1)
    return np.asarray(top + np.log(np.exp(values - top[:, None]).sum(axis=1)), np.float64)
