"""The network: a backbone, a feature map, and a head whose decision can be read as a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tumorscope.errors import RecipeError
from tumorscope.training.heads import build_head, evidence, pool
from tumorscope.training.layers import DescribedBackbone
from tumorscope.training.network_recipe import DESCRIBED, NetworkRecipe
from tumorscope.training.weights import HALF, Backbone, Color, create_backbone

MIN_GRID = 10
"""A heatmap coarser than this many cells a side says little about where."""
UNSCALED: tuple[Color, Color] = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class Outputs(NamedTuple):
    """What the network says of a batch.

    Attributes:
        logits: ``(N, classes)``; of a sigmoid unit, 0 and its value.
        heatmap: ``(N, classes, h, w)``: what the cells add to the logits, see `evidence`. Of a sigmoid unit all
            evidence is for or against the second class, and the first one's map is 0.
        embedding: ``(N, d)``, the average of the map.
        mask: ``(N, 1, h', w')``, logits of 'tumor here'; None where the recipe has no outline.
    """

    logits: Tensor
    heatmap: Tensor
    embedding: Tensor
    mask: Tensor | None


class Network(nn.Module):
    """Classifies slices by evidence over a grid of cells.

    With a `width`, the maps of the backbone from the grid's resolution downward are brought to the grid (at least
    `MIN_GRID` cells a side), joined and mixed by one convolution. Without one the head stands on the last map, whose
    grid is what the backbone leaves: 7 cells a side of 224 pixels for most, 14 of 240 after two poolings by 4.

    With the classifier alone the logits are exactly the average of the heatmap plus the bias: the heatmap is the
    decision, not a guess at it. With layers before it the heatmap is that of `evidence`.

    Args:
        recipe: backbone, weights, head.
        classes: number of classes.
        side: of the input in pixels; sets which resolution the grid has.

    Raises:
        RecipeError: timm does not know the backbone, its weights cannot be had, nothing is left of the input after its
            layers, or one sigmoid unit is to tell more than two classes apart.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, recipe: NetworkRecipe, classes: int, side: int) -> None:
        super().__init__()
        if recipe.output == "sigmoid" and classes != 2:
            raise RecipeError(f"one sigmoid unit cannot tell {classes} classes apart", remedy="use output: softmax")
        made = _make_backbone(recipe, side)
        self.backbone, channels = made.net, made.channels
        mean, std = (made.mean, made.std) if recipe.normalize else UNSCALED
        self.gray_scaling = (sum(mean) / 3, sum(std) / 3)
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)
        self.fused = _fused(made.reductions, side) if recipe.width else [len(channels) - 1]
        self.fine = max(0, self.fused[0] - 1)
        self.pooling = recipe.pooling
        joined = sum(channels[i] for i in self.fused)
        self.mix = _mix(joined, recipe.width) if recipe.width else nn.Identity()
        width = recipe.width or joined
        cells = _cells(self.backbone, self.fused[0], channels, side)
        self.head, last = build_head(recipe.head, width * cells if recipe.pooling == "flatten" else width)
        self.dropout = nn.Dropout(recipe.dropout)
        self.sigmoid = recipe.output == "sigmoid"
        self.classifier = nn.Linear(last, 1 if self.sigmoid else classes)
        self.outline = _outline(width + channels[self.fine]) if recipe.outline else None

    def forward(self, images: Tensor) -> Outputs:
        """Run on float ``(N, channels, side, side)`` of 0 to 255."""
        maps = self.backbone(self._scaled(images))
        grid = maps[self.fused[0]].shape[-2:]
        mixed = self.mix(torch.cat([_resize(maps[i], grid) for i in self.fused], dim=1))
        embedding = mixed.mean(dim=(2, 3))
        pooled = embedding if self.pooling == "average" else pool(mixed, self.pooling)
        logits = self.classifier(self.head(self.dropout(pooled)))
        heatmap = evidence(mixed, self.head, self.classifier, self.pooling)
        if self.sigmoid:
            logits, heatmap = _beside_zero(logits), _beside_zero(heatmap)
        return Outputs(logits, heatmap, embedding, self._mask(mixed, maps[self.fine]))

    def _scaled(self, images: Tensor) -> Tensor:
        """Scale as the backbone knows it: three sequences color by color, a gray slice by the colors' average."""
        if images.shape[1] == 3:
            return (images / 255.0 - self.mean) / self.std
        mean, std = self.gray_scaling
        return ((images / 255.0 - mean) / std).expand(-1, 3, -1, -1)

    def _mask(self, mixed: Tensor, fine: Tensor) -> Tensor | None:
        if self.outline is None:
            return None
        mask: Tensor = self.outline(torch.cat([_resize(mixed, fine.shape[-2:]), fine], dim=1))
        return mask


def _make_backbone(recipe: NetworkRecipe, side: int) -> Backbone:
    if recipe.backbone != DESCRIBED:
        return create_backbone(recipe.backbone, recipe.weights, side)
    net = DescribedBackbone(recipe.layers)
    return Backbone(net, net.channels, net.reductions, HALF, HALF)


def _fused(reductions: Sequence[int], side: int) -> list[int]:
    fine_enough = [reduction for reduction in reductions if side / reduction >= MIN_GRID]
    grid = max(fine_enough) if fine_enough else min(reductions)
    return [i for i, reduction in enumerate(reductions) if reduction >= grid]


def _cells(backbone: nn.Module, index: int, channels: Sequence[int], side: int) -> int:
    """Count the cells of one map, by running the backbone once on nothing."""
    training = backbone.training
    backbone.eval()
    try:
        with torch.no_grad():
            maps = backbone(torch.zeros(1, 3, side, side))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise RecipeError(
            f"an input of {side} pixels is too small for the backbone", remedy="raise spec.side, or pool less"
        ) from error
    finally:
        backbone.train(training)
    if [single.shape[1] for single in maps] != list(channels):
        raise RecipeError("the backbone's maps have their channels last", remedy="choose another backbone")
    return int(maps[index].shape[-2] * maps[index].shape[-1])


def _mix(channels: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True))


def _outline(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, 48, 3, padding=1, bias=False),
        nn.BatchNorm2d(48),
        nn.ReLU(inplace=True),
        nn.Conv2d(48, 1, 1),
    )


def _beside_zero(values: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(values), values], dim=1)


def _resize(maps: Tensor, size: torch.Size) -> Tensor:
    if maps.shape[-2:] == size:
        return maps
    return functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)
