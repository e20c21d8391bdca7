"""The few lines of YAML that describe a model that is not ours: its classes, what it takes, what it gives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from tumorscope.errors import ModelFileError, did_you_mean
from tumorscope.preprocess import Spec, Window
from tumorscope.words import CLASSES, KINDS, LESION, class_name, kind_class
from tumorscope.yaml_model import first_wrong, read_keys

REMEDY = "docs/benchmark.md shows a whole description"
SUFFIXES = (".yaml", ".yml")


def _yaml_word(value: Any) -> Any:
    """Give back the words that YAML takes for truth values: ``yes`` and ``no`` name classes here."""
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


def _crop_word(value: Any) -> Any:
    return {True: "head", False: "none"}.get(value, value) if isinstance(value, bool) else value


def _list(value: Any) -> Any:
    return [value] if isinstance(value, int | float) else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputDescription(_Part):
    """What a model takes.

    Attributes:
        side: height and width, in pixels.
        layout: 'NCHW' or 'NHWC'.
        color: 'gray' is one channel; 'rgb' and 'bgr' repeat the gray slice three times; 'sequences' are the three of
            the LGG set (pre-contrast, FLAIR, post-contrast).
        scale: '0-255', '0-1', or 'mean-std': 0 to 1, then less `mean` and divided by `std`.
        mean: one number, or one a channel.
        std: the same.
        dtype: of the numbers.
        resize: 'letterbox' keeps the aspect and pads with black, 'stretch' does not.
        crop: 'head' cuts the empty border away, 'none' does not.
        window: what becomes black and white: two percentiles, 'minmax', or 'none' (gray levels stay as they are).
    """

    side: int = Field(ge=32, le=1024)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    color: Literal["gray", "rgb", "bgr", "sequences"] = "rgb"
    scale: Literal["0-1", "0-255", "mean-std"] = "0-1"
    mean: Annotated[tuple[FiniteFloat, ...], BeforeValidator(_list)] = ()
    std: Annotated[tuple[FiniteFloat, ...], BeforeValidator(_list)] = ()
    dtype: Literal["float32", "float16", "float64", "uint8"] = "float32"
    resize: Literal["letterbox", "stretch"] = "stretch"
    crop: Annotated[Literal["head", "none"], BeforeValidator(_crop_word)] = "none"
    window: Window = "none"

    @model_validator(mode="after")
    def _fits(self) -> InputDescription:
        if (self.scale == "mean-std") != bool(self.mean and self.std):
            raise ValueError("scale: mean-std and the keys mean and std go together")
        if any(len(values) not in (0, 1, self.depth) for values in (self.mean, self.std)) or 0 in self.std:
            raise ValueError(f"mean and std are 1 or {self.depth} numbers, and std is not 0")
        if self.dtype == "uint8" and self.scale != "0-255":
            raise ValueError("dtype: uint8 goes with scale: 0-255")
        try:
            _ = self.spec
        except ValidationError as error:
            raise ValueError(f"window: {first_wrong(error, Spec).text}") from error
        return self

    @property
    def depth(self) -> int:
        """Number of channels."""
        return 1 if self.color == "gray" else 3

    @property
    def spec(self) -> Spec:
        """How a slice is cut and placed."""
        channels: Literal["gray", "lgg"] = "lgg" if self.color == "sequences" else "gray"
        return Spec(side=self.side, crop=self.crop == "head", fit=self.resize, channels=channels, window=self.window)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one input."""
        side, depth = self.side, self.depth
        return (depth, side, side) if self.layout == "NCHW" else (side, side, depth)


class OutputDescription(_Part):
    """What a model gives.

    Attributes:
        kind: 'logits' (a softmax follows), 'probabilities', or 'sigmoid' (logits of units that stand alone). With two
            classes a single unit tells of the second one.
        name: of the output of an ONNX graph that has several; the first without it.
    """

    kind: Literal["logits", "probabilities", "sigmoid"]
    name: str | None = None


def _output(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


class Description(_Part):
    """A model that is not ours.

    Attributes:
        name: as the report calls it.
        model: an ONNX file, relative to the description.
        call: instead of it, a Python function as ``module:function``.
        classes: what each output means, in order. Outputs of one class are summed.
        input: what it takes.
        output: what it gives.
        trained_on: a folder or CSV of what it was trained on, or ``benchmark:NAME`` for a benchmark's training and
            validation parts; null where nobody knows.
        licence: of the weights.
        notes: for the report.
    """

    name: str
    model: str | None = None
    call: str | None = None
    classes: tuple[Annotated[str, BeforeValidator(_yaml_word)], ...] = Field(min_length=2)
    input: InputDescription
    output: Annotated[OutputDescription, BeforeValidator(_output)]
    trained_on: str | None = None
    licence: str = "unknown"
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_one(self) -> Description:
        if (self.model is None) == (self.call is None):
            raise ValueError("give either model (an ONNX file) or call (module:function)")
        return self


def is_description(path: str | Path) -> bool:
    """Whether a path is meant as a description rather than as a model file of ours."""
    return Path(path).suffix.lower() in SUFFIXES


def read_description(path: str | Path) -> Description:
    """Read a description.

    Raises:
        ModelFileError: it is missing, no YAML, lacks a key, holds an unknown one, or a class that no data set has.
    """
    path = Path(path)
    values = read_keys(path, ModelFileError, remedy=REMEDY, empty="describes no model")
    try:
        found = Description.model_validate(values)
    except ValidationError as error:
        wrong = first_wrong(error, Description)
        raise ModelFileError(wrong.line, file=path, remedy=wrong.remedy or REMEDY) from error
    our_classes(found.classes, path)
    return found


def our_classes(names: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """Return our name of each output.

    Raises:
        ModelFileError: a name is none of ours, or all outputs are one class.
    """
    ours = tuple(_our_class(name, path) for name in names)
    if len(set(ours)) < 2:
        raise ModelFileError(f"all outputs are '{ours[0]}'", file=path, remedy="name at least two classes")
    return ours


def _our_class(name: str, path: Path) -> str:
    found = class_name(name)
    found = found if found in CLASSES else kind_class(name)
    if not found or found == LESION:
        known = [*(set(CLASSES) - {LESION}), *KINDS["glioma"]]
        raise ModelFileError(f"the class '{name}' is unknown", file=path, remedy=did_you_mean(name.lower(), known))
    return found
