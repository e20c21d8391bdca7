"""The charts of the report, from the points that stand in ``metrics.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tumorscope.evaluation.words import SPLIT_WORDS
from tumorscope.pages.charts import Chart, Line, nice_start, share_axis

if TYPE_CHECKING:
    from tumorscope.evaluation.measured import Measured

DIM = "var(--dim)"
MIN_BIN = 3
"""Bins of fewer slices show nothing but chance."""


def charts(measured: Measured, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the charts as {"title", "words", "svg", "legend"}, those that the labels allow."""
    split = measured.headline
    chosen = values["details"][split]["curves"]
    other = values["details"]["full"]["curves"] if measured.is_leaky and split != "full" else {}
    drawn = []
    if "roc" in chosen:
        drawn.append(_roc(split, chosen["roc"], other.get("roc"), values))
        drawn.append(_precision_recall(split, chosen["precision_recall"], other.get("precision_recall"), measured))
    drawn.append(_reliability(values["calibration"]))
    drawn.append(_coverage(split, chosen["coverage"], other.get("coverage"), values["headline"]))
    return [
        {"title": chart.title, "words": words, "svg": chart.svg(), "legend": chart.legend} for chart, words in drawn
    ]


def _roc(split: str, chosen: dict[str, Any], other: dict[str, Any] | None, values: dict[str, Any]) -> tuple[Chart, str]:
    found, name = values["headline"], "the likeliest class" if values["foreign"] else "the model's threshold"
    lines = [Line([0, 1], [0, 1], "", "var(--line)"), *_compared(split, chosen, other)]
    if {"sensitivity", "specificity"} <= set(found):
        point = (1 - found["specificity"]["value"], found["sensitivity"]["value"])
        lines.append(Line([point[0]], [point[1]], name, "var(--bad)", sizes=[5.5]))
    words = "How many tumors are found against how many tumor-free slices raise a false alarm, at every threshold."
    return _chart("ROC curve", "false alarms, % of tumor-free slices", "tumors found, %", lines), words


def _precision_recall(
    split: str, chosen: dict[str, Any], other: dict[str, Any] | None, measured: Measured
) -> tuple[Chart, str]:
    outcome = measured.outcome.take(measured.rows[split])
    share = float(outcome.is_tumor[outcome.knows_tumor].mean())
    lines = [Line([0, 1], [share, share], "share of tumors here", DIM, dashed=True), *_compared(split, chosen, other)]
    words = "How many alarms are true against how many tumors are found. It depends on the share of tumors in this set."
    return _chart("Precision and recall", "tumors found, %", "alarms that are true, %", lines), words


def _reliability(calibration: dict[str, Any]) -> tuple[Chart, str]:
    lines = [Line([0, 1], [0, 1], "", "var(--line)")]
    named = (("before", "before temperature", DIM), ("after", "as the model answers", "var(--accent)"))
    for side, name, color in (row for row in named if row[0] in calibration["reliability"]):
        bins = [cell for cell in calibration["reliability"][side] if cell["n"] >= MIN_BIN]
        total = max(1, sum(cell["n"] for cell in bins))
        x, y = [cell["confidence"] for cell in bins], [cell["accuracy"] for cell in bins]
        sizes = [2.5 + 9 * float(np.sqrt(cell["n"] / total)) for cell in bins]
        lines.append(Line(x, y, name, color, side == "before", None if side == "before" else sizes))
    words = "Whether a stated 80% is right 80% of the time: on the diagonal it is. Larger dots hold more slices."
    return _chart("Reliability", "stated confidence, %", "right, %", lines), words


def _coverage(
    split: str, chosen: dict[str, Any], other: dict[str, Any] | None, found: dict[str, Any]
) -> tuple[Chart, str]:
    lines = _compared(split, chosen, other)
    lowest, words = min(min(line.y) for line in lines), "Accuracy when only the surest answers count."
    if {"answered", "accuracy_answered"} <= set(found):
        x, y = found["answered"]["value"], found["accuracy_answered"]["value"]
        lines.append(Line([x], [y], "the model's own limits", "var(--bad)", sizes=[5.5]))
        lowest = min(lowest, y)
        words += " The dot is where the model itself refuses or abstains."
    return _chart(
        "Accuracy against coverage", "slices answered, surest first, %", "right, %", lines, nice_start(lowest)
    ), words


def _compared(split: str, chosen: dict[str, Any], other: dict[str, Any] | None) -> list[Line]:
    lines = [Line(other["x"], other["y"], "full (leaky)", DIM, dashed=True)] if other else []
    return [*lines, Line(chosen["x"], chosen["y"], SPLIT_WORDS[split])]


def _chart(title: str, x_label: str, y_label: str, lines: list[Line], y_from: float = 0.0) -> Chart:
    return Chart(title, share_axis(x_label), share_axis(y_label, y_from), lines)
