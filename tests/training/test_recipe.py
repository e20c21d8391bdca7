import re
from pathlib import Path

import pytest
import yaml

from tumorscope.errors import RecipeError
from tumorscope.training.recipe import load_recipe, parse_recipe, shipped_recipes, write_recipe_text

DOCS = Path(__file__).parents[2] / "docs" / "recipes.md"


@pytest.mark.parametrize("name", ["smoke", "quick", "accurate"])
def test_shipped_recipes_load(name):
    assert load_recipe(name).name == name
    assert name in shipped_recipes()


def test_overrides_reach_nested_keys():
    recipe = load_recipe("quick", {"schedule.epochs": 2, "spec.side": 96})
    assert (recipe.schedule.epochs, recipe.spec.side) == (2, 96)


def test_a_part_given_as_a_mapping_changes_the_keys_that_it_names_alone():
    plain, changed = load_recipe("smoke"), load_recipe("smoke", {"schedule": {"epochs": 7}})
    assert changed.schedule == plain.schedule.model_copy(update={"epochs": 7})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nepoch: 3\n", "unknown key 'epoch'"),
        ("name: x\nschedule: {epoch: 3}\n", "unknown key 'schedule.epoch'; did you mean 'epochs'"),
        ("name: x\nschedule: {epochs: zero}\n", "'schedule.epochs'"),
        ("name: x\nnetwork: {backbone: cnn, layers: [{conv: 8, kernl: 3}]}\n", "did you mean 'kernel'"),
        ("name: x\nnetwork: {backbone: cnn, layers: [{conv: 0}]}\n", "'network.layers.0.conv.conv': input should be"),
        ("name: x\nnetwork: {backbone: cnn, layers: [{conf: 8}]}\n", "'network.layers.0': a layer is one of {conv"),
        ("name: x\nnetwork: {backbone: cnn, layers: [reul]}\n", "'network.layers.0': a layer is one of {conv"),
        ("name: x\nnetwork: {head: [{conv: 8}]}\n", "'network.head.0': a layer is one of {linear"),
        ("name: x\nnetwork: {backbone: cnn}\n", "needs 'layers' with a convolution"),
        ("name: x\nnetwork: {backbone: cnn, layers: [relu]}\n", "needs 'layers' with a convolution"),
        ("name: x\nnetwork: {layers: [{conv: 8}]}\n", "describe the backbone 'cnn', not 'tf_efficientnet_lite0'"),
        ("name: x\nnetwork: {backbone: cnn, weights: hub, layers: [{conv: 8}]}\n", "no weights 'hub' for described"),
        ("name: x\nclasses: [a, b, c]\nnetwork: {output: sigmoid}\n", "two classes apart, not 3"),
        ("name: x\nnetwork: {outline: false}\nloss: {mask: 1}\n", "outline that network.outline leaves out"),
        ("name: x\nspec: {channels: lgg}\naugment: {transplant: 0.1}\n", "transplant works on gray slices"),
        ("name: x\nspec: {window: [99, 1]}\n", "two rising percentiles .* not .99, 1."),
        ("name: x\nspec: {window: maxmin}\n", "two rising percentiles"),
        ("name: x\nschedule: {optimizer: sdg}\n", "'schedule.optimizer': input should be 'adamw', 'adam' or 'sgd'"),
        ("name: x\nschedule: {decay: linear}\n", "'schedule.decay'"),
        ("- a\n", "holds no keys"),
        ("a: [\n", "is not valid YAML"),
    ],
)
def test_a_wrong_recipe_names_the_key(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message.replace("'", ".").replace("{", ".")) as error:
        load_recipe(path)
    assert "mine.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_described_network_comes_back_from_the_recipe_that_a_run_keeps(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: x\nclasses: [notumor, tumor]\nspec: {window: none}\n"
        "network: {backbone: cnn, layers: [{conv: 8, stride: 2}, batchnorm, relu, {pool: 4}, {dropout: 0.3}],\n"
        "  pooling: flatten, head: [{linear: 32}, relu, {dropout: 0.5}], output: sigmoid}\n"
    )
    recipe = load_recipe(path)
    network = recipe.network
    assert (network.weights, network.width, network.dropout, network.outline) == ("none", None, 0, False)
    kept = yaml.safe_load(write_recipe_text(recipe))["recipe"]
    assert kept["network"]["layers"][0] == {"conv": 8, "kernel": 3, "stride": 2, "padding": None}
    assert parse_recipe(kept, path) == recipe


def test_recipes_of_before_say_nothing_new_and_mean_what_they_did():
    recipe = parse_recipe({"name": "x"}, Path("x.yaml"))
    assert (recipe.schedule.optimizer, recipe.schedule.decay, recipe.schedule.frozen_stages) == ("adamw", "cosine", 0)
    assert (recipe.network.width, recipe.network.dropout, recipe.network.head) == (256, 0.2, ())
    assert (recipe.network.output, recipe.network.pooling, recipe.network.normalize) == ("softmax", "average", True)


def test_the_recipes_of_the_docs_load():
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names = [parse_recipe(yaml.safe_load(block), DOCS).name for block in blocks]
    assert names == ["small-cnn", "resnet-deep-head"]


@pytest.mark.parametrize("part", ["", "spec", "network", "schedule", "loss", "augment", "sampling"])
def test_the_docs_list_every_key(part):
    recipe = load_recipe("quick")
    keys = type(getattr(recipe, part) if part else recipe).model_fields
    text = DOCS.read_text(encoding="utf-8")
    assert not [key for key in keys if f"`{key}`" not in text]


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'quick'"):
        load_recipe("quik")


def test_an_unknown_key_is_named_before_a_missing_one():
    with pytest.raises(RecipeError, match=r"unknown key 'nme'; did you mean 'name'\?"):
        parse_recipe({"nme": "mine"}, Path("mine.yaml"))
