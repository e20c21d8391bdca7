"""Recipe -> run: networks, weights, augmentation, the Lightning module, export to a model file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tumorscope.errors import MissingExtraError
from tumorscope.training.recipe import Recipe, load_recipe, shipped_recipes

if TYPE_CHECKING:
    from tumorscope.training.run import Run, train

__all__ = ["Recipe", "Run", "load_recipe", "shipped_recipes", "train"]


def __getattr__(name: str) -> Any:
    """Import torch only when training is asked for, and say what to install where it is missing."""
    if name not in ("train", "Run"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from tumorscope.training import torchvision_shim  # noqa: F401
        from tumorscope.training.run import Run, train
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"training needs {error.name}, which is not installed", remedy="pip install 'tumorscope[train]'"
        ) from error
    return {"train": train, "Run": Run}[name]
