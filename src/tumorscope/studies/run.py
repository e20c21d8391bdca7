"""A whole study: every training in a process of its own, recorded, resumable, then tables and a page."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from tumorscope.errors import StudyError, UsageError
from tumorscope.files.atomic import write_json, write_text
from tumorscope.files.names import LEADERBOARD, STUDY_PAGE, STUDY_RESULTS
from tumorscope.pages.study import study_page
from tumorscope.progress import Progress
from tumorscope.studies.compare import value_of
from tumorscope.studies.definition import (
    check_data,
    check_empty,
    check_same,
    define,
    is_begun,
    note_definition,
    resolve_data,
)
from tumorscope.studies.document import StudyDocument
from tumorscope.studies.estimate import within_budget
from tumorscope.studies.ledger import DONE, FAILED, UNITS, Ledger
from tumorscope.studies.load import load_study, study_path
from tumorscope.studies.lock import locked
from tumorscope.studies.measured import Measured, answers_of, has_results
from tumorscope.studies.place import AUDIT, CACHE, Place, Say
from tumorscope.studies.plan import RUNS, Plan, Unit, make_plan, searched_recipe
from tumorscope.studies.recorded import train_and_record, work_before
from tumorscope.studies.results import gather, leaderboard
from tumorscope.studies.search import LEDGER as SEARCH
from tumorscope.studies.search import check_space, run_search
from tumorscope.studies.work import Training


@dataclass(frozen=True)
class StudyRun:
    """A study that was run.

    Attributes:
        folder: of the study.
        found: every figure, as in ``study.json``.
        leaderboard: a row for every run under every protocol, as in ``leaderboard.csv``.
        failed: the reason for each training that failed.
    """

    folder: Path
    found: dict[str, Any]
    leaderboard: pd.DataFrame
    failed: dict[str, str]

    @property
    def page(self) -> Path:
        """The page with all of it."""
        return self.folder / STUDY_PAGE


def run_study(
    study: str | Path,
    *,
    out: str | Path,
    data_root: str | Path | None = None,
    cpu_hours: float | None = None,
    jobs: int = 1,
    overrides: Mapping[str, Any] | None = None,
    command: str = "",
    say: Say = lambda _: None,
    progress: Progress | None = None,
) -> StudyRun:
    """Run a study, or go on with one that was interrupted, and write its tables and its page.

    Args:
        study: a YAML file, or the name of a shipped study.
        out: folder of the study.
        data_root: where its data sets lie.
        cpu_hours: cut epochs, sides and seeds until the estimate fits (see `tumorscope.studies.budget`).
        jobs: trainings side by side; the cores are shared among them.
        overrides: recipe keys set in every run.
        command: kept in the result.
        say: told a line for each training.
        progress: told how far it is.

    Raises:
        StudyError: the study is not valid, is not the one that the folder holds, or its data is missing.
        RecipeError, CatalogError, UsageError, OutputError: see the message; the folder stays resumable.
    """
    _check_numbers(jobs, cpu_hours)
    out, chosen, folder = Path(out), load_study(study), study_path(study).parent
    whole = make_plan(chosen, folder, overrides)
    searched = searched_recipe(chosen, folder, overrides)
    place = Place(out, resolve_data(chosen.data, data_root), jobs, say, progress)
    with locked(out):
        check_empty(out)
        ledger = Ledger(out, UNITS)
        for run in check_same(ledger, asked := define(chosen, whole, searched, cpu_hours), out):
            shutil.rmtree(out / RUNS / run, ignore_errors=True)
        if not is_begun(ledger):
            shutil.rmtree(out / AUDIT, ignore_errors=True)  # of data that was given by mistake, it may be
            if searched is not None:
                check_space(chosen, searched)
        place = replace(place, check=partial(check_data, ledger, out=out))
        audit = place.audit()
        plan, searched, budget = within_budget(cpu_hours, whole, searched, ledger, place)
        note_definition(ledger, asked)
        if searched is not None:
            plan = plan.with_experiment(run_search(chosen, searched, place))
        _train_all(plan, ledger, place)
        entries = ledger.entries()
        measured = Measured(plan, entries, out)
        found = gather(measured, whole=whole, budget=budget, audit=audit, command=command, settings=overrides)
        table = write_results(found, out)
        shutil.rmtree(out / CACHE, ignore_errors=True)
        tried = {} if searched is None else Ledger.read(out, SEARCH)
    ended = {**tried, **entries}.items()
    failed = {label: str(entry.facts.get("error")) for label, entry in ended if entry.state == FAILED}
    return StudyRun(out, found, table, failed)


def write_results(found: dict[str, Any], out: Path) -> pd.DataFrame:
    """Write ``leaderboard.csv``, ``study.json`` and ``study.html``; return the leaderboard.

    Raises:
        OutputError: the folder cannot be written.
    """
    table = leaderboard(found)
    write_text(out / LEADERBOARD, table.to_csv(index=False, lineterminator="\n"))
    write_json(out / STUDY_RESULTS, StudyDocument.checked(found))
    write_text(out / STUDY_PAGE, study_page(found))
    return table


def _check_numbers(jobs: int, cpu_hours: float | None) -> None:
    if jobs < 1:
        raise UsageError(f"{jobs} trainings side by side are not possible", remedy="give --jobs a number from 1 on")
    if cpu_hours is not None and not math.isfinite(cpu_hours):
        raise UsageError(
            f"a budget of {cpu_hours} hours is not possible", remedy="give --cpu-hours a number, or leave it out"
        )


def _train_all(plan: Plan, ledger: Ledger, place: Place) -> None:
    """Train what is not done yet."""
    from optuna.distributions import BaseDistribution, CategoricalDistribution

    units = {unit.label: unit for unit in plan.units}
    names = ("run", "split", "fold", "seed")
    space: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(list(dict.fromkeys(getattr(unit, name) for unit in plan.units))) for name in names
    }
    known = ledger.entries()
    lost = {
        label: work_before(unit.folder(place.out), known.get(label))
        for label, unit in units.items()
        if not has_results(plan, unit, place.out)
    }
    enrolled = ((label, {name: getattr(u, name) for name in names}, space) for label, u in units.items())
    ledger.enroll(enrolled, lost=lost)
    entries = ledger.entries()
    left = [unit for label, unit in units.items() if entries[label].state != DONE]
    if left:
        place.say(f"{len(left)} of {len(units)} trainings to do, {place.jobs} at a time")
    trainings = (_training(plan, unit, place) for unit in left)
    train_and_record(ledger, trainings, place.jobs, _judge(plan, units, place.out), _counted(place, len(left)))


def _training(plan: Plan, unit: Unit, place: Place) -> Training:
    recipe = plan.experiment(unit.run).recipe
    return place.training(unit.label, recipe, unit, unit.folder(place.out), parts=plan.parts_of(unit))


def _judge(plan: Plan, units: Mapping[str, Unit], out: Path) -> Callable[[Training], tuple[float, dict[str, Any]]]:
    def judge(training: Training) -> tuple[float, dict[str, Any]]:
        unit, metric, found = units[training.label], plan.study.metric, {}
        for name in plan.protocols_of(unit):
            value = value_of(metric, answers_of([unit], plan.study.protocols[name], out))
            if value is not None:
                found[name] = value
        if not found:
            raise StudyError(f"{metric} cannot be measured on its slices", remedy="choose another metric or protocol")
        return next(iter(found.values())), {"figures": found}

    return judge


def _counted(place: Place, total: int) -> Say:
    """Return a teller that numbers its lines."""
    done = 0

    def say(line: str) -> None:
        nonlocal done
        done += 1
        place.say(f"[{done}/{total}] {line}")

    return say
