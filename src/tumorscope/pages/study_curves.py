"""The learning curves of a study as inline SVG: small pictures side by side, one for each run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tumorscope.pages.charts import Axis, Box, Chart, Line

SMALL = Box(width=300, height=160, left=58, right=10, top=10, bottom=34, inset=8)
TICKS = 4
NAMES = {"val_accuracy": "validation accuracy", "val_loss": "validation loss", "loss": "training loss"}


def accuracy_chart(curves: Sequence[Mapping[str, Any]], low: float) -> str:
    """Return the validation accuracy of every training of a run by epoch, and their mean.

    Args:
        curves: as in ``study.json``.
        low: where the upright axis starts; one for all charts that are to be compared.
    """
    lines = _lines(curves, "val_accuracy", "var(--accent)")
    return _svg("validation accuracy by epoch", lines, low, 1.0, percent=True)


def loss_chart(curves: Sequence[Mapping[str, Any]], high: float) -> str:
    """Return the training loss (dashed) and the validation loss of a run by epoch.

    Args:
        curves: as in ``study.json``.
        high: where the upright axis ends; one for all charts that are to be compared.
    """
    lines = [*_lines(curves, "loss", "var(--dim)", dashed=True), *_lines(curves, "val_loss", "var(--warn)")]
    return _svg("loss by epoch", lines, 0.0, high, percent=False)


def lowest_accuracy(curves: Sequence[Mapping[str, Any]]) -> float:
    """Return a round share under every accuracy."""
    values = [value for curve in curves for value in curve.get("val_accuracy", []) if value is not None]
    return math.floor(10 * min(values, default=0.0)) / 10 if min(values, default=0.0) < 0.9 else 0.9


def highest_loss(curves: Sequence[Mapping[str, Any]]) -> float:
    """Return a round loss over most: a single outlier does not flatten the rest."""
    values = sorted(
        v for curve in curves for name in ("loss", "val_loss") for v in curve.get(name, []) if v is not None
    )
    high = values[int(0.98 * (len(values) - 1))] if values else 1.0
    step = 10 ** math.floor(math.log10(high)) / 2 if high > 0 else 1.0
    return math.ceil(high / step) * step or 1.0


def _lines(curves: Sequence[Mapping[str, Any]], name: str, color: str, *, dashed: bool = False) -> list[Line]:
    """Return the mean of the curves, heavy, over each of them, thin; one alone is heavy."""
    found = [_finite(curve["epoch"], curve[name]) for curve in curves if curve.get(name)]
    found = [line for line in found if line[0]]
    words = NAMES[name] if len(found) == 1 else f"{NAMES[name]}, mean"
    faint = f"color-mix(in srgb, {color} 35%, transparent)"
    thin = [] if dashed or len(found) == 1 else [_line(x, y, "", faint, width=1.0) for x, y in found]
    return [*thin, *([_line(*_mean(found), words, color, dashed=dashed)] if found else [])]


def _line(
    x: Sequence[float], y: Sequence[float], name: str, color: str, *, width: float = 2.2, dashed: bool = False
) -> Line:
    """Return a line; that of a single epoch is a dot."""
    return Line(x, y, name, color, dashed, [3.0] if len(x) == 1 else None, width=width)


def _finite(epochs: Sequence[float], values: Sequence[float | None]) -> tuple[list[float], list[float]]:
    """Return a curve without the epochs at which it is not a number."""
    kept = [(epoch, value) for epoch, value in zip(epochs, values, strict=True) if value is not None]
    return [epoch for epoch, _ in kept], [value for _, value in kept]


def _mean(found: Sequence[tuple[Sequence[float], Sequence[float]]]) -> tuple[list[float], list[float]]:
    """Return the mean of the curves at each epoch, over those that went on so long."""
    by_epoch: dict[float, list[float]] = {}
    for x, y in found:
        for epoch, value in zip(x, y, strict=True):
            by_epoch.setdefault(epoch, []).append(value)
    epochs = sorted(by_epoch)
    return epochs, [sum(by_epoch[epoch]) / len(by_epoch[epoch]) for epoch in epochs]


def _svg(title: str, lines: list[Line], low: float, high: float, *, percent: bool) -> str:
    last = max((x for line in lines for x in line.x), default=1)
    values = [low + (high - low) * step / TICKS for step in range(TICKS + 1)]
    texts = [
        (f"{100 * value:g}" if percent else f"{value:.3g}") if i % 2 == 0 else "" for i, value in enumerate(values)
    ]
    upright = Axis(low, high, list(zip(values, texts, strict=True)), "right, %" if percent else "loss")
    epochs = [(1.0, "1")] if last <= 1 else [(1.0, "1"), (float(last), f"{last:g}")]
    across = Axis(1.0, last, epochs, "epoch", grid=False) if last > 1 else Axis(0.0, 2.0, epochs, "epoch", grid=False)
    return Chart(title, across, upright, lines, SMALL).svg()
