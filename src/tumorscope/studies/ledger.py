"""What a study has done, in one SQLite file: an Optuna storage with a trial for every training.

A trial's parameters are what tells a training from the others (run, split, fold, seed), its value is the study's
metric, and its user attributes are what came out. Optuna's own tools (its dashboard, its data frames) read the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from tumorscope.files.names import STUDY_DB
from tumorscope.studies.storage import load_optuna, open_storage, telling

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
WORDS = {"WAITING": WAITING, "RUNNING": RUNNING, "COMPLETE": DONE, "FAIL": FAILED, "PRUNED": FAILED}
UNIT = "unit"
UNITS = "units"
"""The name of the ledger of a study's runs; that of its search has another."""


P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """How far one training is.

    Attributes:
        label: of the unit.
        state: 'waiting', 'running', 'done' or 'failed'.
        value: the study's metric, of a done one.
        facts: what was noted of it: `error`, `minutes`, `parameters`, ...
        params: what tells it from the others.
        number: Optuna's.
    """

    label: str
    state: str
    value: float | None
    facts: dict[str, Any]
    params: dict[str, Any]
    number: int


def _told(method: Callable[Concatenate[Ledger, P], T]) -> Callable[Concatenate[Ledger, P], T]:
    """Let a method of a ledger fail in a line."""

    @wraps(method)
    def call(self: Ledger, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with telling(self._file):
            return method(self, *args, **kwargs)

    return call


class Ledger:
    """The record of one set of trainings; several may stand in one file.

    Only one process at a time writes (see `locked`); any number read.

    Raises:
        StudyError: the file is no such record, or another program has it; from any method.
        OutputError: the disk is full; from any method that writes.
    """

    def __init__(self, folder: Path, name: str, *, maximize: bool = True) -> None:
        """Open the ledger in a study's folder, or begin it."""
        optuna = load_optuna()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / STUDY_DB
        with telling(self._file):
            self.storage = open_storage(self._file)
            self.study = optuna.create_study(
                storage=self.storage,
                study_name=name,
                direction="maximize" if maximize else "minimize",
                load_if_exists=True,
            )

    @classmethod
    def read(cls, folder: Path, name: str) -> dict[str, Entry]:
        """Return the trainings of a ledger without beginning one; none where there is none."""
        optuna = load_optuna()
        with telling(folder / STUDY_DB):
            storage = open_storage(folder / STUDY_DB)
            if name not in optuna.get_all_study_names(storage):
                return {}
            return _by_label(optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False))

    @_told
    def note(self, key: str, value: Any) -> None:
        """Keep a fact about all of it, as plain data."""
        self.study.set_user_attr(key, value)

    @_told
    def noted(self, key: str) -> Any:
        """Return a kept fact, or None."""
        return self.study.user_attrs.get(key)

    @_told
    def entries(self) -> dict[str, Entry]:
        """Return every training by its label, as it stands now; of one that was tried again the last attempt."""
        return _by_label(self._trials())

    @_told
    def enroll(
        self,
        units: Iterable[tuple[str, dict[str, Any], dict[str, BaseDistribution]]],
        lost: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Add the trainings that are not there yet as waiting, and let failed ones wait again.

        Optuna takes no other choices for a parameter than it first had: of a run that came later, what they lack is
        told by its label alone.

        Args:
            units: label, parameters and what these are drawn from.
            lost: labels whose results are gone or too few, so that a done one waits again, too, with these facts.
        """
        from optuna.trial import TrialState, create_trial

        known, lost = self.entries(), lost or {}
        first = {name: drawn for trial in self._trials() for name, drawn in trial.distributions.items()}
        for label, params, distributions in units:
            is_over = label in known and known[label].state in (FAILED, *([DONE] if label in lost else []))
            if label in known and not is_over:
                continue
            space = {name: first.get(name, drawn) for name, drawn in distributions.items()}
            space = {name: drawn for name, drawn in space.items() if _may_be(drawn, params[name])}
            kept = {name: params[name] for name in space}
            facts = {UNIT: label, **lost.get(label, {})}
            self.study.add_trial(
                create_trial(state=TrialState.WAITING, params=kept, distributions=space, user_attrs=facts)
            )

    @_told
    def begin(self, label: str) -> None:
        """Mark a training as running."""
        from optuna.trial import TrialState

        trial = self._trial(label)
        if trial.state == TrialState.WAITING:
            self.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        self.storage.set_trial_user_attr(trial._trial_id, "began", time.time())

    @_told
    def add_fact(self, label: str, key: str, value: Any) -> None:
        """Note something of a running training."""
        self.storage.set_trial_user_attr(self._trial(label)._trial_id, key, value)

    @_told
    def finish(self, label: str, value: float, facts: dict[str, Any]) -> None:
        """Mark a training as done."""
        from optuna.trial import TrialState

        self._end(label, facts, TrialState.COMPLETE, [value])

    @_told
    def fail(self, label: str, error: str) -> None:
        """Mark a training as failed, with the reason in a line."""
        from optuna.trial import TrialState

        self._end(label, {"error": error}, TrialState.FAIL, None)

    def _end(self, label: str, facts: dict[str, Any], state: Any, values: list[float] | None) -> None:
        number = self._trial(label)._trial_id
        for key, fact in facts.items():
            self.storage.set_trial_user_attr(number, key, fact)
        self.storage.set_trial_state_values(number, state, values)

    def _trial(self, label: str) -> FrozenTrial:
        return next(trial for trial in reversed(self._trials()) if trial.user_attrs.get(UNIT) == label)

    def _trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)


def has_ledger(folder: Path) -> bool:
    """Whether a folder holds a study."""
    return (folder / STUDY_DB).exists()


def _may_be(drawn: BaseDistribution, value: Any) -> bool:
    from optuna.distributions import CategoricalDistribution

    return not isinstance(drawn, CategoricalDistribution) or value in drawn.choices


def _by_label(trials: Iterable[FrozenTrial]) -> dict[str, Entry]:
    return {entry.label: entry for entry in map(_entry, trials)}


def _entry(trial: FrozenTrial) -> Entry:
    facts = {key: value for key, value in trial.user_attrs.items() if key != UNIT}
    value = trial.values[0] if trial.values else None
    label = str(trial.user_attrs.get(UNIT, trial.number))
    return Entry(label, WORDS[trial.state.name], value, facts, dict(trial.params), trial.number)
