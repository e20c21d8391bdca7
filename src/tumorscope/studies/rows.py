"""A row of a leaderboard: one run under one protocol, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tumorscope.errors import StudyError
from tumorscope.files.names import LOG
from tumorscope.studies.answers import Answers
from tumorscope.studies.compare import PER_CLASS, class_figures, figure, seed_values
from tumorscope.studies.figures import figure_values, rounded
from tumorscope.studies.measured import Measured
from tumorscope.studies.place import AGAIN
from tumorscope.studies.plan import Experiment, Unit
from tumorscope.studies.work import TRAIN

CURVES = ("loss", "val_loss", "val_accuracy")
FLOORS = ("copy_baseline", "source_probe")


def row_of(measured: Measured, experiment: Experiment, protocol: str) -> dict[str, Any]:
    """Return what is known of a run under a protocol; its figure is None while nothing is done.

    Raises:
        StudyError: a run folder is damaged.
    """
    plan, chosen = measured.plan, measured.plan.study.protocols[protocol]
    published, answers = plan.study.published, measured.answers[protocol].get(experiment.name)
    done = measured.done(experiment, protocol)
    return {
        "run": experiment.name,
        "theirs": published is not None and experiment.group in published.runs,
        "metric": plan.study.metric,
        **_figures(plan.study.metric, answers),
        "seeds": len(chosen.seeds),
        "folds": len(chosen.folds),
        "done": len(done),
        "trainings": len(plan.units_of(experiment, protocol)),
        "best": False,
        "leaky": chosen.is_leaky,
        "split": chosen.split,
        "part": chosen.part,
        "slices": chosen.slices,
        **_trained(experiment, measured.facts(experiment, protocol)),
        **{floor: _floor(measured, experiment, protocol, floor) for floor in FLOORS},
        "cut": experiment.cut,
        "note": experiment.note,
        "curves": [_curve(unit, measured.out) for unit in done],
    }


def _figures(metric: str, answers: Answers | None) -> dict[str, Any]:
    """Return the figure, how much it differs between seeds, and what each class has."""
    if answers is None:
        return {**figure_values(None), "seed_sd": None, "classes": {}}
    seeds = list(seed_values(metric, answers).values())
    classes = class_figures(answers).items()
    return {
        **figure_values(figure(metric, answers)),
        "seed_sd": rounded(float(np.std(seeds, ddof=1))) if len(seeds) > 1 else None,
        "classes": {name: {what: figure_values(of.get(what)) for what in PER_CLASS} for name, of in classes},
    }


def _trained(experiment: Experiment, facts: list[dict[str, Any]]) -> dict[str, Any]:
    recipe = experiment.recipe
    return {
        "epochs": recipe.schedule.epochs,
        "side": recipe.spec.side,
        "backbone": recipe.network.backbone,
        "weights": Path(recipe.network.weights).name,
        "parameters": max((fact.get("parameters", 0) for fact in facts), default=0) or None,
        "minutes": round(sum(fact.get("minutes", 0.0) for fact in facts), 2) if facts else None,
    }


def _floor(measured: Measured, experiment: Experiment, protocol: str, name: str) -> float | None:
    """Return the mean over trainings of what a floor scores on the measured slices, weighed by their number."""
    chosen = measured.plan.study.protocols[protocol]
    if chosen.part == TRAIN:  # what was learnt is its own nearest training slice
        return None
    metrics = [measured.metrics(unit, chosen) for unit in measured.done(experiment, protocol)]
    floors = [of.get(name, {}).get("by_split", {}).get(chosen.slices) for of in metrics]  # none for copies
    known = [floor for floor in floors if floor and floor["accuracy"] is not None]
    total = sum(floor["n"] for floor in known)
    return rounded(sum(floor["accuracy"] * floor["n"] for floor in known) / total) if total else None


def _curve(unit: Unit, out: Path) -> dict[str, Any]:
    file = unit.folder(out) / LOG
    try:
        rows = pd.read_csv(file)
        curves = {name: [rounded(float(value)) for value in rows[name]] for name in CURVES if name in rows}
        return {"training": unit.label, "epoch": [int(epoch) for epoch in rows["epoch"]], **curves}
    except (OSError, ValueError, KeyError) as error:
        raise StudyError("cannot be read", file=file, remedy=AGAIN) from error
