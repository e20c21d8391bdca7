"""What a study found, as plain data: a row for every run under every protocol, differences, curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tumorscope.errors import StudyError
from tumorscope.model_file import Figure
from tumorscope.studies.budget import Budget, cut_words
from tumorscope.studies.compare import (
    PER_CLASS,
    Answers,
    class_figures,
    difference,
    figure,
    read_answers,
    seed_values,
)
from tumorscope.studies.conclusions import conclude
from tumorscope.studies.contrasts import contrast
from tumorscope.studies.ledger import DONE, Entry
from tumorscope.studies.place import AGAIN, read_json
from tumorscope.studies.plan import Experiment, Plan, Unit
from tumorscope.studies.study import Protocol
from tumorscope.studies.work import TEST, TRAIN
from tumorscope.version import __version__

CURVES = ("loss", "val_loss", "val_accuracy")
UNTABLED = ("interval", "curves", "classes")
"""What of a row stands in no table of one line a row."""
FLOORS = ("copy_baseline", "source_probe")
TIMES = ("minutes",)
"""What differs between two runs of one study that are otherwise the same."""


def gather(
    plan: Plan,
    entries: Mapping[str, Entry],
    out: Path,
    *,
    whole: Plan | None = None,
    budget: Budget | None = None,
    audit: Mapping[str, Any] | None = None,
    command: str = "",
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return ``study.json``: every figure of what is done so far.

    Args:
        plan: as it was run.
        entries: of the ledger.
        out: the study's folder.
        whole: the plan before a budget cut it.
        budget: the decision.
        audit: of the data.
        command: kept in the result.
        settings: recipe keys that were set over the study's.

    Raises:
        StudyError: a run folder is damaged.
    """
    study = plan.study
    answers = {name: _answers(plan, name, entries, out) for name in study.protocols}
    protocols = {name: _protocol(plan, name, entries, out, answers[name]) for name in study.protocols}

    def is_done(experiment: Experiment, name: str) -> bool:
        return len(_done(plan, experiment, name, entries)) == len(plan.units_of(experiment, name))

    tables = [contrast(plan, table, answers, is_done) for table in study.tables]
    return {
        "name": study.name,
        "title": study.title or study.name,
        "description": study.description,
        "data": [Path(name).name for name in study.data],
        "metric": study.metric,
        "published": None
        if study.published is None
        else {**study.published.model_dump(), "protocol": study.published_protocol},
        "audit": _audit(audit),
        "budget": None if budget is None else {**asdict(budget), "words": budget.words},
        "cut": [] if whole is None else cut_words(whole, plan),
        "protocols": protocols,
        "tables": tables,
        "conclusions": conclude(tables, protocols, study.published_protocol),
        "trainings": [_training(unit.label, entries.get(unit.label)) for unit in plan.units],
        "command": command,
        "settings": dict(settings or {}),
        "version": __version__,
    }


