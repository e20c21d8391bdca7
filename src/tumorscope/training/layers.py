"""A backbone built layer by layer, as a recipe describes it."""

from __future__ import annotations

from torch import Tensor, nn

from tumorscope.training.network_recipe import Conv, ConvLayer, Dropout, Pool

COLORS = 3


class DescribedBackbone(nn.Module):
    """The layers of a description in their order.

    Like timm's backbones it returns the maps before each loss of resolution, and the last one.

    Args:
        description: what a recipe lists.

    Attributes:
        channels: of each map it returns.
        reductions: how many pixels of the input a cell of each map stands for, a side.
    """

    def __init__(self, description: tuple[ConvLayer, ...]) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        self.ends: list[int] = []
        self.channels: list[int] = []
        self.reductions: list[int] = []
        channels, reduction = COLORS, 1
        for layer in description:
            stride = _stride(layer)
            if stride > 1 and channels != COLORS:
                self._end_stage(channels, reduction)
            module, channels = _build(layer, channels)
            reduction *= stride
            self.layers.append(module)
        self._end_stage(channels, reduction)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Run on ``(N, 3, side, side)``."""
        maps = []
        for number, layer in enumerate(self.layers, start=1):
            images = layer(images)
            if number in self.ends:
                maps.append(images)
        return maps

    def _end_stage(self, channels: int, reduction: int) -> None:
        self.ends.append(len(self.layers))
        self.channels.append(channels)
        self.reductions.append(reduction)


def _build(layer: ConvLayer, channels: int) -> tuple[nn.Module, int]:
    """Return the module of one layer and how many channels leave it."""
    if isinstance(layer, Conv):
        padding = layer.kernel // 2 if layer.padding is None else layer.padding
        return nn.Conv2d(channels, layer.conv, layer.kernel, layer.stride, padding), layer.conv
    if isinstance(layer, Pool):
        kind = nn.MaxPool2d if layer.kind == "max" else nn.AvgPool2d
        return kind(layer.pool, layer.stride), channels
    if isinstance(layer, Dropout):
        return nn.Dropout(layer.dropout), channels
    return (nn.BatchNorm2d(channels) if layer == "batchnorm" else nn.ReLU()), channels


def _stride(layer: ConvLayer) -> int:
    if isinstance(layer, Conv):
        return layer.stride
    return (layer.stride or layer.pool) if isinstance(layer, Pool) else 1
