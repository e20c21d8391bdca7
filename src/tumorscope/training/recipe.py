"""The recipe: one readable YAML that says everything about a training."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tumorscope.errors import RecipeError, did_you_mean
from tumorscope.preprocess import Spec
from tumorscope.training.network_recipe import NetworkRecipe
from tumorscope.yaml_model import first_wrong, read_keys


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScheduleRecipe(_Part):
    """How long and how fast.

    Attributes:
        epochs: at most.
        frozen_epochs: first epochs in which the backbone stands still and only the head learns; as many as `epochs`
            leave it as it came.
        frozen_stages: the first stages of the backbone that never learn; a stage ends with a feature map (ResNets have
            5: the stem and four).
        batch: slices a step.
        optimizer: 'adamw', 'adam' or 'sgd'.
        momentum: of 'sgd'.
        lr: of the head.
        backbone_lr: of the backbone.
        weight_decay: AdamW's own kind; for 'adam' and 'sgd' added to the gradient.
        warmup: share of all steps over which the rates rise from nothing.
        decay: how the rates go on: 'cosine' to zero, 'constant', or by a 'step'.
        decay_every: epochs from one 'step' to the next, counted from the start.
        decay_factor: by which a 'step' multiplies the rates.
        patience: epochs without a better validation loss before stopping; null never stops early.
        ema: decay of the weights' moving average a step, which is what is validated and exported; null takes the
            weights themselves.
        precision: 'bf16' (autocast) or 'fp32'.
    """

    epochs: int = Field(8, ge=1)
    frozen_epochs: int = Field(1, ge=0)
    frozen_stages: int = Field(0, ge=0)
    batch: int = Field(32, ge=2)
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    momentum: float = Field(0.9, ge=0, lt=1)
    lr: float = Field(2e-3, gt=0)
    backbone_lr: float = Field(5e-4, gt=0)
    weight_decay: float = Field(0.02, ge=0)
    warmup: float = Field(0.05, ge=0, lt=1)
    decay: Literal["cosine", "constant", "step"] = "cosine"
    decay_every: int = Field(10, ge=1)
    decay_factor: float = Field(0.1, gt=0, le=1)
    patience: int | None = Field(None, ge=1)
    ema: float | None = Field(0.99, gt=0, lt=1)
    precision: Literal["bf16", "fp32"] = "bf16"


class LossRecipe(_Part):
    """What is minimized: cross-entropy over what a label covers, and optionally the tumor's mask.

    Attributes:
        label_smoothing: share of the target spread evenly over the classes.
        class_weights: 'none', or 'balanced' (each class weighs the same in sum).
        mask: weight of the outline loss (cross-entropy + Dice) where a mask is known; 0 leaves it out.
    """

    label_smoothing: float = Field(0.05, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] = "none"
    mask: float = Field(0.0, ge=0)


class AugmentRecipe(_Part):
    """Random changes of a training slice. Each number is the largest change; 0 switches it off.

    Attributes:
        flip: chance of a left-right mirror.
        upside_down: chance of a top-bottom mirror.
        degrees: turn.
        translate: shift, as a share of the side.
        scale: zoom, as a share.
        contrast: of the intensities around their mean, as a share.
        brightness: of what is there; the background stays black.
        gamma: log of the exponent.
        noise: standard deviation, as a share of 255.
        bias_field: strength of a smooth multiplicative field, as MRI coils leave it.
        blur: largest loss of resolution, as a factor minus one.
        jpeg: chance of a recompression as JPEG.
        transplant: share of the tumor-free slices that get a lesion cut out of another slice by its mask.
    """

    flip: float = Field(0.5, ge=0, le=1)
    upside_down: float = Field(0.0, ge=0, le=1)
    degrees: float = Field(15, ge=0, le=180)
    translate: float = Field(0.06, ge=0, lt=0.5)
    scale: float = Field(0.12, ge=0, lt=1)
    contrast: float = Field(0.25, ge=0, lt=1)
    brightness: float = Field(0.1, ge=0, lt=1)
    gamma: float = Field(0.3, ge=0, lt=2)
    noise: float = Field(0.03, ge=0, lt=1)
    bias_field: float = Field(0.3, ge=0, lt=1)
    blur: float = Field(0.8, ge=0)
    jpeg: float = Field(0.0, ge=0, le=1)
    transplant: float = Field(0.0, ge=0, le=1)


class SamplingRecipe(_Part):
    """How often a slice is drawn.

    Attributes:
        by: catalog columns whose combinations are the groups to balance.
        power: a group of n slices is drawn in proportion to n to this power: 1 as it is, 0 all groups alike.
        epoch_size: slices an epoch; null draws as many as there are.
    """

    by: tuple[str, ...] = ("source", "label")
    power: float = Field(1.0, ge=0, le=1)
    epoch_size: int | None = Field(None, ge=2)


class Recipe(_Part):
    """A whole training.

    Attributes:
        name: of the model.
        classes: in the order of the model's outputs; null takes them from the data.
        channels: of a picture with three sequences, 'one' (FLAIR) or 'all' as slices of their own.
        exclude_patients: patients never trained, validated or tested on.
        exclude_twins_of: paths of sets whose twins are left out of training, validation and test.
        seed: of everything random.
        licence: of the weights; goes into the card.
        never_shown: what the data lacks; goes into the card, after what was excluded.
        notes: go into the card.
    """

    name: str
    description: str = ""
    classes: tuple[str, ...] | None = None
    channels: Literal["one", "all"] = "one"
    exclude_patients: tuple[str, ...] = ()
    exclude_twins_of: tuple[str, ...] = ()
    seed: int = 0
    spec: Spec = Spec()
    network: NetworkRecipe = NetworkRecipe()
    schedule: ScheduleRecipe = ScheduleRecipe()
    loss: LossRecipe = LossRecipe()
    augment: AugmentRecipe = AugmentRecipe()
    sampling: SamplingRecipe = SamplingRecipe()
    licence: str = "as the licence of the training data allows"
    never_shown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _parts_agree(self) -> Recipe:
        if self.classes is not None and len(self.classes) != 2 and self.network.output == "sigmoid":
            raise ValueError(
                f"one sigmoid unit tells two classes apart, not {len(self.classes)}; use network.output: softmax"
            )
        if self.loss.mask and not self.network.outline:
            raise ValueError("loss.mask teaches the outline that network.outline leaves out; change one of them")
        if self.augment.transplant and self.spec.channels == "lgg":
            raise ValueError("augment.transplant works on gray slices; set it to 0 with spec.channels: lgg")
        return self


def shipped_recipes() -> dict[str, Path]:
    """Return the shipped recipes by name."""
    folder = Path(str(files("tumorscope") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_recipe(name: str | Path, overrides: dict[str, Any] | None = None) -> Recipe:
    """Load a shipped recipe by name, or a YAML file by path, with dotted `overrides` such as ``schedule.epochs``.

    Raises:
        RecipeError: it does not exist, is no YAML, or holds an unknown key or a wrong value.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        shipped = shipped_recipes()
        if str(name) not in shipped:
            raise RecipeError(f"there is no recipe '{name}'", remedy=did_you_mean(str(name), shipped))
        path = shipped[str(name)]
    values = read_keys(path, RecipeError, remedy="compare it with a shipped recipe")
    for key, value in (overrides or {}).items():
        set_key(values, key, value)
    return parse_recipe(values, path)


