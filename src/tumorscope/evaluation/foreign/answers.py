"""What a model that is not ours gives back, as probabilities of our classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SUM_SLACK = 0.02
"""Half precision and rounding let rows of probabilities miss 1 by this much."""


def columns_wrong(shape: Sequence[int], count: int, classes: int) -> str:
    """Say what is wrong with the shape of an output of `count` slices, or ''."""
    if len(shape) == 1 and classes == 2 and shape[0] == count:
        return ""
    if len(shape) == 2 and shape[0] == count and (shape[1] == classes or (shape[1] == 1 and classes == 2)):
        return ""
    return f"gives an output of shape {tuple(shape)} for {count} slices and {classes} classes"


def to_probabilities(output: NDArray[Any], kind: str) -> Floats:
    """Return probabilities ``(n, outputs)`` that sum to 1 in each row.

    Args:
        output: ``(n, outputs)``; or ``(n, 1)`` or ``(n,)``, which tells of the second of two classes.
        kind: 'logits', 'probabilities' or 'sigmoid'.

    Raises:
        ValueError: numbers that are not finite, or no probabilities where these were promised.
    """
    values = np.asarray(output, np.float64).reshape(len(output), -1)
    if not np.isfinite(values).all():
        raise ValueError("gives numbers that are not finite (look at the model, or at scale, mean and std)")
    if values.shape[1] == 1:
        second = _checked(values) if kind == "probabilities" else _sigmoid(values)
        return np.hstack([1 - second, second])
    if kind == "logits":
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    if kind == "sigmoid":
        units = _sigmoid(values)
        return np.asarray(units / np.maximum(units.sum(axis=1, keepdims=True), 1e-12))
    sums = _checked(values).sum(axis=1, keepdims=True)
    if np.abs(sums - 1).max(initial=0) > SUM_SLACK:
        raise ValueError("gives probabilities that do not sum to 1 (say output: logits, or sigmoid)")
    return np.asarray(values / sums)


def sum_by_class(probabilities: Floats, names: Sequence[str], classes: Sequence[str]) -> Floats:
    """Add up the outputs of each class: ``(n, outputs)`` of `names` becomes ``(n, classes)``."""
    which = np.array([[name == chosen for chosen in classes] for name in names], np.float64)
    return np.asarray(probabilities @ which, np.float64)


def _checked(values: Floats) -> Floats:
    if values.min(initial=0) < -SUM_SLACK or values.max(initial=0) > 1 + SUM_SLACK:
        raise ValueError("gives numbers outside 0 to 1 where probabilities were promised (say output: logits)")
    return np.clip(values, 0, 1)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(np.where(values >= 0, 1, np.exp(-np.abs(values))) / (1 + np.exp(-np.abs(values))))
