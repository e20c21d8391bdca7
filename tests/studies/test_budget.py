"""Cutting a study to a budget: even, monotone, and never silent."""

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from tumorscope.catalog.phantom import CLASSES as PHANTOM_CLASSES
from tumorscope.errors import UsageError
from tumorscope.studies.budget import Cost, cost_key, cut, cut_words, fit_to
from tumorscope.studies.estimate import probe_training
from tumorscope.studies.load import parse_study, shipped_studies
from tumorscope.studies.plan import make_plan
from tumorscope.training.recipe import load_recipe


@pytest.fixture
def plan():
    values = {
        "name": "cut",
        "data": ["phantom:96"],
        "protocols": {"p": {"split": "random", "seeds": [0, 1, 2, 3, 4]}, "f": {"split": "folds", "folds": [1, 2]}},
        "runs": [
            {"name": "a", "recipe": "smoke", "set": {"schedule.epochs": 50, "spec.side": 240}},
            {"name": "b", "recipe": "smoke", "set": {"schedule.epochs": 10, "spec.side": 96}},
        ],
    }
    return make_plan(parse_study(values, Path("cut.yaml")), Path())


def costs(plan):
    return {cost_key(e.recipe): Cost(0.01, 5.0, e.recipe.spec.side) for e in plan.experiments}


def sizes(plan):
    recipes = [e.recipe for e in plan.experiments]
    seeds = [len(p.seeds) for p in plan.study.protocols.values()]
    return [value for r in recipes for value in (r.schedule.epochs, r.spec.side)] + seeds


def test_the_cost_of_a_training_by_hand(plan):
    recipe = plan.experiments[1].recipe
    wanted = 5 + 0.01 * (10 * (700 + 150 / 3) + (700 + 150 + 300) / 3)
    assert Cost(0.01, 5.0, 96).of(recipe, 1000) == pytest.approx(wanted)
    smaller = recipe.model_copy(update={"spec": recipe.spec.model_copy(update={"side": 48})})
    assert Cost(0.01, 5.0, 96).of(smaller, 1000) == pytest.approx(5 + (wanted - 5) / 4), "pixels count"


@pytest.mark.parametrize("name", ["navoneel-cnn", "masoud-plain"])
def test_what_is_timed_on_the_phantom_can_tell_its_classes_apart(tmp_path, name):
    pytest.importorskip("torch")
    from tumorscope.training.network import Network
    from tumorscope.training.samples import choose_classes

    file = shipped_studies()["phantom"].parent / "recipes" / f"{name}.yaml"
    training = probe_training("0", load_recipe(file, {"spec.side": 64}), tmp_path)
    recipe = load_recipe(training.recipe, training.overrides)
    classes = choose_classes(pd.Series(PHANTOM_CLASSES), recipe.classes)
    assert len(Network(recipe.network, len(classes), recipe.spec.side).classifier.weight) in (1, len(classes))


def test_a_large_budget_cuts_nothing(plan):
    fitted, budget = fit_to(1000, plan, costs(plan), {"one": 1000})
    assert fitted == plan
    assert (budget.level, cut_words(plan, fitted)) == (1, [])
    assert "nothing is cut" in budget.words


def test_half_of_everything_is_half_of_everything(plan):
    found = cut(plan, 0.5)
    assert sizes(found) == [25, 160, 5, 64, 3, 1]
    assert found.experiments[0].cut == "epochs 50 to 25, side 240 to 160"
    assert found.study.protocols["f"].folds == (1, 2), "folds are never cut"
    assert cut_words(plan, found)[0] == "protocol p: seeds 5 to 3"


def test_a_smaller_budget_never_gives_more_of_anything_and_always_fits(plan):
    hours = [8, 4, 2, 1, 0.5, 0.25, 0.12]
    found = [fit_to(h, plan, costs(plan), {"one": 1000}) for h in hours]
    assert all(budget.cut_hours <= h for h, (_, budget) in zip(hours, found, strict=True))
    for (larger, _), (smaller, _) in pairwise(found):
        assert all(a >= b for a, b in zip(sizes(larger), sizes(smaller), strict=True))
    assert fit_to(1, plan, costs(plan), {"one": 1000}) == found[3], "the same call cuts the same"


def test_what_no_cut_can_fit_is_an_error_that_says_what_would(plan):
    with pytest.raises(UsageError, match="give --cpu-hours") as error:
        fit_to(0.001, plan, costs(plan), {"one": 1000})
    least = float(str(error.value).split("--cpu-hours ")[1].split()[0])
    assert fit_to(least, plan, costs(plan), {"one": 1000})[1].cut_hours <= least
