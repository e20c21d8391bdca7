"""From a model's numbers to what a finding says; pure, and the only place where thresholds are applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tumorscope.findings import FLAGS, REFUSING
from tumorscope.model_file import NOTUMOR, Card

LOW_RESOLUTION = 64
"""Height or width of the head, in pixels, under which a small tumor has too few pixels to be seen."""
DIGITS = 6
"""Probabilities are rounded to this before limits are applied, so that a finding agrees with the numbers it shows."""


@dataclass(frozen=True)
class Decision:
    """What the numbers of one slice amount to; the fields are those of a `Finding`."""

    label: str
    probabilities: dict[str, float]
    tumor_probability: float
    prediction_set: list[str]
    flags: list[str]
    status: Literal["ok", "refused"]
    message: str | None


def decide(
    card: Card, probabilities: NDArray[np.float32], outlier: float, *, pixels: int | None = None, is_empty: bool = False
) -> Decision:
    """Apply a card's thresholds to one slice.

    Args:
        card: the model's.
        probabilities: ``(classes,)``.
        outlier: distance in embedding space.
        pixels: the smaller side of the head in the picture, if known.
        is_empty: whether the slice has a single gray level.
    """
    limits = card.thresholds
    values: NDArray[np.float64] = np.asarray(probabilities, np.float64).round(DIGITS)
    tumor = round(min(1.0, float(values[list(card.tumor_classes)].sum())), DIGITS)
    chosen = _prediction_set(card, values)
    raised = {
        "out_of_distribution": limits.outlier is not None and outlier > limits.outlier,
        "empty_slice": is_empty,
        "low_resolution": pixels is not None and pixels < LOW_RESOLUTION,
        "abstain": NOTUMOR in card.classes and max(tumor, 1 - tumor) < limits.abstain,
        "kind_unsure": sum(name != NOTUMOR for name in chosen) > 1,
    }
    flags = [name for name in FLAGS if raised[name]]
    why = next((FLAGS[name] for name in REFUSING if name in flags), None)
    by_name = dict(zip(card.classes, values.tolist(), strict=True))
    return Decision(_label(card, values, tumor), by_name, tumor, chosen, flags, "refused" if why else "ok", why)


def shown_class(card: Card, said: Decision) -> int:
    """Return the class whose heatmap is shown: that of the label; for `notumor` the likeliest tumor."""
    if said.label != NOTUMOR:
        return card.classes.index(said.label)
    return max(card.tumor_classes, key=lambda index: said.probabilities[card.classes[index]])


def _label(card: Card, values: NDArray[np.float64], tumor: float) -> str:
    if NOTUMOR in card.classes and tumor < card.thresholds.tumor:
        return NOTUMOR
    return card.classes[max(card.tumor_classes, key=lambda index: values[index])]


def _prediction_set(card: Card, values: NDArray[np.float64]) -> list[str]:
    likeliest = int(values.argmax())
    inside = [i for i, value in enumerate(values) if value >= card.thresholds.conformal or i == likeliest]
    return [card.classes[i] for i in sorted(inside, key=lambda i: -values[i])]
