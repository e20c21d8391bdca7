"""From a model's numbers to what findings say; pure, and the only place where thresholds are applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorscope.findings import FLAGS, REFUSING
from tumorscope.model_file import Card
from tumorscope.words import NOTUMOR

LOW_RESOLUTION = 64
"""Height or width of the head, in pixels, under which a small tumor has too few pixels to be seen."""
DIGITS = 6
"""Probabilities are rounded to this before limits are applied, so that a finding agrees with the numbers it shows."""
EVEN = 0.5
"""A tumor of a higher probability is likelier than none, whatever the model's limit."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """What the numbers of one slice amount to; the fields are those of a `SliceFinding`."""

    label: str
    probabilities: dict[str, float]
    tumor_probability: float
    prediction_set: list[str]
    flags: list[str]
    status: Literal["ok", "refused"]
    message: str | None

    @property
    def is_suspected(self) -> bool:
        """Whether a tumor is likelier than none although none is called, since the model's limit is higher."""
        return self.label == NOTUMOR and self.tumor_probability > EVEN

    @property
    def verdict(self) -> Literal["tumor", "notumor", "unsure", "refused"]:
        """The decision in one word, see `VERDICTS`."""
        if self.status == "refused":
            return "refused"
        if "abstain" in self.flags:
            return "unsure"
        if self.label != NOTUMOR:
            return "tumor"
        return "unsure" if self.is_suspected or self.prediction_set != [NOTUMOR] else "notumor"


@dataclass(frozen=True)
class Decisions:
    """What the numbers of n slices amount to; `decisions[i]` is the `Decision` of one.

    Attributes:
        classes: names, in the order of the model's outputs.
        labels: which class each slice is called, int ``(n,)``.
        probabilities: rounded as findings show them, ``(n, classes)``.
        tumor_probability: of a tumor of any kind, rounded, ``(n,)``.
        prediction_sets: which classes cannot be ruled out, bool ``(n, classes)``.
        flags: by name in the order of `FLAGS`, bool ``(n,)`` each.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: Floats
    tumor_probability: Floats
    prediction_sets: Bools
    flags: dict[str, Bools]

    @cached_property
    def refused(self) -> Bools:
        """Which answers must not be used, ``(n,)``."""
        return np.asarray(np.logical_or.reduce([self.flags[name] for name in REFUSING]), np.bool_)

    def __len__(self) -> int:
        """Return the number of slices."""
        return len(self.labels)

    def __getitem__(self, row: int) -> Decision:
        """Return the decision of one slice."""
        values = self.probabilities[row]
        inside = sorted(np.flatnonzero(self.prediction_sets[row]), key=lambda i: -values[i])
        flags = [name for name, raised in self.flags.items() if raised[row]]
        return Decision(
            label=self.classes[self.labels[row]],
            probabilities=dict(zip(self.classes, values.tolist(), strict=True)),
            tumor_probability=float(self.tumor_probability[row]),
            prediction_set=[self.classes[i] for i in inside],
            flags=flags,
            status="refused" if self.refused[row] else "ok",
            message=next((FLAGS[name] for name in REFUSING if name in flags), None),
        )


def decide(
    card: Card,
    probabilities: ArrayLike,
    outlier: ArrayLike | None = None,
    *,
    pixels: ArrayLike | None = None,
    is_empty: ArrayLike | None = None,
) -> Decisions:
    """Apply a card's thresholds to n slices.

    Args:
        card: the model's.
        probabilities: ``(n, classes)``.
        outlier: distances in embedding space, ``(n,)``; NaN, or None for all, where unknown.
        pixels: the smaller side of the head in the picture, ``(n,)``; NaN, or None for all, where unknown.
        is_empty: whether the slice has a single gray level, ``(n,)``; None where none has.
    """
    values, tumor = shown_numbers(probabilities, card.classes)
    distances, sides = _column(outlier, len(values)), _column(pixels, len(values))
    limits, knows_none = card.thresholds, NOTUMOR in card.classes
    tumors = np.array([name != NOTUMOR for name in card.classes])
    kinds = np.where(tumors, values, -1.0).argmax(axis=1)
    free = card.classes.index(NOTUMOR) if knows_none else -1
    labels = np.where(is_called(tumor, limits.tumor), kinds, free) if knows_none else kinds
    inside = values >= limits.conformal
    inside[np.arange(len(values)), values.argmax(axis=1)] = True
    raised = {
        "out_of_distribution": distances > (np.inf if limits.outlier is None else limits.outlier),
        "empty_slice": np.zeros(len(values), bool) if is_empty is None else np.asarray(is_empty, np.bool_),
        "low_resolution": sides < LOW_RESOLUTION,
        "abstain": (np.maximum(tumor, 1 - tumor) < limits.abstain) & knows_none,
        "kind_unsure": inside[:, tumors].sum(axis=1) > 1,
    }
    return Decisions(
        card.classes, labels.astype(np.int64), values, tumor, inside, {name: raised[name] for name in FLAGS}
    )


def shown_numbers(probabilities: ArrayLike, classes: Sequence[str]) -> tuple[Floats, Floats]:
    """Return probabilities as findings show them ``(n, classes)``, and those of a tumor of any kind ``(n,)``."""
    values: Floats = np.asarray(probabilities, np.float64).round(DIGITS)
    summed = values[:, [name != NOTUMOR for name in classes]].sum(axis=1)
    return values, np.minimum(1.0, summed).round(DIGITS)


def is_called(tumor: NDArray[np.floating], limit: float) -> Bools:
    """Return which slices are called a tumor, from their probabilities of one as `shown_numbers` gives them."""
    return np.asarray(tumor >= limit, np.bool_)


def shown_class(card: Card, said: Decision) -> int:
    """Return the class whose heatmap is shown: that of the label; for `notumor` the likeliest tumor."""
    if said.label != NOTUMOR:
        return card.classes.index(said.label)
    return max(card.tumor_classes, key=lambda index: said.probabilities[card.classes[index]])


def _column(values: ArrayLike | None, count: int) -> Floats:
    return np.full(count, np.nan) if values is None else np.asarray(values, np.float64)
