"""What a study has done, in one SQLite file: an Optuna storage with a trial for every training.

A trial's parameters are what tells a training from the others (run, split, fold, seed), its value is the study's
metric, and its user attributes are what came out. Optuna's own tools (its dashboard, its data frames) read the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.errors import MissingExtraError, StudyError
from tumorscope.folders import STUDY_DB

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
WORDS = {"WAITING": WAITING, "RUNNING": RUNNING, "COMPLETE": DONE, "FAIL": FAILED, "PRUNED": FAILED}
UNIT = "unit"
UNITS = "units"
"""The name of the ledger of a study's runs; that of its search has another."""


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


class Ledger:
    """The record of one set of trainings; several may stand in one file.

    Only one process at a time writes (see `locked`); any number read.
    """

    def __init__(self, folder: Path, name: str, *, maximize: bool = True) -> None:
        """Open the ledger in a study's folder, or begin it."""
        optuna = _optuna()
        folder.mkdir(parents=True, exist_ok=True)
        with _readable(folder):
            self.storage: RDBStorage = optuna.storages.RDBStorage(f"sqlite:///{folder / STUDY_DB}")
            self.study = optuna.create_study(
                storage=self.storage,
                study_name=name,
                direction="maximize" if maximize else "minimize",
                load_if_exists=True,
            )

    @classmethod
    def read(cls, folder: Path, name: str) -> dict[str, Entry]:
        """Return the trainings of a ledger without beginning one; none where there is none."""
        optuna = _optuna()
        with _readable(folder):
            storage = optuna.storages.RDBStorage(f"sqlite:///{folder / STUDY_DB}")
            if name not in optuna.get_all_study_names(storage):
                return {}
            return _by_label(optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False))

    def note(self, key: str, value: Any) -> None:
        """Keep a fact about all of it, as plain data."""
        self.study.set_user_attr(key, value)

    def noted(self, key: str) -> Any:
        """Return a kept fact, or None."""
        return self.study.user_attrs.get(key)

    def entries(self) -> dict[str, Entry]:
        """Return every training by its label, as it stands now; of one that was tried again the last attempt."""
        return _by_label(self._trials())

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

    def begin(self, label: str) -> None:
        """Mark a training as running."""
        from optuna.trial import TrialState

        trial = self._trial(label)
        if trial.state == TrialState.WAITING:
            self.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        self.storage.set_trial_user_attr(trial._trial_id, "began", time.time())

    def add_fact(self, label: str, key: str, value: Any) -> None:
        """Note something of a running training."""
        self.storage.set_trial_user_attr(self._trial(label)._trial_id, key, value)

    def finish(self, label: str, value: float, facts: dict[str, Any]) -> None:
        """Mark a training as done."""
        from optuna.trial import TrialState

        self._end(label, facts, TrialState.COMPLETE, [value])

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


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Say in a line that the file is no ledger, or cannot be opened."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).splitlines()[0]
        raise StudyError(
            f"cannot be read as the record of a study ({why})", file=folder / STUDY_DB, remedy="give a new --out"
        ) from error


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


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "a study needs optuna, which is not installed", remedy="pip install 'tumorscope[train]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