def parse_recipe(values: dict[str, Any], path: Path) -> Recipe:
    """Check the values of a recipe.

    Raises:
        RecipeError: names the key, and the nearest valid one where it is unknown.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        wrong = first_wrong(error, Recipe)
        if wrong.kind == "check":  # of ours, which names the keys itself
            raise RecipeError(wrong.text, file=path, remedy="mend these values") from error
        raise RecipeError(wrong.line, file=path, remedy=wrong.remedy or "mend this value") from error


def write_recipe_text(recipe: Recipe, **run: Any) -> str:
    """Return the resolved recipe as YAML; `run` (data, split, fold) goes under the key ``run``."""
    values = recipe.model_dump(mode="json")
    return str(yaml.safe_dump({"run": run, "recipe": values}, sort_keys=False, allow_unicode=True))


def set_key(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in a recipe's values; of a part, given as a mapping, the keys that it names.

    Raises:
        RecipeError: a part of the key holds no keys.
    """
    for dotted, single in flat({key: value}).items():
        *parts, last = dotted.split(".")
        inner = values
        for part in parts:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise RecipeError(f"'{dotted}': '{part}' holds no keys", remedy="write part.key, as in schedule.epochs")
        inner[last] = single


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with every key dotted, whatever was given as a mapping.

    >>> flat({"schedule": {"epochs": 3}, "spec.side": 96})
    {'schedule.epochs': 3, 'spec.side': 96}
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        inner = {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {}
        found |= flat(inner) if inner else {key: value}
    return found
