"""What of a plan is measured so far: which trainings are done, and what their models answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tumorscope.folders import FINDINGS, METRICS
from tumorscope.studies.compare import Answers, read_answers
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
    files = [(unit.seed, _folder(unit, protocol, out) / FINDINGS) for unit in units]
    return read_answers(files, protocol.slices or "full")


def has_results(plan: Plan, unit: Unit, out: Path) -> bool:
    """Whether what a training has measured is still there, for every protocol that it belongs to."""
    folders = [_folder(unit, plan.study.protocols[name], out) for name in plan.protocols_of(unit)]
    return all((folder / name).is_file() for folder in folders for name in (FINDINGS, METRICS))


def _folder(unit: Unit, protocol: Protocol, out: Path) -> Path:
    folder = unit.folder(out)
    return folder if protocol.part == TEST else folder / protocol.part
