from pathlib import Path

import pytest

from tumorscope.errors import RecipeError
from tumorscope.training.recipe import load_recipe, parse_recipe, shipped_recipes


@pytest.mark.parametrize("name", ["smoke", "quick", "accurate"])
def test_shipped_recipes_load(name):
    assert load_recipe(name).name == name
    assert name in shipped_recipes()


def test_overrides_reach_nested_keys():
    recipe = load_recipe("quick", {"schedule.epochs": 2, "spec.side": 96})
    assert (recipe.schedule.epochs, recipe.spec.side) == (2, 96)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nepoch: 3\n", "unknown key 'epoch'"),
        ("name: x\nschedule: {epoch: 3}\n", "unknown key 'schedule.epoch'; did you mean 'epochs'"),
        ("name: x\nschedule: {epochs: zero}\n", "'schedule.epochs'"),
        ("- a\n", "holds no keys"),
        ("a: [\n", "is not valid YAML"),
    ],
)
def test_a_wrong_recipe_names_the_key(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message.replace("'", ".")) as error:
        load_recipe(path)
    assert "mine.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'quick'"):
        load_recipe("quik")


def test_an_unknown_key_is_named_before_a_missing_one():
    with pytest.raises(RecipeError, match=r"unknown key 'nme'; did you mean 'name'\?"):
        parse_recipe({"nme": "mine"}, Path("mine.yaml"))
