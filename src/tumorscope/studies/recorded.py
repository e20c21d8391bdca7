"""Trainings that are recorded: each is marked as running, then as done or failed, whatever happens in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tumorscope.errors import TumorscopeError
from tumorscope.files.names import LAST
from tumorscope.studies.ledger import RUNNING, Entry, Ledger
from tumorscope.studies.work import Ended, Training, run_training, work_through

BEFORE = "seconds_before"
Judge = Callable[[Training], tuple[float, dict[str, Any]]]
"""Reads from a finished run folder the value that is recorded, and what else is worth noting."""


def train_and_record(
    ledger: Ledger, trainings: Iterable[Training], count: int, judge: Judge, say: Callable[[str], None]
) -> None:
    """Train, `count` at a time, and record what came of each; a failed one does not stop the others.

    Args:
        ledger: in which all of them are enrolled.
        trainings: what to train.
        count: of processes.
        judge: reads what came out.
        say: told a line for each.
    """

    def began(training: Training) -> None:
        entry = ledger.entries()[training.label]
        if entry.state == RUNNING:  # a killed study left it so: what it had done by then was not for nothing
            ledger.add_fact(training.label, BEFORE, entry.facts.get(BEFORE, 0.0) + _lost_seconds(training, entry.facts))
        ledger.begin(training.label)

    def ended(training: Training, found: Ended) -> None:
        try:
            value, facts = (0.0, {}) if found.error is not None else judge(training)
            problem = found.error
        except TumorscopeError as error:
            problem = str(error)
        if problem is not None:
            ledger.fail(training.label, problem)
            say(f"{training.label}: failed: {problem}")
            return
        before = ledger.entries()[training.label].facts.get(BEFORE, 0.0)
        minutes = round((before + found.facts["seconds"]) / 60, 2)
        ledger.finish(training.label, value, {**found.facts, **facts, "minutes": minutes})
        say(f"{training.label}: {value:.4f} ({minutes:.1f} min)")

    work_through(run_training, trainings, count, began, ended)


def work_before(folder: Path, entry: Entry | None) -> dict[str, float]:
    """Return the facts that a training begins with whose run folder is still there: how long it has taken so far."""
    if entry is None or "minutes" not in entry.facts or not (folder / LAST).is_file():
        return {}
    return {BEFORE: 60 * entry.facts["minutes"]}


def _lost_seconds(training: Training, facts: dict[str, Any]) -> float:
    """Return how long the attempt that was killed had worked until its last checkpoint, which is not lost."""
    checkpoint = training.folder / LAST
    if "began" not in facts or not checkpoint.is_file():
        return 0.0
    return min(max(0.0, checkpoint.stat().st_mtime - float(facts["began"])), time.time() - float(facts["began"]))
