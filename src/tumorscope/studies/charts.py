"""The learning curves of a study as inline SVG: small pictures side by side, one for each run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH, HEIGHT = 300, 148
LEFT, RIGHT, TOP, BOTTOM = 34, 10, 10, 24
TICKS = 4


@dataclass(frozen=True)
class Curve:
    """One line of a small chart.

    Attributes:
        x: epochs.
        y: values.
        color: CSS.
        width: of the line, in pixels.
        dashed: drawn so.
    """

    x: Sequence[float]
    y: Sequence[float]
    color: str = "var(--accent)"
    width: float = 1.2
    dashed: bool = False


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


def _lines(curves: Sequence[Mapping[str, Any]], name: str, color: str, *, dashed: bool = False) -> list[Curve]:
    found = [_finite(curve["epoch"], curve[name]) for curve in curves if curve.get(name)]
    found = [line for line in found if line[0]]
    if len(found) == 1:
        return [Curve(*found[0], color, 2.2, dashed)]
    faint = f"color-mix(in srgb, {color} 35%, transparent)"
    thin = [] if dashed else [Curve(x, y, faint, 1.0) for x, y in found]
    return [*thin, *([Curve(*_mean(found), color, 2.2, dashed)] if found else [])]


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


def _svg(title: str, lines: Sequence[Curve], low: float, high: float, *, percent: bool) -> str:
    last = max((x for line in lines for x in line.x), default=1)
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    for step in range(TICKS + 1):
        value = low + (high - low) * step / TICKS
        y = _y(value, low, high)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if step % 2 == 0:
            text = f"{100 * value:g}" if percent else f"{value:.3g}"
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for epoch, anchor in ((1, "middle"), (last, "middle"))[: 1 + (last > 1)]:
        x = _x(epoch, last)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 7}" text-anchor="{anchor}">{epoch:g}</text>')
    parts += [_mark(line, last, low, high) for line in lines]
    return "".join([*parts, "</svg>"])


def _mark(line: Curve, last: float, low: float, high: float) -> str:
    points = [(_x(x, last), _y(y, low, high)) for x, y in zip(line.x, line.y, strict=True)]
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" style="fill:{line.color}"/>'
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="4 4"' if line.dashed else ""
    return f'<path d="{path}" fill="none" style="stroke:{line.color}" stroke-width="{line.width}"{dashes}/>'


def _x(epoch: float, last: float) -> float:
    share = 0.5 if last <= 1 else (epoch - 1) / (last - 1)
    return LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16)


def _y(value: float, low: float, high: float) -> float:
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
