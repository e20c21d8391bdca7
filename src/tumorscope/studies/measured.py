"""What of a plan is measured so far: which trainings are done, and what their models answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tumorscope.errors import StudyError
from tumorscope.files.names import FINDINGS, METRICS
from tumorscope.studies.answers import MEASURED_AGAIN, Answers, pool, read_findings
from tumorscope.studies.ledger import DONE, Entry
from tumorscope.studies.place import read_json
from tumorscope.studies.plan import Experiment, Plan, Unit
from tumorscope.studies.study import Protocol
from tumorscope.studies.work import TEST


@dataclass(frozen=True)
class Measured:
    """What of a plan is measured so far.

    Attributes:
        plan: as it was run.
        entries: of the ledger.
        out: the study's folder.
    """

    plan: Plan
    entries: Mapping[str, Entry]
    out: Path

    @cached_property
    def answers(self) -> dict[str, dict[str, Answers]]:
        """What each run answered under each protocol; a run of which nothing is done there is left out.

        Raises:
            StudyError: a run folder is damaged.
        """
        return {name: dict(self._answers(name)) for name in self.plan.study.protocols}

    def done(self, experiment: Experiment, protocol: str) -> list[Unit]:
        """Return the trainings of a run that are done under a protocol."""
        if protocol not in experiment.protocols:
            return []
        units = self.plan.units_of(experiment, protocol)
        return [unit for unit in units if unit.label in self.entries and self.entries[unit.label].state == DONE]

    def is_whole(self, experiment: Experiment, protocol: str) -> bool:
        """Whether all trainings of a run under a protocol are done."""
        return len(self.done(experiment, protocol)) == len(self.plan.units_of(experiment, protocol))

    def facts(self, experiment: Experiment, protocol: str) -> list[dict[str, Any]]:
        """Return what the ledger holds of each training that is done."""
        return [self.entries[unit.label].facts for unit in self.done(experiment, protocol)]

    def metrics(self, unit: Unit, protocol: Protocol) -> dict[str, Any]:
        """Return ``metrics.json`` of what a protocol measures of a training.

        Raises:
            StudyError: it is damaged.
        """
        return read_json(_folder(unit, protocol, self.out) / METRICS)

    def _answers(self, name: str) -> Iterator[tuple[str, Answers]]:
        protocol = self.plan.study.protocols[name]
        for experiment in self.plan.experiments:
            if units := self.done(experiment, name):
                yield experiment.name, answers_of(units, protocol, self.out)


def answers_of(units: Sequence[Unit], protocol: Protocol, out: Path) -> Answers:
    """Read what trainings of one run answered under a protocol.

    Raises:
        StudyError: a run folder is damaged.
    """
    return pool([(unit.seed, _findings(_folder(unit, protocol, out), protocol.slices or "full")) for unit in units])


def has_results(plan: Plan, unit: Unit, out: Path) -> bool:
    """Whether what a training has measured is still there, whole, for every protocol that it belongs to."""
    try:
        for name in plan.protocols_of(unit):
            answers_of([unit], plan.study.protocols[name], out)
    except StudyError:
        return False
    return True


def _findings(folder: Path, slices: str) -> pd.DataFrame:
    """Read the findings of one training; a table that lost rows would give a figure of fewer slices, and no sign."""
    found, file = read_findings(folder / FINDINGS, slices), folder / METRICS
    try:
        counts = read_json(file)["slices"]
        expected = counts["full"] - counts["twin_free"] if slices == "copies" else counts[slices]
    except (KeyError, TypeError) as error:
        raise StudyError("does not say how many slices were measured", file=file, remedy=MEASURED_AGAIN) from error
    if len(found) != expected:
        raise StudyError(f"has {len(found):,} of {expected:,} slices", file=folder / FINDINGS, remedy=MEASURED_AGAIN)
    return found


def _folder(unit: Unit, protocol: Protocol, out: Path) -> Path:
    folder = unit.folder(out)
    return folder if protocol.part == TEST else folder / protocol.part
