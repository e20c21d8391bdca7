"""Fits a study to a number of CPU hours: what a training costs is measured, then everything is cut evenly.

The rule. Let a level x go down from 1 in small steps. At a level x every run has ``x`` of its epochs, a side of
``sqrt(x)`` of its own (so ``x`` of the pixels) in steps of 32, and every protocol the first ``x`` of its seeds: each of
the three takes the same share of the cut. The highest level whose estimate fits is taken. Nothing grows when the level
falls, so a smaller budget never means more of anything; folds, runs and trials of a search are never cut.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tumorscope.errors import UsageError
from tumorscope.studies.plan import Experiment, Plan, Unit
from tumorscope.studies.study import Protocol, Search
from tumorscope.training import Recipe

STEP = 0.98
MIN_EPOCHS, MIN_SIDE, SIDE_STEP = 2, 64, 32
SHARES = {"train": 0.70, "val": 0.15, "test": 0.15}
FORWARD = 1 / 3
"""What an answer costs of a training step: forward, without the way back."""
HOUR = 3600.0


@dataclass(frozen=True)
class Cost:
    """What a recipe costs, measured.

    Attributes:
        slice_seconds: CPU seconds of a training step a slice, at `side`.
        fixed_seconds: CPU seconds of a training beside its steps, on a tiny set.
        side: at which it was measured.
    """

    slice_seconds: float
    fixed_seconds: float
    side: int

    def of(self, recipe: Recipe, slices: int) -> float:
        """Return the CPU seconds of a whole training on a set of that many slices."""
        train, val, test = (share * slices for share in SHARES.values())
        per_epoch = (recipe.sampling.epoch_size or train) + FORWARD * val
        once = FORWARD * (train + val + 2 * test)
        here = self.slice_seconds * (recipe.spec.side / self.side) ** 2
        return self.fixed_seconds + here * (recipe.schedule.epochs * per_epoch + once)


@dataclass(frozen=True)
class Budget:
    """What was estimated and cut.

    Attributes:
        hours: asked for.
        level: 1 where nothing had to be cut.
        full_hours: the estimate without a cut.
        cut_hours: the estimate with it.
    """

    hours: float
    level: float
    full_hours: float
    cut_hours: float

    @property
    def words(self) -> str:
        """The decision in a sentence."""
        estimated = f"estimated at {self.full_hours:.2f} CPU hours"
        if self.level >= 1:
            return f"{estimated}, within the budget of {self.hours:g}: nothing is cut"
        share = f"each of epochs, pixels and seeds to {100 * self.level:.0f}% or the next allowed value"
        return f"{estimated}, cut to {self.cut_hours:.2f} for a budget of {self.hours:g}: {share}"


def cost_key(recipe: Recipe) -> str:
    """Return what recipes of equal cost have in common."""
    schedule = recipe.schedule
    return f"{recipe.network!r} {recipe.spec!r} {schedule.batch} {schedule.precision} {recipe.loss.mask > 0}"


def fit_to(
    hours: float, plan: Plan, costs: Mapping[str, Cost], slices: Mapping[str, int], search: Recipe | None = None
) -> tuple[Plan, Budget]:
    """Cut a plan until its estimate fits.

    Args:
        hours: CPU hours.
        plan: the whole of it.
        costs: by `cost_key` of the uncut recipes.
        slices: how many the data has, by a recipe's `channels`.
        search: the uncut recipe of the study's search.

    Raises:
        UsageError: even the deepest cut takes longer.
    """

    def estimate(level: float) -> float:
        return _estimate(cut(plan, level), plan, costs, slices, search, level) / HOUR

    full, level = estimate(1.0), 1.0
    while estimate(level) > hours:
        if cut(plan, level) == cut(plan, 0.0) and level < 1e-3:
            least = estimate(level)
            raise UsageError(
                f"even with the fewest epochs, sides and seeds the study takes some {least:.2g} CPU hours",
                remedy=f"give --cpu-hours {math.ceil(100 * least) / 100:g} or more, or take runs out",
            )
        level *= STEP
    return cut(plan, level), Budget(hours, round(level, 6), full, estimate(level))


def cut(plan: Plan, level: float) -> Plan:
    """Return a plan with epochs, sides and seeds cut to a level between 0 and 1."""
    protocols = {name: _cut_seeds(protocol, level) for name, protocol in plan.study.protocols.items()}
    study = plan.study.model_copy(update={"protocols": protocols})
    return Plan(study, tuple(cut_experiment(experiment, level) for experiment in plan.experiments))


def cut_experiment(experiment: Experiment, level: float) -> Experiment:
    """Return an experiment with its epochs and side cut, and what was cut in words."""
    recipe = cut_recipe(experiment.recipe, level)
    words = [
        f"{name} {before} to {after}"
        for name, before, after in (
            ("epochs", experiment.recipe.schedule.epochs, recipe.schedule.epochs),
            ("side", experiment.recipe.spec.side, recipe.spec.side),
        )
        if after != before
    ]
    return replace(experiment, recipe=recipe, cut=", ".join(words))


def cut_recipe(recipe: Recipe, level: float) -> Recipe:
    """Return a recipe with its epochs and side cut."""
    if level >= 1:
        return recipe
    epochs, frozen, side = recipe.schedule.epochs, recipe.schedule.frozen_epochs, recipe.spec.side
    fewer = max(min(epochs, MIN_EPOCHS), math.floor(epochs * level))
    smaller = max(min(side, MIN_SIDE), math.floor(side * math.sqrt(level) / SIDE_STEP) * SIDE_STEP)
    schedule = recipe.schedule.model_copy(
        update={"epochs": fewer, "frozen_epochs": min(frozen, math.floor(frozen * fewer / epochs + 0.5))}
    )
    return recipe.model_copy(update={"schedule": schedule, "spec": recipe.spec.model_copy(update={"side": smaller})})


def cut_words(before: Plan, after: Plan) -> list[str]:
    """Return what was cut, a sentence part for each protocol and run."""
    seeds = [
        f"protocol {name}: seeds {len(protocol.seeds)} to {len(after.study.protocols[name].seeds)}"
        for name, protocol in before.study.protocols.items()
        if len(after.study.protocols[name].seeds) < len(protocol.seeds)
    ]
    return [*seeds, *(f"{experiment.name}: {experiment.cut}" for experiment in after.experiments if experiment.cut)]


def _cut_seeds(protocol: Protocol, level: float) -> Protocol:
    kept = max(1, math.ceil(len(protocol.seeds) * min(level, 1.0) - 1e-9))
    return protocol.model_copy(update={"seeds": protocol.seeds[:kept]})


def _estimate(
    chosen: Plan, whole: Plan, costs: Mapping[str, Cost], slices: Mapping[str, int], search: Recipe | None, level: float
) -> float:
    before = {experiment.slug: experiment.recipe for experiment in whole.experiments}
    seconds = 0.0
    for unit in chosen.units:
        recipe = chosen.experiment(unit.run).recipe
        seconds += costs[cost_key(before[unit.run])].of(recipe, slices[recipe.channels])
    asked = whole.study.search
    if asked is not None and search is not None:
        trainings = asked.trials + len(_searched_units(chosen, asked))
        cost = costs[cost_key(search)]
        seconds += trainings * cost.of(cut_recipe(search, level), slices[search.channels])
    return seconds


def _searched_units(plan: Plan, search: Search) -> set[Unit]:
    """Return the trainings that the run found by the search will take, under every protocol."""
    protocols = plan.study.protocols.values()
    return {Unit(seed, p.split, fold, search.name) for p in protocols for seed in p.seeds for fold in p.folds or (0,)}
