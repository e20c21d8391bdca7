"""An Optuna search: settings are drawn one after the other, each judged on the validation part of one split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tumorscope.errors import RecipeError, StudyError
from tumorscope.files.names import LOG
from tumorscope.studies.ledger import DONE, Entry, Ledger
from tumorscope.studies.place import Place
from tumorscope.studies.plan import Experiment, Unit, slug
from tumorscope.studies.recorded import train_and_record
from tumorscope.studies.study import Option, Range, Search, Study
from tumorscope.training import Recipe
from tumorscope.training.curves import kept_epoch
from tumorscope.training.recipe import parse_recipe, set_key

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEDGER = "search"
FOLDER = "search"
CHOSEN = "chosen"
START_SHARE = 3
"""The first third of the trials is drawn at random, the rest where good ones were found (TPE, Bergstra et al. 2011)."""


def run_search(study: Study, recipe: Recipe, place: Place) -> Experiment:
    """Try the settings of a study's search, one after the other, and return the best as a run.

    Args:
        study: that has a search.
        recipe: of the search, as resolved.
        place: of the study.

    Raises:
        StudyError: no trial ended well.
    """
    search = study.search
    assert search is not None
    ledger = Ledger(place.out, LEDGER, maximize=search.by != "val_loss")
    chosen = ledger.noted(CHOSEN) or _choose(search, recipe, ledger, place)
    settings = ", ".join(f"{key.rpartition('.')[2]} {_text(value)}" for key, value in chosen["settings"].items())
    note = f"best of {chosen['trials']} trials by {search.by.replace('val_', 'validation ')}: {settings}"
    return Experiment(search.name, with_settings(recipe, chosen["settings"]), tuple(study.protocols), note=note)


def _choose(search: Search, recipe: Recipe, ledger: Ledger, place: Place) -> dict[str, Any]:
    """Try all settings and note the best for good: what was chosen is trained next, and must not change under it."""
    for number in range(search.trials):
        entry = ledger.entries().get(label(number))
        if entry is None or entry.state != DONE:
            _try(search, recipe, number, ledger, place)
    entries = ledger.entries()
    ended = sum(entry.state == DONE for entry in entries.values())
    chosen = {"settings": best(search, entries).params, "trials": ended}
    ledger.note(CHOSEN, chosen)
    return chosen


def _try(search: Search, recipe: Recipe, number: int, ledger: Ledger, place: Place) -> None:
    name, done = label(number), ledger.entries()
    params = done[name].params if name in done else draw(search, number, done)
    ledger.enroll([(name, params, distributions(search))])
    place.say(f"{name}: " + ", ".join(f"{key} {_text(value)}" for key, value in params.items()))
    unit = Unit(search.seed, search.split, 0, f"{slug(search.name)}-trial{number:03d}")
    training = place.training(name, with_settings(recipe, params), unit, place.out / name, jobs=1)
    train_and_record(ledger, [training], 1, lambda training: (judge(search, training.folder / LOG), {}), place.say)


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Return a recipe with dotted keys set.

    Raises:
        RecipeError: a key or a value is wrong.
    """
    values = recipe.model_dump(mode="json")
    for key, value in settings.items():
        set_key(values, key, value)
    return parse_recipe(values, Path(recipe.name))


def check_space(study: Study, recipe: Recipe) -> None:
    """Make sure, before hours are spent on the first trials, that what a study's search draws makes a recipe.

    Tried are every value of a list, and the ends and the middle of a range, each beside the first ones of the others.

    Raises:
        RecipeError: a key or a value is wrong.
    """
    search = study.search
    assert search is not None
    values = {key: _some(space) for key, space in search.space.items()}
    first = {key: some[0] for key, some in values.items()}
    for key, some in values.items():
        for value in some:
            try:
                with_settings(recipe, {**first, key: value})
            except RecipeError as error:
                raise RecipeError(
                    f"what search.space sets over {recipe.name}: {error.what}", remedy=error.remedy
                ) from error


def _some(space: Range | list[Option]) -> list[Option]:
    if not isinstance(space, Range):
        return space
    is_whole = isinstance(space.low, int) and isinstance(space.high, int)
    return [space.low, space.low if is_whole else (space.low + space.high) / 2, space.high]


def label(number: int) -> str:
    """Return the name of a trial."""
    return f"{FOLDER}/trial{number:03d}"


def distributions(search: Search) -> dict[str, BaseDistribution]:
    """Return what each key is drawn from."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for key, space in search.space.items():
        if not isinstance(space, Range):
            found[key] = CategoricalDistribution(space)
        elif isinstance(space.low, int) and isinstance(space.high, int):
            found[key] = IntDistribution(space.low, space.high, log=space.log)
        else:
            found[key] = FloatDistribution(float(space.low), float(space.high), log=space.log)
    return found


def draw(search: Search, number: int, done: Mapping[str, Entry]) -> dict[str, Any]:
    """Draw the settings of a trial.

    They depend on the seed, the number and the trials before it alone, so that a search that was killed draws what an
    undisturbed one does.

    Args:
        search: what to draw from.
        number: of the trial, from 0.
        done: the trials before it.
    """
    import optuna

    space = distributions(search)
    sampler = optuna.samplers.TPESampler(
        seed=1000 * search.seed + number, n_startup_trials=max(1, search.trials // START_SHARE)
    )
    study = optuna.create_study(direction="minimize" if search.by == "val_loss" else "maximize", sampler=sampler)
    for before in range(number):
        entry = done.get(label(before))
        if entry is not None and entry.state == DONE and entry.value is not None:
            study.add_trial(optuna.trial.create_trial(params=entry.params, distributions=space, value=entry.value))
    return dict(study.ask(space).params)


def judge(search: Search, log: Path) -> float:
    """Return what a training's log says of the epoch that it keeps."""
    rows = pd.read_csv(log)
    return float(rows[search.by].iloc[kept_epoch(rows)])


def best(search: Search, done: Mapping[str, Entry]) -> Entry:
    """Return the best trial; of equals the first.

    Raises:
        StudyError: none ended well.
    """
    ended = [entry for entry in done.values() if entry.state == DONE and entry.value is not None]
    if not ended:
        why = next((entry.facts.get("error", "") for entry in done.values()), "")
        raise StudyError(f"no trial of the search ended well ({why})", remedy="mend it, then run the study again")
    sign = 1 if search.by == "val_loss" else -1
    return min(ended, key=lambda entry: (sign * (entry.value or 0.0), entry.label))


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
