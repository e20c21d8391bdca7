"""A study's YAML, and what it says is to be trained."""

import re
from pathlib import Path

import pytest
import yaml

from tumorscope.errors import CatalogError, RecipeError, StudyError
from tumorscope.studies.definition import resolve_data
from tumorscope.studies.load import load_study, parse_study, shipped_studies
from tumorscope.studies.plan import make_plan, searched_recipe
from tumorscope.studies.search import check_space
from tumorscope.training import load_recipe

BASE = {
    "name": "small",
    "data": ["phantom:96"],
    "protocols": {
        "published": {"split": "random", "seeds": [0, 1]},
        "honest": {"split": "folds", "folds": [1, 2, 3]},
    },
    "runs": [{"name": "a", "recipe": "smoke"}],
}


def study(**changes):
    return parse_study({**BASE, **changes}, Path("small.yaml"))


def test_defaults_of_protocols_follow_their_split():
    found = study().protocols
    assert (found["published"].slices, found["published"].is_leaky) == ("full", True)
    assert (found["honest"].slices, found["honest"].is_leaky, found["honest"].seeds) == ("leak_free", False, (0,))
    assert study(protocols={"p": {"split": "folds"}}).protocols["p"].folds == (1, 2, 3, 4, 5)
    assert study(protocols={"p": {"split": "grouped", "part": "val"}}).protocols["p"].is_leaky


@pytest.mark.parametrize(
    ("slices", "leaky"), [("full", True), ("copies", True), ("twin_free", True), ("leak_free", False)]
)
def test_without_twins_a_published_split_still_leaks_by_patient(slices, leaky):
    found = study(protocols={"p": {"split": "official", "slices": slices}}).protocols["p"]
    assert found.is_leaky is leaky


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metrik": "auc"}, "unknown key 'metrik'; did you mean 'metric'"),
        ({"metric": "f2"}, "'metric'"),
        ({"protocols": {"p": {"split": "randon"}}}, "did you mean 'random'"),
        ({"protocols": {"p": {"split": "grouped", "folds": [1]}}}, "folds 1 to 5 go with"),
        ({"protocols": {"p": {"split": "random", "part": "val", "slices": "leak_free"}}}, "part: val"),
        ({"protocols": {"p": {"split": "grouped", "slices": "copies"}}}, "slices: copies"),
        ({"protocols": {"p": {"split": "grouped", "part": "train", "slices": "leak_free"}}}, "part: train"),
        ({"runs": [{"name": "a", "protocols": ["nobody"]}]}, "no protocol 'nobody'"),
        (
            {"search": {"space": {"seed": [1]}, "split": "groped"}},
            "'groped' cannot be a split here; did you mean 'grouped'",
        ),
        ({"search": {"space": {"seed": [1]}, "split": "folds"}}, "choose one of: grouped, official, random"),
        ({"runs": []}, "neither a run nor a search"),
        ({"runs": [{"name": "a", "grid": {"augment.flip": []}}]}, "'augment.flip' needs a list of values, or names"),
        ({"runs": [{"name": "a", "grid": {"augment.flip": 0.5}}]}, "'augment.flip' needs a list of values, or names"),
        ({"search": {"space": {"seed": 3}}}, "'seed' needs a list of choices, or a range"),
        ({"search": {"space": {"seed": {"low": 1, "lgo": 2}}}}, "unknown key 'search.space.seed.lgo'"),
        ({"search": {"space": {"seed": {"low": 2, "high": 1}}}}, "from low to a larger high"),
        ({"data": []}, "'data': is empty"),
        ({"protocols": {"p": {"split": "benchmark:foo"}}}, "there is no benchmark 'foo'"),
        ({"protocols": {"p": {"split": "random", "seeds": [-1]}}}, "greater than or equal to 0"),
        ({"published": {"value": float("nan")}}, "'published.value'"),
        ({"search": {"space": {"schedule.lr": {"low": 1, "high": float("inf")}}}}, "search.space.schedule.lr"),
        ({"search": {"name": "", "space": {"seed": [1]}}}, "'search.name'"),
        ({"search": {"name": "a", "space": {"seed": [1]}}}, "the search has the name of a run, 'a'"),
        ({"runs": [{"name": "a", "protocols": []}]}, "'runs.0.protocols': is empty"),
        ({"protocols": {"p": {"split": "groped"}}}, "'groped' cannot be a split here; did you mean 'grouped'"),
        ({"published": {"value": 0.9, "runs": ["nobody"]}}, "there is no run 'nobody'"),
        ({"tables": [{"of": "flip"}]}, "no run has 'flip'"),
    ],
)
def test_what_is_wrong_in_a_study_is_said_in_a_line(changes, said):
    with pytest.raises(StudyError, match=said) as error:
        study(**changes)
    assert len(str(error.value).splitlines()) == 1
    assert "small.yaml" in str(error.value)


