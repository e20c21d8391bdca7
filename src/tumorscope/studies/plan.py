"""From a study to what has to be trained: runs with their resolved recipes, trainings with their splits and seeds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tumorscope.errors import RecipeError, StudyError, did_you_mean
from tumorscope.studies.study import RunEntry, Study, option_name
from tumorscope.training import Recipe, load_recipe
from tumorscope.training.recipe import flat

RUNS = "runs"


@dataclass(frozen=True)
class Experiment:
    """One run of a study: what the leaderboard has a row for, under each of its protocols.

    Attributes:
        name: in the table.
        recipe: as resolved; its seed is set by each training.
        protocols: names of those it takes part in.
        choices: what its grid chose, key -> option.
        group: the name of the entry that it was made from.
        note: shown beside its row.
        cut: what a budget took away, in words.
    """

    name: str
    recipe: Recipe
    protocols: tuple[str, ...]
    choices: dict[str, str] = field(default_factory=dict)
    group: str = ""
    note: str = ""
    cut: str = ""

    @property
    def slug(self) -> str:
        """The name as a folder's name."""
        return slug(self.name)


@dataclass(frozen=True, order=True)
class Unit:
    """One training.

    Attributes:
        seed: of split and training.
        split: as for `tumorscope.train`.
        fold: the tested one, 0 where the split has no folds.
        run: the experiment's slug.
    """

    seed: int
    split: str
    fold: int
    run: str

    @property
    def label(self) -> str:
        """A unique name, which is also its folder under ``runs/``."""
        fold = f"-fold{self.fold}" if self.fold else ""
        return f"{self.run}/{slug(self.split)}{fold}-seed{self.seed}"

    def folder(self, out: Path) -> Path:
        """Return its run folder."""
        return out / RUNS / self.label


@dataclass(frozen=True)
class Plan:
    """All that a study trains.

    Attributes:
        study: the study; a budget may have taken seeds off its protocols.
        experiments: in the order of the study.
    """

    study: Study
    experiments: tuple[Experiment, ...]

    @property
    def units(self) -> tuple[Unit, ...]:
        """Every training once, seed by seed, so that what is done first is comparable."""
        found = {unit for experiment in self.experiments for name in experiment.protocols
                 for unit in self.units_of(experiment, name)}  # fmt: skip
        order = {experiment.slug: at for at, experiment in enumerate(self.experiments)}
        splits = list(dict.fromkeys(protocol.split for protocol in self.study.protocols.values()))
        return tuple(sorted(found, key=lambda u: (u.seed, splits.index(u.split), u.fold, order[u.run])))

    def units_of(self, experiment: Experiment, protocol: str) -> tuple[Unit, ...]:
        """Return the trainings that one experiment's figure under one protocol is made of."""
        chosen = self.study.protocols[protocol]
        return tuple(
            Unit(seed, chosen.split, fold, experiment.slug) for seed in chosen.seeds for fold in chosen.folds or (0,)
        )

    def protocols_of(self, unit: Unit) -> tuple[str, ...]:
        """Return the names of the protocols that a training belongs to."""
        experiment = self.experiment(unit.run)
        return tuple(name for name in experiment.protocols if unit in self.units_of(experiment, name))

    def parts_of(self, unit: Unit) -> tuple[str, ...]:
        """Return which parts of the split, 'test', 'val' or 'train', a training is measured on."""
        return tuple(sorted({self.study.protocols[name].part for name in self.protocols_of(unit)}))

    def experiment(self, run: str) -> Experiment:
        """Return the experiment of that slug."""
        return next(experiment for experiment in self.experiments if experiment.slug == run)

    def with_experiment(self, experiment: Experiment) -> Plan:
        """Return the plan with one experiment more."""
        return replace(self, experiments=(*self.experiments, experiment))


def make_plan(study: Study, folder: Path, overrides: Mapping[str, Any] | None = None) -> Plan:
    """Resolve the recipes and grids of a study.

    Args:
        study: a checked one.
        folder: where its file lies; paths of recipes are relative to it.
        overrides: recipe keys set in every run, over what the study says; with a run's name before, as in
            ``resnet50:network.weights``, in that run alone.

    Raises:
        RecipeError: a recipe does not exist, or a key of it is wrong.
        StudyError: two runs have one name, an override names none or is of a key that a grid varies, or a claim is of
            no option.
    """
    given = _by_run(overrides or {}, _entries(study))
    experiments = [made for run in study.runs for made in _experiments(run, study, folder, given[run.name])]
    _check_claims(study, experiments)
    _check_names([one.name for one in experiments] + ([] if study.search is None else [study.search.name]))
    return Plan(study, tuple(experiments))


