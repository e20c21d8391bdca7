"""Faster gradients of depthwise convolutions in bf16 on a CPU.

oneDNN, which torch calls there, has no vectorized bf16 kernel for two of them: the weights' where the kernel is larger
than 3 x 3, and the input's where the stride is above 1. Its fallback takes up to twenty times as long as the same
gradient in fp32, and two thirds of all training time of an EfficientNet-Lite0. So the weights' are taken in tiles of 3
x 3, for which there is a kernel, and the input's in fp32; where stride or dilation is above 1 the weights' are too, as
tiles would have to copy nearly the whole input each, or their kernel is wrong. Everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx
from torch.nn import functional
from torch.overrides import TorchFunctionMode

VECTORIZED_KERNEL = 3
"""The largest side of a kernel whose bf16 weight gradient is fast."""


class FastDepthwiseGradients(TorchFunctionMode):
    """While entered, ``conv2d`` under bf16 autocast on a CPU takes slow depthwise gradients another way."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call `func`, or stand in for it."""
        if func is torch.conv2d and not kwargs and _is_slow(call := _Call(*args)):
            return _convolve(call)
        return func(*args, **(kwargs or {}))


class _Call(NamedTuple):
    """The arguments of ``conv2d``."""

    images: Tensor
    weight: Tensor
    bias: Tensor | None = None
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1


def _is_slow(call: _Call) -> bool:
    """Whether the convolution has a gradient that the fallback would take."""
    return (
        call.weight.requires_grad
        and call.images.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
        and call.groups == call.images.shape[1] == call.weight.shape[0]
        and not isinstance(call.padding, str)
        and (max(_pair(call.stride)) > 1 or max(call.weight.shape[2:]) > VECTORIZED_KERNEL)
    )


def _convolve(call: _Call) -> Tensor:
    """Return what ``conv2d`` returns under autocast."""
    places = (_pair(call.stride), _pair(call.padding), _pair(call.dilation), call.groups)
    rounded = [None if tensor is None else tensor.bfloat16() for tensor in call[:3]]
    with torch.autocast("cpu", enabled=False):
        result: Tensor = _Depthwise.apply(*rounded, places)  # type: ignore[no-untyped-call]
    return result


class _Depthwise(Function):
    """A convolution in bf16 whose slow gradients are taken another way."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, places: tuple[Any, ...]) -> Tensor:
        """Convolve as ever."""
        ctx.save_for_backward(images, weight)
        ctx.places = places
        stride, padding, dilation, groups = places
        return torch.conv2d(images, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of images, weight and bias, each in bf16."""
        images, weight = ctx.saved_tensors  # type: ignore[attr-defined]
        stride, padding, dilation, groups = ctx.places  # type: ignore[attr-defined]
        wanted = ctx.needs_input_grad  # type: ignore[attr-defined]
        large, spread = max(weight.shape[2:]) > VECTORIZED_KERNEL, max(stride) > 1

        def gradient(which: int, *, exact: bool) -> Tensor:
            given: tuple[Tensor, ...] = (gradients[0], images, weight)
            if exact:  # of the one that is differentiated for, only the shape is read: leave its memory untouched
                given = tuple(_float(tensor, empty=i == which + 1) for i, tensor in enumerate(given))
            mask = [which == 0, which == 1, False]
            found = torch.ops.aten.convolution_backward(
                *given, None, stride, padding, dilation, False, [0, 0], groups, mask
            )
            return found[which].bfloat16()

        def weight_gradient() -> Tensor:
            if large and not spread and max(dilation) == 1:  # dilated, the kernel for tiles is wrong on larger maps
                return _in_tiles(gradients[0], images, weight, padding)
            return gradient(1, exact=large)

        return (
            gradient(0, exact=spread) if wanted[0] else None,
            weight_gradient() if wanted[1] else None,
            gradients[0].float().sum((0, 2, 3)).bfloat16() if wanted[2] else None,
            None,
        )


def _in_tiles(outer: Tensor, images: Tensor, weight: Tensor, padding: Any) -> Tensor:
    """Return the weights' gradient at stride and dilation 1, tile by tile of the kernel.

    What a part of a kernel sees is the input from that part's place on: a tile's gradient is that of a small kernel
    over a shifted input.
    """
    vertical, horizontal = padding
    padded = functional.pad(images, (horizontal, horizontal, vertical, vertical))
    found = torch.empty_like(weight)
    for top, height in _tiles(weight.shape[2]):
        for left, width in _tiles(weight.shape[3]):
            bottom, right = top + outer.shape[2] + height - 1, left + outer.shape[3] + width - 1
            seen = padded[:, :, top:bottom, left:right].contiguous(memory_format=torch.channels_last)
            tile = weight.new_empty(weight.shape[0], 1, height, width)
            _, gradient, _ = torch.ops.aten.convolution_backward(
                outer, seen, tile, None, [1, 1], [0, 0], [1, 1], False, [0, 0], len(weight), [False, True, False]
            )
            found[:, :, top : top + height, left : left + width] = gradient
    return found


def _tiles(side: int) -> list[tuple[int, int]]:
    """Cover a side of a kernel with tiles, as (start, length); the last may overlap the one before."""
    length = min(side, VECTORIZED_KERNEL)
    return [(min(start, side - length), length) for start in range(0, side, length)]


def _float(tensor: Tensor, *, empty: bool) -> Tensor:
    return torch.empty_like(tensor, dtype=torch.float32) if empty else tensor.float()


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)
