"""What a study found, as plain data: a row for every run under every protocol, differences, conclusions, curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from tumorscope.studies.answers import Answers
from tumorscope.studies.budget import Budget, cut_words
from tumorscope.studies.compare import difference
from tumorscope.studies.conclusions import conclude
from tumorscope.studies.contrasts import contrast
from tumorscope.studies.figures import rounded, rounded_interval
from tumorscope.studies.ledger import Entry
from tumorscope.studies.measured import Measured
from tumorscope.studies.plan import Plan
from tumorscope.studies.rows import row_of
from tumorscope.studies.study import Study
from tumorscope.version import __version__

UNTABLED = ("interval", "curves", "classes")
"""What of a row stands in no table of one line a row."""


def gather(
    measured: Measured,
    *,
    whole: Plan | None = None,
    budget: Budget | None = None,
    audit: Mapping[str, Any] | None = None,
    command: str = "",
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return ``study.json``: every figure of what is done so far.

    Args:
        measured: what is done of the plan.
        whole: the plan before a budget cut it.
        budget: the decision.
        audit: of the data.
        command: kept in the result.
        settings: recipe keys that were set over the study's.

    Raises:
        StudyError: a run folder is damaged.
    """
    plan, study = measured.plan, measured.plan.study
    protocols = {name: _protocol(measured, name) for name in study.protocols}
    tables = [contrast(measured, table) for table in study.tables]
    return {
        **_told(study),
        "audit": _audit(audit),
        "budget": None if budget is None else {**asdict(budget), "words": budget.words},
        "cut": [] if whole is None else cut_words(whole, plan),
        "protocols": protocols,
        "tables": tables,
        "conclusions": conclude(tables, protocols, study.published_protocol),
        "trainings": [_training(unit.label, measured.entries.get(unit.label)) for unit in plan.units],
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


def _told(study: Study) -> dict[str, Any]:
    """Return what the study's own file says."""
    published = study.published
    return {
        "name": study.name,
        "title": study.title or study.name,
        "description": study.description,
        "data": [Path(name).name for name in study.data],
        "metric": study.metric,
        "published": published and {**published.model_dump(), "protocol": study.published_protocol},
    }


def _protocol(measured: Measured, name: str) -> dict[str, Any]:
    """Return the rows of a protocol, the highest first, and whether the first is better than each of the others."""
    study, protocol = measured.plan.study, measured.plan.study.protocols[name]
    rows = [row_of(measured, one, name) for one in measured.plan.experiments if name in one.protocols]
    rows.sort(key=lambda row: (row["value"] is None, -(row["value"] or 0.0)))
    ranked = [row for row in rows if row["value"] is not None]
    answers = measured.answers[name]
    differences = [_difference(study.metric, ranked[0]["run"], row["run"], answers) for row in ranked[1:]]
    not_behind = [found["run"] for found in differences if not (found["real"] and found["value"] > 0)]
    is_whole = all(row["done"] == row["trainings"] for row in rows)  # who is not done yet may be better still
    if is_whole and len(ranked) == len(rows) and differences and not not_behind:
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


def _difference(metric: str, first: str, other: str, answers: Mapping[str, Answers]) -> dict[str, Any]:
    found = difference(metric, answers[first], answers[other])
    if found is None:
        nothing = dict.fromkeys(("value", "interval", "mcnemar_p"))
        return {"first": first, "run": other, **nothing, "real": False, "n": 0, "first_only": 0, "second_only": 0}
    return {
        "first": first,
        "run": other,
        "value": rounded(found.value),
        "interval": rounded_interval(found.interval),
        "real": found.is_real,
        "n": found.n,
        "first_only": found.first_only,
        "second_only": found.second_only,
        "mcnemar_p": float(f"{found.p:.3g}"),
    }


def _training(label: str, entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"training": label, "state": "waiting", "value": None, "minutes": None, "error": None}
    return {
        "training": label,
        "state": entry.state,
        "value": rounded(entry.value),
        "minutes": entry.facts.get("minutes"),
        "error": entry.facts.get("error"),
    }


def _audit(audit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if audit is None:
        return None
    kept = {key: audit.get(key) for key in ("images", "groups", "classes", "copy_baseline", "source_probe")}
    return {**kept, "sentences": audit.get("sentences", [])}
