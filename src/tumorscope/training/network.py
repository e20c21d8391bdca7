"""The network: a timm backbone, a fused feature map, and a linear classifier that can be read as a map."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tumorscope.training.recipe import NetworkRecipe
from tumorscope.training.weights import create_backbone

MIN_GRID = 10
"""A heatmap coarser than this many cells a side says little about where."""


class Outputs(NamedTuple):
    """What the network says of a batch.

    Attributes:
        logits: ``(N, classes)``.
        heatmap: ``(N, classes, h, w)``.
        embedding: ``(N, d)``.
        mask: ``(N, 1, h', w')``, logits of 'tumor here'.
    """

    logits: Tensor
    heatmap: Tensor
    embedding: Tensor
    mask: Tensor


class Network(nn.Module):
    """Classifies slices by averaging evidence over a grid of at least `MIN_GRID` cells a side.

    The maps of the backbone from the grid's resolution downward are brought to the grid, joined and mixed by one
    convolution; the classifier is linear on the average of that map. So the logits are exactly the average of the class
    activation map (Zhou et al., 2016, arXiv 1512.04150) plus the bias: the heatmap is the decision, not a guess at it.

    Args:
        recipe: backbone, weights, width, dropout.
        classes: number of classes.
        side: of the input in pixels; sets which resolution the grid has.
    """

    def __init__(self, recipe: NetworkRecipe, classes: int, side: int) -> None:
        super().__init__()
        self.backbone, (self.mean, self.std) = create_backbone(recipe.backbone, recipe.weights)
        info: Any = self.backbone.feature_info
        reductions, channels = info.reduction(), info.channels()
        grid = _grid_reduction(reductions, side)
        self.fused = [i for i, reduction in enumerate(reductions) if reduction >= grid]
        self.fine = max(0, self.fused[0] - 1)
        self.mix = nn.Sequential(
            nn.Conv2d(sum(channels[i] for i in self.fused), recipe.width, 1, bias=False),
            nn.BatchNorm2d(recipe.width),
            nn.ReLU(inplace=True),
        )
        self.dropout = nn.Dropout(recipe.dropout)
        self.classifier = nn.Linear(recipe.width, classes)
        self.outline = nn.Sequential(
            nn.Conv2d(recipe.width + channels[self.fine], 48, 3, padding=1, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(inplace=True),
            nn.Conv2d(48, 1, 1),
        )

    def forward(self, images: Tensor) -> Outputs:
        """Run on float ``(N, channels, side, side)`` of 0 to 255."""
        scaled = (images / 255.0 - self.mean) / self.std
        maps = self.backbone(scaled if scaled.shape[1] == 3 else scaled.expand(-1, 3, -1, -1))
        grid = maps[self.fused[0]].shape[-2:]
        mixed = self.mix(torch.cat([_resize(maps[i], grid) for i in self.fused], dim=1))
        embedding = mixed.mean(dim=(2, 3))
        heatmap = functional.conv2d(mixed, self.classifier.weight[:, :, None, None])
        fine = maps[self.fine]
        mask = self.outline(torch.cat([_resize(mixed, fine.shape[-2:]), fine], dim=1))
        return Outputs(self.classifier(self.dropout(embedding)), heatmap, embedding, mask)


def _grid_reduction(reductions: list[int], side: int) -> int:
    fine_enough = [reduction for reduction in reductions if side / reduction >= MIN_GRID]
    return max(fine_enough) if fine_enough else min(reductions)


def _resize(maps: Tensor, size: torch.Size) -> Tensor:
    if maps.shape[-2:] == size:
        return maps
    return functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)
