"""What a training costs, measured: a few steps of every kind of recipe on a tiny phantom."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tumorscope.errors import StudyError
from tumorscope.files.names import RECIPE
from tumorscope.studies.budget import Budget, Cost, cost_key, cut, cut_recipe, fit_to
from tumorscope.studies.ledger import Ledger
from tumorscope.studies.place import Place, write_recipe
from tumorscope.studies.plan import Plan
from tumorscope.studies.work import Ended, Training, limit_threads, threads_each, work_through
from tumorscope.training import Recipe
from tumorscope.words import NOTUMOR, TUMOR

PROBES = "probes"
PROBE_STEPS = 4
PROBE_DATA = "phantom:96"
NOTED = "budget"


def within_budget(
    hours: float | None, whole: Plan, searched: Recipe | None, ledger: Ledger, place: Place
) -> tuple[Plan, Recipe | None, Budget | None]:
    """Cut a plan to a budget; what was measured and decided first is kept when the study goes on.

    Args:
        hours: CPU hours; None cuts nothing.
        whole: the plan without a cut.
        searched: the recipe of the study's search, if it has one.
        ledger: keeps the decision.
        place: of the study.

    Returns:
        The plan, the search's recipe and the decision.

    Raises:
        UsageError: even the deepest cut takes longer.
        StudyError: a run cannot be measured.
    """
    if hours is None:
        return whole, searched, None
    if (noted := ledger.noted(NOTED)) is None:
        recipes = [experiment.recipe for experiment in whole.experiments] + ([searched] if searched else [])
        slices = {str(name): len(place.catalog(name).table) for name in {recipe.channels for recipe in recipes}}
        _, budget = fit_to(hours, whole, measure(recipes, place), slices, searched)
        ledger.note(NOTED, asdict(budget))
    else:
        budget = Budget(**noted)
    place.say(budget.words)
    return cut(whole, budget.level), None if searched is None else cut_recipe(searched, budget.level), budget


def measure(recipes: Sequence[Recipe], place: Place) -> dict[str, Cost]:
    """Time each kind of recipe in a process of its own, one after the other, so that none slows another down.

    Raises:
        StudyError: one cannot be trained.
    """
    kinds = {cost_key(recipe): recipe for recipe in reversed(recipes)}
    trainings = {
        str(number): probe_training(str(number), recipe, place.out / PROBES / str(number))
        for number, recipe in enumerate(kinds.values())
    }
    found: dict[str, Ended] = {}
    shutil.rmtree(place.out / PROBES, ignore_errors=True)  # of a measurement that was interrupted
    place.say(
        f"measuring what a training costs ({len(trainings)} kind{'s' * (len(trainings) > 1)} of network and side)"
    )
    work_through(
        probe, trainings.values(), 1, lambda _: None, lambda training, ended: found.update({training.label: ended})
    )
    shutil.rmtree(place.out / PROBES, ignore_errors=True)
    if errors := [ended.error for ended in found.values() if ended.error is not None]:
        raise StudyError(
            f"what a run costs cannot be measured ({errors[0]})", remedy="mend it or leave --cpu-hours out"
        )
    return {
        key: Cost(
            found[str(number)].facts["step_seconds"] / recipe.schedule.batch,
            found[str(number)].facts["fixed_seconds"],
            recipe.spec.side,
        )
        for number, (key, recipe) in enumerate(kinds.items())
    }


def probe_training(label: str, recipe: Recipe, folder: Path) -> Training:
    """Return the training that measures what a recipe costs: a few steps on a tiny phantom."""
    overrides = {
        "classes": (NOTUMOR, TUMOR) if recipe.network.output == "sigmoid" else None,
        "exclude_patients": (),
        "exclude_twins_of": (),
        "schedule.epochs": 1,
        "schedule.frozen_epochs": 0,
        "schedule.patience": None,
        "sampling.epoch_size": PROBE_STEPS * recipe.schedule.batch,
    }
    return Training(
        label=label,
        data=(PROBE_DATA,),
        recipe=write_recipe(recipe, folder / RECIPE),
        overrides=overrides,
        split="grouped",
        fold=None,
        folder=folder / "run",
        parts=(),
        threads=threads_each(1),
        log=folder / "probe.log",
        cache=folder / "cache",
    )


def probe(training: Training) -> dict[str, Any]:
    """Train for a few steps and time them; runs in a process of its own."""
    from tumorscope.training import train

    limit_threads(training.threads)
    marks: list[float] = []

    def note(what: str, _done: int, _total: int) -> None:
        if what.startswith("epoch"):
            marks.append(time.process_time())

    start = time.process_time()
    train(
        list(training.data),
        recipe=training.recipe,
        out=training.folder,
        overrides=training.overrides,
        resume=True,
        progress=note,
    )
    total = time.process_time() - start
    steps = sorted(after - before for before, after in itertools.pairwise(marks))
    step = steps[len(steps) // 2] if steps else total
    return {"step_seconds": step, "fixed_seconds": max(0.0, total - step * len(marks))}
