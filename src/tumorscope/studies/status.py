"""How far a study is, read from its folder while it runs or after."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from tumorscope.errors import StudyError
from tumorscope.files.names import LOG, RECIPE
from tumorscope.studies import search
from tumorscope.studies.ledger import RUNNING, UNITS, Entry, Ledger, has_ledger
from tumorscope.studies.lock import is_locked
from tumorscope.studies.plan import RUNS

STOPPED = "stopped"


@dataclass(frozen=True)
class TrainingStatus:
    """One training.

    Attributes:
        label: of the unit.
        state: 'waiting', 'running', 'stopped' (begun, but nobody works on it now), 'done' or 'failed'.
        epoch: the last one that ended.
        epochs: of how many; 0 where it has not begun.
        value: the study's metric, of a done one.
        minutes: that it took.
        error: of a failed one.
    """

    label: str
    state: str
    epoch: int
    epochs: int
    value: float | None
    minutes: float | None
    error: str


@dataclass(frozen=True)
class StudyStatus:
    """A study.

    Attributes:
        folder: of the study.
        is_running: whether a process works on it.
        trainings: of its search, then of its runs.
    """

    folder: Path
    is_running: bool
    trainings: tuple[TrainingStatus, ...]


def read_status(folder: Path) -> StudyStatus:
    """Read how far a study is.

    Raises:
        StudyError: the folder holds none.
    """
    if not has_ledger(folder):
        raise StudyError("holds no study", file=folder, remedy="give the --out of a tumorscope study run")
    is_running = is_locked(folder)
    found = [
        _status(entry, place, is_running)
        for name, root in ((search.LEDGER, folder), (UNITS, folder / RUNS))
        for entry in Ledger.read(folder, name).values()
        for place in [root / entry.label]
    ]
    return StudyStatus(folder, is_running, tuple(found))


def _status(entry: Entry, place: Path, is_running: bool) -> TrainingStatus:
    state = STOPPED if entry.state == RUNNING and not is_running else entry.state
    epoch, epochs = _epochs(place)
    error = str(entry.facts.get("error", ""))
    return TrainingStatus(entry.label, state, epoch, epochs, entry.value, entry.facts.get("minutes"), error)


def _epochs(place: Path) -> tuple[int, int]:
    """Return how many epochs ended, and how many there will be at most."""
    try:
        recipe = yaml.safe_load((place / RECIPE).read_text(encoding="utf-8"))["recipe"]
        log = place / LOG
        done = len(log.read_text(encoding="utf-8").splitlines()) - 1 if log.is_file() else 0
        return done, int(recipe["schedule"]["epochs"])
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError):
        return 0, 0