def test_a_study_that_is_not_there_names_the_nearest(tmp_path):
    with pytest.raises(StudyError, match="did you mean 'phantom'"):
        load_study("phantum")
    with pytest.raises(StudyError, match="cannot be read"):
        load_study(tmp_path / "none.yaml")


def test_a_grid_makes_every_combination_with_a_name_and_choices():
    grid = {"augment.flip": [0, 0.5], "body": {"small": {"network.width": 16}, "large": {"network.width": 64}}}
    found = make_plan(study(runs=[{"name": "a", "recipe": "smoke", "grid": grid}]), Path())
    assert [e.name for e in found.experiments] == [
        "a flip=0 body=small", "a flip=0 body=large", "a flip=0.5 body=small", "a flip=0.5 body=large",
    ]  # fmt: skip
    last = found.experiments[-1]
    assert (last.recipe.augment.flip, last.recipe.network.width) == (0.5, 64)
    assert last.choices == {"augment.flip": "0.5", "body": "large"}
    assert last.slug == "a-flip=0.5-body=large"


def test_trainings_are_counted_and_ordered_seed_by_seed():
    runs = [{"name": "a", "recipe": "smoke"}, {"name": "b", "recipe": "smoke", "protocols": ["honest"]}]
    found = make_plan(study(runs=runs), Path())
    labels = [unit.label for unit in found.units]
    assert len(labels) == 2 + 3 + 3
    assert labels[:4] == ["a/random-seed0", "a/folds-fold1-seed0", "b/folds-fold1-seed0", "a/folds-fold2-seed0"]
    assert labels[-1] == "a/random-seed1"


def test_protocols_that_differ_only_in_what_is_measured_share_their_trainings():
    protocols = {
        "full": {"split": "official"},
        "without twins": {"split": "official", "slices": "twin_free"},
        "validation": {"split": "official", "part": "val"},
    }
    found = make_plan(study(protocols=protocols), Path())
    (unit,) = found.units
    assert found.protocols_of(unit) == ("full", "without twins", "validation")
    assert found.parts_of(unit) == ("test", "val")


def test_settings_of_the_call_win_over_those_of_the_study():
    runs = [{"name": "a", "recipe": "smoke", "set": {"schedule.epochs": 9, "spec.side": 64}}]
    recipe = make_plan(study(runs=runs), Path(), {"schedule.epochs": 2}).experiments[0].recipe
    assert (recipe.schedule.epochs, recipe.spec.side) == (2, 64)
    with pytest.raises(RecipeError, match="unknown key"):
        make_plan(study(), Path(), {"schedule.epoch": 2})


def test_a_setting_with_a_name_before_it_is_of_that_run_alone():
    runs = [{"name": "a", "recipe": "smoke"}, {"name": "b", "recipe": "smoke"}]
    settings = {"b:schedule.epochs": 3, "schedule.epochs": 2}
    made = make_plan(study(runs=runs), Path(), settings).experiments
    assert [experiment.recipe.schedule.epochs for experiment in made] == [2, 3]
    with pytest.raises(StudyError, match="no run is called 'c'"):
        make_plan(study(runs=runs), Path(), {"c:schedule.epochs": 3})


def test_recipes_are_found_beside_the_study_and_names_are_not_given_twice(tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"name": "mine", "spec": {"side": 64}}))
    runs = [{"name": "a b", "recipe": "mine.yaml"}]
    assert make_plan(study(runs=runs), tmp_path).experiments[0].recipe.name == "mine"
    with pytest.raises(StudyError, match="two runs are called 'A-b'"):
        make_plan(study(runs=[*runs, {"name": "A-b", "recipe": "smoke"}]), tmp_path)
    with pytest.raises(StudyError, match=r"'\.\.' cannot name a folder"):
        make_plan(study(runs=[{"name": "..", "recipe": "smoke"}]), tmp_path)


def test_a_claim_is_of_an_option_that_is_tried():
    runs = [{"name": "a", "recipe": "smoke", "grid": {"augment.flip": [0, 0.5]}}]

    def claiming(option):
        return make_plan(study(runs=runs, tables=[{"of": "augment.flip", "claims": {option: "better"}}]), Path())

    assert claiming("0.5").study.tables[0].claims == {"0.5": "better"}
    assert claiming(0.5).study.tables[0].claims == {"0.5": "better"}, "as YAML reads it"
    for wrong in ("0.6", "0"):
        with pytest.raises(StudyError, match=rf"'augment\.flip' has no option '{wrong}' that is compared with '0'"):
            claiming(wrong)


