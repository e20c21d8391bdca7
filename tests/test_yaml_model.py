"""What is wrong with a YAML file, in a line that names the key and the nearest known one."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from tumorscope.errors import RecipeError
from tumorscope.yaml_model import first_wrong, keys_beside, load_yaml, read_keys


class Wheel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    spokes: int = 8
    side: Literal["Left", "Right"] = "Left"


class Cart(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    wheels: list[Wheel] = []
    spare: dict[str, Wheel | None] = {}


@pytest.mark.parametrize(
    ("values", "line", "remedy"),
    [
        ({"nme": "x"}, "unknown key 'nme'", "did you mean 'name'?"),
        ({"name": "x", "wheels": [{"spoke": 3}]}, "unknown key 'wheels.0.spoke'", "did you mean 'spokes'?"),
        ({"name": "x", "spare": {"rear": {"sid": 3}}}, "unknown key 'spare.rear.sid'", "did you mean 'side'?"),
        ({}, "lacks the key 'name'", ""),
        ({"name": "x", "wheels": [{"side": "left"}]}, "'wheels.0.side': input should be 'Left' or 'Right'", ""),
    ],
)
def test_the_first_fault_is_told_with_its_key(values, line, remedy):
    with pytest.raises(ValidationError) as error:
        Cart.model_validate(values)
    found = first_wrong(error.value, Cart)
    assert (found.line, found.remedy) == (line, remedy)


def test_keys_of_a_choice_between_models_are_those_of_the_one_that_is_named():
    from tumorscope.training.recipe import Recipe

    assert keys_beside(Recipe, ["network", "layers", "0", "conv", "kernl"]) == ["conv", "kernel", "padding", "stride"]
    assert "epochs" in keys_beside(Recipe, ["schedule", "epoch"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "is not UTF-8 text; save it as UTF-8"),
        (b"a: 1\nb: [", "is not valid YAML: line 2: .*; look there"),
        (b"a: 1\nb: {c: 1,\n  c: 2}", "is not valid YAML: line 3: the key 'c' stands twice; look there"),
        (b"day: 2020-99-99", "is not valid YAML: .*; look there"),
        (b"a: !!bool maybe", "is not valid YAML: a value is not what it says it is .*; look there"),
        (b"[" * 5000, "is not valid YAML: it is nested too deeply; look there"),
        (b"- a", "holds no keys; look there"),
    ],
)
def test_what_is_no_yaml_of_keys_is_told_with_the_file(tmp_path, content, said):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=f"mine.yaml: {said}"):
        read_keys(path, RecipeError, remedy="look there")


def test_anchors_and_merged_keys_are_no_keys_twice():
    text = "a: &a {x: 1}\nouter: {inner: &b {<<: *a, x: 2}}\nc: {<<: *b}\n"
    assert load_yaml(text) == {"a": {"x": 1}, "outer": {"inner": {"x": 2}}, "c": {"x": 2}}
