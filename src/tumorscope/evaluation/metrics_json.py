"""An evaluation as ``metrics.json``: fixed keys, plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from tumorscope.evaluation.baselines import Baseline
from tumorscope.evaluation.calibration import answers, before_temperature
from tumorscope.evaluation.curves import coverage_curve, precision_recall_curve, reliability, roc_curve
from tumorscope.evaluation.measured import Measured
from tumorscope.evaluation.outcome import SHORT, Outcome, class_figures, confusion, figures
from tumorscope.evaluation.words import headline_sentence
from tumorscope.model_file import NOTUMOR
from tumorscope.statistics import Figure
from tumorscope.version import __version__

MIN_SIDE = 5
"""A curve of fewer tumor slices, or fewer tumor-free ones, says nothing."""
PARTS_BY = ("dataset", "source", "sequence", "plane", "kind")


def metrics_json(measured: Measured) -> dict[str, Any]:
    """Return everything that was measured as plain data.

    `confusion`, `per_class`, `calibration`, `curves` and the `by_...` tables are of the headline's slices; those of
    each split stand under `details`. The baselines are of the full set, and of each split under `by_split`.
    """
    details = {name: _details(measured, name) for name in measured.rows}
    chosen, outcome = measured.headline, measured.outcome.take(measured.rows[measured.headline])
    return {
        "headline": _figures(measured.figures[chosen]),
        "headline_split": chosen,
        "headline_sentence": headline_sentence(measured),
        **{name: _figures(found) for name, found in measured.figures.items()},
        "part": measured.part,
        "leaky": measured.is_leaky,
        "groups_known": measured.groups_known,
        "traceable": measured.is_traceable,
        "slices": {name: int(rows.sum()) for name, rows in measured.rows.items()},
        **details[chosen],
        **_by_part(measured, outcome),
        "lesions": _lesions(measured),
        "copy_baseline": _baseline(measured, measured.baselines.copies),
        "source_probe": _baseline(measured, measured.baselines.sources),
        "details": details,
        "unreadable": list(measured.unreadable),
        "notes": [{"level": note.level, "text": note.text} for note in measured.notes],
        "prevalence": measured.outcome.prevalence,
        "thresholds": None if measured.is_foreign else measured.card.thresholds.model_dump(),
        "model": {"name": measured.card.name, "version": measured.card.version, "sha256": measured.sha256},
        "foreign": measured.is_foreign,
        "trained_on": measured.stated,
        "seed": measured.seed,
        "command": measured.command,
        "version": __version__,
    }


def figure_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as plain data."""
    low_high = None if figure.interval is None else [round(bound, 6) for bound in figure.interval]
    return {"value": round(figure.value, 6), "n": figure.n, "interval": low_high}


def _figures(found: dict[str, Figure]) -> dict[str, dict[str, Any]]:
    return {name: figure_json(figure) for name, figure in found.items()}


def _details(measured: Measured, split: str) -> dict[str, Any]:
    outcome = measured.outcome.take(measured.rows[split])
    if not len(outcome):
        return {"confusion": None, "per_class": {}, "calibration": None, "curves": {}}
    return {
        "confusion": confusion(outcome),
        "per_class": {name: _figures(found) for name, found in class_figures(outcome, seed=measured.seed).items()},
        "calibration": _calibration(outcome),
        "curves": _curves(outcome),
    }


def _calibration(outcome: Outcome) -> dict[str, Any]:
    if outcome.is_plain:
        return {"temperature": None, "reliability": {"after": reliability(*answers(*outcome.judged))}}
    raw = before_temperature(outcome.probabilities, outcome.card.temperature)
    sides = {"before": outcome.with_probabilities(raw), "after": outcome}
    bins = {name: reliability(*answers(*side.judged)) for name, side in sides.items()}
    return {"temperature": outcome.card.temperature, "reliability": bins}


def _curves(outcome: Outcome) -> dict[str, Any]:
    out: dict[str, Any] = {"coverage": coverage_curve(outcome.certainty, outcome.right).to_json()}
    known, positive = outcome.knows_tumor, outcome.is_tumor
    sides = (int((positive & known).sum()), int((~positive & known).sum()))
    if NOTUMOR in outcome.classes and min(sides) >= MIN_SIDE:
        out["roc"] = roc_curve(outcome.tumor[known], positive[known]).to_json()
        out["precision_recall"] = precision_recall_curve(outcome.tumor[known], positive[known]).to_json()
    return out


def _by_part(measured: Measured, outcome: Outcome) -> dict[str, Any]:
    table = _counted_findings(measured)
    out: dict[str, Any] = {}
    for column in PARTS_BY:
        values = table[column].to_numpy(str)
        names = sorted(set(values.tolist()) - {""})
        out[f"by_{column}"] = {
            name: _figures(figures(outcome.take(values == name), seed=measured.seed, only=SHORT))
            for name in names
            if len(names) > 1 or column == "dataset"
        }
    out["by_patient"] = _by_patient(table["dataset"].to_numpy(str), table["patient"].to_numpy(str), outcome)
    return out


def _by_patient(
    datasets: np.ndarray[Any, Any], patients: np.ndarray[Any, Any], outcome: Outcome
) -> list[dict[str, Any]]:
    keys = sorted({(d, p) for d, p in zip(datasets.tolist(), patients.tolist(), strict=True) if p})
    rows = []
    for dataset, patient in keys:
        here = (datasets == dataset) & (patients == patient)
        rows.append(
            {
                "dataset": dataset,
                "patient": patient,
                "n": int(here.sum()),
                "tumor_slices": int((outcome.is_tumor & here).sum()),
                "accuracy": round(float(outcome.right[here].mean()), 6),
                "mean_tumor_probability": round(float(outcome.tumor[here].mean()), 6),
            }
        )
    return rows


def _counted_findings(measured: Measured) -> Any:
    counted = measured.findings[measured.findings["counted"]]
    return counted[measured.rows[measured.headline]]


def _lesions(measured: Measured) -> dict[str, Any]:
    lesions = measured.lesions
    return {"n": len(lesions), **_figures(measured.lesion_figures)}


def _baseline(measured: Measured, baseline: Baseline) -> dict[str, Any]:
    outcome = measured.outcome
    by_split = {
        split: {key: value for key, value in found.items() if key != "note"}
        for split, rows in measured.rows.items()
        for found in [baseline.to_json(outcome.labels, outcome.clusters, rows, seed=measured.seed)]
    }
    return {**baseline.to_json(outcome.labels, outcome.clusters, seed=measured.seed), "by_split": by_split}