def test_what_a_grid_varies_cannot_be_set_for_all_of_its_runs():
    runs = [
        {"name": "a", "recipe": "smoke", "grid": {"input": {"small": {"spec.side": 64}, "large": {"spec.side": 96}}}},
        {"name": "b", "recipe": "smoke"},
    ]
    twice = {"name": "c", "recipe": "smoke", "grid": {"spec.side": [64], "input": {"large": {"spec.side": 96}}}}
    with pytest.raises(StudyError, match=r"the grid of 'c' sets spec\.side twice"):
        make_plan(study(runs=[twice]), Path())
    made = make_plan(study(runs=runs), Path(), {"b:spec.side": 128}).experiments
    assert [experiment.recipe.spec.side for experiment in made] == [64, 96, 128]
    with pytest.raises(StudyError, match=r"the grid of 'a' varies spec\.side"):
        make_plan(study(runs=runs), Path(), {"spec.side": 128})
    with pytest.raises(StudyError, match=r"the grid of 'a' varies spec\.side"):
        make_plan(study(runs=runs), Path(), {"spec": {"side": 128}})


def test_a_search_has_a_name_of_its_own_and_takes_settings_as_a_run_does():
    runs = [{"name": "a b", "recipe": "smoke"}]
    search = {"recipe": "smoke", "space": {"schedule.lr": [1e-3, 1e-2]}}
    for name, said in (("A-b", "two runs are called 'A-b'"), ("***", "cannot name a folder")):
        with pytest.raises(StudyError, match=re.escape(said)):
            make_plan(study(runs=runs, search={**search, "name": name}), Path())
    one = study(runs=runs, search=search)
    settings = {"searched:schedule.epochs": 3, "schedule.epochs": 2}
    assert searched_recipe(one, Path(), settings).schedule.epochs == 3
    assert make_plan(one, Path(), settings).experiments[0].recipe.schedule.epochs == 2
    assert searched_recipe(study(runs=runs), Path()) is None
    with pytest.raises(StudyError, match=r"the search draws schedule\.lr, so that it cannot be set"):
        searched_recipe(one, Path(), {"schedule.lr": 0.5})


def test_data_is_a_name_under_the_root_a_path_or_a_phantom(tmp_path):
    (tmp_path / "set").mkdir()
    assert resolve_data(("phantom:96", "set"), tmp_path) == ("phantom:96", str(tmp_path / "set"))
    assert resolve_data((str(tmp_path / "set"),), None) == (str((tmp_path / "set").resolve()),)
    with pytest.raises(StudyError, match="--data-root"):
        resolve_data(("no_such_set",), None)
    with pytest.raises(StudyError, match="no data set 'other'"):
        resolve_data(("other",), tmp_path)
    for word, said in (
        ("phantom:x", "is not understood"),
        ("phantom:0", "no slice"),
        ("phantom:5:-1", "negative seed"),
    ):
        with pytest.raises(CatalogError, match=f"'{word}' .*{said}"):
            resolve_data((word,), None)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"schedule.epoch": [1]}, "unknown key 'schedule.epoch'; did you mean 'epochs'"),
        ({"schedule.optimizer": ["adamw", "sdg"]}, "schedule.optimizer"),
        ({"loss.label_smoothing": {"low": 0.1, "high": 1.5}}, "loss.label_smoothing"),
        ({"schedule.epochs": {"low": 1, "high": 8.0}}, "schedule.epochs"),
        ({"spec.side": [64], "network.outline": [False, True], "loss.mask": [0.5]}, "network.outline leaves out"),
    ],
)
def test_what_a_search_could_not_train_is_said_before_anything_is_tried(space, said):
    with pytest.raises(RecipeError, match=f"search.space sets over smoke: .*{said}"):
        check_space(study(search={"space": space}), load_recipe("smoke"))


def test_a_search_of_values_that_fit_is_taken():
    space = {"schedule.lr": {"low": 1e-4, "high": 1e-2, "log": True}, "network.dropout": [0, 0.5]}
    check_space(study(search={"space": space}), load_recipe("smoke"))


@pytest.mark.parametrize("name", shipped_studies())
def test_every_shipped_study_is_valid(name):
    path = shipped_studies()[name]
    found = load_study(name)
    assert found.name == name
    assert make_plan(found, path.parent).units