def searched_recipe(study: Study, folder: Path, overrides: Mapping[str, Any] | None = None) -> Recipe | None:
    """Resolve the recipe of a study's search; None where it has none.

    Args:
        study: a checked one.
        folder: where its file lies.
        overrides: as for `make_plan`; the search has the name of the run that it becomes.

    Raises:
        RecipeError: it does not exist, or a key of it is wrong.
        StudyError: an override names no run, or is of a key that the search draws.
    """
    if study.search is None:
        return None
    given = _by_run(overrides or {}, _entries(study))[study.search.name]
    if set_twice := set(study.search.space) & set(flat(given)):
        raise StudyError(
            f"the search draws {min(set_twice)}, so that it cannot be set for all runs",
            remedy="set it in a run, as RUN:KEY=VALUE, or copy the study and change its search",
        )
    return resolve_recipe(study.search.recipe, folder, {**study.search.set, **given})


def resolve_recipe(name: str, folder: Path, settings: Mapping[str, Any]) -> Recipe:
    """Load a recipe that a study names: shipped, or a YAML file whose path starts at the study's folder."""
    path = Path(name)
    is_file = path.suffix in (".yaml", ".yml")
    chosen = folder / path if is_file else name
    load_recipe(chosen)  # so that what is wrong from here on is wrong with the settings
    try:
        return load_recipe(chosen, dict(settings))
    except RecipeError as error:
        raise RecipeError(f"what is set over {name}: {error.what}", remedy=error.remedy) from error


def slug(name: str) -> str:
    """Return a name as a folder's name: letters, digits, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9._=]+", "-", name).strip("-.")


def _entries(study: Study) -> list[str]:
    """Return the names that an override may have before it."""
    return [*(run.name for run in study.runs), *([] if study.search is None else [study.search.name])]


def _by_run(overrides: Mapping[str, Any], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the overrides of each run: first those of all, then its own."""
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in sorted(overrides.items(), key=lambda pair: ":" in pair[0]):
        name, colon, own = key.rpartition(":")
        if colon and name not in found:
            raise StudyError(f"no run is called '{name}'", remedy=did_you_mean(name, names))
        for run in [name] if colon else names:
            found[run][own] = value
    return found


def _experiments(run: RunEntry, study: Study, folder: Path, overrides: dict[str, Any]) -> Iterator[Experiment]:
    grid = [_options(key, options) for key, options in run.grid.items()]
    axes = [{key for _, _, values in options for key in flat(values)} for options in grid]
    if shared := {key for at, axis in enumerate(axes) for key in axis if any(key in other for other in axes[:at])}:
        raise StudyError(f"the grid of '{run.name}' sets {min(shared)} twice", remedy="vary it in one place")
    if set_twice := set().union(*axes) & set(flat(overrides)):
        raise StudyError(
            f"the grid of '{run.name}' varies {min(set_twice)}, so that it cannot be set for all of its runs",
            remedy="set it in a run without that grid, as RUN:KEY=VALUE, or copy the study and change its grid",
        )
    for chosen in itertools.product(*grid):
        choices = {key: name for key, name, _ in chosen}
        settings = {**run.set, **{k: v for _, _, values in chosen for k, v in values.items()}, **overrides}
        yield Experiment(
            name=" ".join([run.name, *(f"{key.rpartition('.')[2]}={name}" for key, name in choices.items())]),
            recipe=resolve_recipe(run.recipe, folder, settings),
            protocols=tuple(study.protocols) if run.protocols is None else run.protocols,
            choices=choices,
            group=run.name,
            note=run.note,
        )


def _options(key: str, options: list[Any] | dict[str, dict[str, Any]]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (key, the option's name, the recipe keys it sets)."""
    if isinstance(options, dict):
        return [(key, name, values) for name, values in options.items()]
    return [(key, option_name(value), {key: value}) for value in options]


def _check_claims(study: Study, experiments: Sequence[Experiment]) -> None:
    for table in study.tables:
        base, *options = dict.fromkeys(one.choices[table.of] for one in experiments if table.of in one.choices)
        if unknown := set(table.claims) - set(options):
            wrong = min(unknown)
            raise StudyError(
                f"tables: '{table.of}' has no option '{wrong}' that is compared with '{base}'",
                remedy=did_you_mean(wrong, options),
            )


def _check_names(names: Sequence[str]) -> None:
    """Make sure that every name has a folder of its own."""
    seen: set[str] = set()
    for name in names:
        folder = slug(name).lower()
        if not folder:
            raise StudyError(f"'{name}' cannot name a folder", remedy="give the run a name with a letter a to z")
        if folder in seen:
            raise StudyError(f"two runs are called '{name}'", remedy="give each a name of its own")
        seen.add(folder)
