"""The points of the curves: ROC, precision-recall, reliability, accuracy against coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.statistics.metrics import BINS, Bools, Floats, confidence_bins

MOST_POINTS = 400


@dataclass(frozen=True)
class Curve:
    """Points of a line, ``(k,)`` each."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def to_json(self) -> dict[str, list[float]]:
        """Return the points, rounded."""
        return {"x": self.x.round(4).tolist(), "y": self.y.round(4).tolist()}


def roc_curve(scores: Floats, positive: Bools) -> Curve:
    """Return false-positive against true-positive rate, from (0, 0) to (1, 1)."""
    found, wrong = _cumulative(scores, positive)
    return _thinned(np.r_[0, wrong / max(wrong[-1], 1)], np.r_[0, found / max(found[-1], 1)])


def precision_recall_curve(scores: Floats, positive: Bools) -> Curve:
    """Return recall against precision, from the highest score to the last positive."""
    found, wrong = _cumulative(scores, positive)
    last = int(np.searchsorted(found, found[-1])) + 1
    recall, precision = found[:last] / max(found[-1], 1), found[:last] / (found + wrong)[:last]
    return _thinned(np.r_[0, recall], np.r_[precision[0], precision])


def coverage_curve(confidence: Floats, right: Bools) -> Curve:
    """Return the share of slices answered, surest first, against the accuracy of these answers."""
    order = np.argsort(-np.asarray(confidence), kind="stable")
    counts = np.arange(1, len(order) + 1)
    start = max(1, len(order) // 50) - 1  # the very first answers say little
    return _thinned((counts / len(order))[start:], (np.cumsum(right[order]) / counts)[start:])


def reliability(confidence: Floats, right: Bools) -> list[dict[str, Any]]:
    """Return the bins of a reliability diagram that hold slices: bounds, n, mean confidence, accuracy."""
    cells = confidence_bins(confidence)
    return [
        {
            "low": round(cell / BINS, 4),
            "high": round((cell + 1) / BINS, 4),
            "n": int((cells == cell).sum()),
            "confidence": round(float(confidence[cells == cell].mean()), 4),
            "accuracy": round(float(right[cells == cell].mean()), 4),
        }
        for cell in np.unique(cells).tolist()
    ]


def _cumulative(scores: Floats, positive: Bools) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count positives and negatives at and above each distinct score, falling."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    ranked = np.asarray(scores)[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    return np.cumsum(positive[order])[ends].astype(float), np.cumsum(~positive[order])[ends].astype(float)


def _thinned(x: Floats, y: Floats) -> Curve:
    """Keep the points that a drawing shows."""
    if len(x) > MOST_POINTS:
        path = np.r_[0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
        marks = np.linspace(0, path[-1], MOST_POINTS)
        keep = np.unique(np.r_[0, np.searchsorted(path, marks).clip(0, len(x) - 1), len(x) - 1])
        x, y = x[keep], y[keep]
    return Curve(np.asarray(x, np.float64), np.asarray(y, np.float64))
