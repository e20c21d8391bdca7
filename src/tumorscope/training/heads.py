"""The head: from a feature map to logits, and back from the logits to the cells they come from."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from tumorscope.training.network_recipe import Dropout, HeadLayer, Linear


def build_head(description: tuple[HeadLayer, ...], width: int) -> tuple[nn.Sequential, int]:
    """Build the layers between the pooled map and the classifier.

    Args:
        description: what a recipe lists; nothing is a head of the classifier alone.
        width: values that come in.

    Returns:
        The layers, and how many values leave them.
    """
    layers = nn.Sequential()
    for layer in description:
        if isinstance(layer, Linear):
            layers.append(nn.Linear(width, layer.linear))
            width = layer.linear
        else:
            layers.append(nn.Dropout(layer.dropout) if isinstance(layer, Dropout) else nn.ReLU())
    return layers, width


def evidence(
    maps: Tensor, head: nn.Sequential, classifier: nn.Linear, pooling: Literal["average", "flatten"]
) -> Tensor:
    """Say what each cell of the map adds to each logit.

    With a classifier alone this is the class activation map (Zhou et al., 2016, arXiv 1512.04150), for 'flatten' with
    the weights that each cell has of its own: the average of the cells, plus the bias, is the logit. With ReLUs in the
    head it is what the head comes to for this very slice: with the units that are off taken out the head is linear, and
    its weights are multiplied onto the cells (HiResCAM: Draelos and Carin, 2020, arXiv 2011.08891). The average of the
    cells is then the logit but for what the biases of the active units add, which no cell can be given. So the
    map tells where the logit of this slice comes from; it does not tell what it would become if a cell changed so much
    that other units switch.

    Args:
        maps: ``(N, channels, h, w)``, what is pooled.
        head: of `build_head`, without its dropout.
        classifier: the last layer.
        pooling: how `head` gets the map.

    Returns:
        ``(N, outputs, h, w)``.
    """
    if pooling == "average" and not len(head):
        return functional.conv2d(maps, classifier.weight[:, :, None, None])
    slope = _slope(pool(maps, pooling), head, classifier)
    if pooling == "average":
        return torch.einsum("nkc,nchw->nkhw", slope, maps)
    channels, height, width = maps.shape[1:]
    of_cells = slope.reshape(-1, classifier.out_features, channels, height, width)
    return (of_cells * maps[:, None]).sum(dim=2) * (height * width)


def pool(maps: Tensor, pooling: Literal["average", "flatten"]) -> Tensor:
    """Bring a map ``(N, channels, h, w)`` to what a head takes: ``(N, channels)`` or ``(N, channels * h * w)``."""
    return maps.mean(dim=(2, 3)) if pooling == "average" else maps.flatten(1)


def _slope(values: Tensor, head: nn.Sequential, classifier: nn.Linear) -> Tensor:
    """Return the derivative of the outputs by the pooled values: ``(N, outputs, values)``, N being 1 without ReLUs."""
    active = []
    for layer in head:
        if isinstance(layer, nn.ReLU):
            active.append((values > 0).to(values.dtype))
        if not isinstance(layer, nn.Dropout):
            values = layer(values)
    slope = classifier.weight[None]
    for layer in reversed(head):
        if isinstance(layer, nn.Linear):
            slope = slope @ layer.weight
        elif isinstance(layer, nn.ReLU):
            slope = slope * active.pop()[:, None]
    return slope