def leaderboard(found: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of all protocols as one table."""
    rows = [
        {"study": found["name"], "protocol": name, **{k: v for k, v in row.items() if k not in UNTABLED}}
        for name, protocol in found["protocols"].items()
        for row in protocol["rows"]
    ]
    return pd.DataFrame(rows)


def findings_of(unit: Unit, protocol: Protocol, out: Path) -> Path:
    """Return the folder with ``findings.csv`` and ``metrics.json`` of the part that a protocol measures."""
    folder = unit.folder(out)
    return folder if protocol.part == TEST else folder / protocol.part


def _answers(plan: Plan, name: str, entries: Mapping[str, Entry], out: Path) -> dict[str, Answers]:
    protocol, found = plan.study.protocols[name], {}
    for experiment in plan.experiments:
        done = _done(plan, experiment, name, entries)
        if done:
            files = [(unit.seed, findings_of(unit, protocol, out) / "findings.csv") for unit in done]
            found[experiment.name] = read_answers(files, protocol.slices or "full")
    return found


def _done(plan: Plan, experiment: Experiment, name: str, entries: Mapping[str, Entry]) -> list[Unit]:
    if name not in experiment.protocols:
        return []
    units = plan.units_of(experiment, name)
    return [unit for unit in units if unit.label in entries and entries[unit.label].state == DONE]


def _protocol(
    plan: Plan, name: str, entries: Mapping[str, Entry], out: Path, answers: Mapping[str, Answers]
) -> dict[str, Any]:
    protocol, metric = plan.study.protocols[name], plan.study.metric
    rows = [
        _row(plan, experiment, name, entries, out, answers.get(experiment.name))
        for experiment in plan.experiments
        if name in experiment.protocols
    ]
    rows.sort(key=lambda row: (row["value"] is None, -(row["value"] or 0.0)))
    ranked = [row for row in rows if row["value"] is not None]
    differences = [_difference(metric, ranked[0]["run"], row["run"], answers) for row in ranked[1:]]
    not_behind = [found["run"] for found in differences if not (found["real"] and found["value"] > 0)]
    is_whole = all(row["done"] == row["trainings"] for row in rows)  # who is not done yet may be better still
    if is_whole and differences and not not_behind:
        ranked[0]["best"] = True
    return {
        **protocol.model_dump(mode="json"),
        "leaky": protocol.is_leaky,
        "rows": rows,
        "differences": differences,
        "best": ranked[0]["run"] if ranked and ranked[0]["best"] else None,
        "first": ranked[0]["run"] if ranked else None,
        "not_told_apart": not_behind,
    }


def _row(
    plan: Plan,
    experiment: Experiment,
    name: str,
    entries: Mapping[str, Entry],
    out: Path,
    answers: Answers | None,
) -> dict[str, Any]:
    protocol, metric, recipe = plan.study.protocols[name], plan.study.metric, experiment.recipe
    done, units = _done(plan, experiment, name, entries), plan.units_of(experiment, name)
    value = None if answers is None else figure(metric, answers)
    seeds = {} if answers is None else seed_values(metric, answers)
    facts = [entries[unit.label].facts for unit in done]
    published = plan.study.published
    return {
        "run": experiment.name,
        "theirs": published is not None and experiment.group in published.runs,
        "metric": metric,
        **_figure(value),
        "seed_sd": _rounded(float(np.std(list(seeds.values()), ddof=1))) if len(seeds) > 1 else None,
        "seeds": len(protocol.seeds),
        "folds": len(protocol.folds),
        "done": len(done),
        "trainings": len(units),
        "best": False,
        "leaky": protocol.is_leaky,
        "split": protocol.split,
        "part": protocol.part,
        "slices": protocol.slices,
        "epochs": recipe.schedule.epochs,
        "side": recipe.spec.side,
        "backbone": recipe.network.backbone,
        "weights": Path(recipe.network.weights).name,
        "parameters": max((fact.get("parameters", 0) for fact in facts), default=0) or None,
        "minutes": round(sum(fact.get("minutes", 0.0) for fact in facts), 2) if facts else None,
        **{floor: _floor(done, protocol, out, floor) for floor in FLOORS},
        "classes": {} if answers is None else _classes(answers),
        "cut": experiment.cut,
        "note": experiment.note,
        "curves": [_curve(unit, out) for unit in done],
    }


def _figure(value: Figure | None) -> dict[str, Any]:
    if value is None:
        return {"value": None, "low": None, "high": None, "n": 0, "interval": None}
    low, high = value.interval or (None, None)
    interval = None if value.interval is None else [_rounded(bound) for bound in value.interval]
    return {"value": _rounded(value.value), "low": _rounded(low), "high": _rounded(high), "n": value.n,
            "interval": interval}  # fmt: skip


def _classes(answers: Answers) -> dict[str, Any]:
    return {
        name: {what: _figure(figures.get(what)) for what in PER_CLASS}
        for name, figures in class_figures(answers).items()
    }


def _floor(done: Sequence[Unit], protocol: Protocol, out: Path, name: str) -> float | None:
    """Return the mean over trainings of what a floor scores on the measured slices, weighed by their number."""
    found: list[tuple[float, int]] = []
    for unit in [] if protocol.part == TRAIN else done:  # what was learnt is its own nearest training slice
        values = read_json(findings_of(unit, protocol, out) / "metrics.json")
        floor = values[name]["by_split"].get(protocol.slices)  # what copying scores on copies, nobody asks
        if floor and floor["accuracy"] is not None:
            found.append((floor["accuracy"], floor["n"]))
    total = sum(n for _, n in found)
    return _rounded(sum(value * n for value, n in found) / total) if total else None


def _curve(unit: Unit, out: Path) -> dict[str, Any]:
    file = unit.folder(out) / "log.csv"
    try:
        rows = pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise StudyError("cannot be read", file=file, remedy=AGAIN) from error
    curves = {name: [_rounded(float(v)) for v in rows[name]] for name in CURVES if name in rows}
    return {"training": unit.label, "epoch": [int(epoch) for epoch in rows["epoch"]], **curves}


def _difference(metric: str, first: str, other: str, answers: Mapping[str, Answers]) -> dict[str, Any]:
    found = difference(metric, answers[first], answers[other])
    if found is None:
        nothing = dict.fromkeys(("value", "interval", "mcnemar_p"))
        return {"first": first, "run": other, **nothing, "real": False, "n": 0, "first_only": 0, "second_only": 0}
    interval = None if found.interval is None else [_rounded(bound) for bound in found.interval]
    return {
        "first": first,
        "run": other,
        "value": _rounded(found.value),
        "interval": interval,
        "real": found.is_real,
        "n": found.n,
        "first_only": found.first_only,
        "second_only": found.second_only,
        "mcnemar_p": float(f"{found.p:.3g}"),
    }


def _training(label: str, entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"training": label, "state": "waiting", "value": None, "minutes": None, "error": None}
    facts = entry.facts
    return {
        "training": label,
        "state": entry.state,
        "value": None if entry.value is None else _rounded(entry.value),
        "minutes": facts.get("minutes"),
        "error": facts.get("error"),
    }


def _audit(audit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if audit is None:
        return None
    kept = {key: audit.get(key) for key in ("images", "groups", "classes", "copy_baseline", "source_probe")}
    return {**kept, "sentences": audit.get("sentences", [])}


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, 6)
