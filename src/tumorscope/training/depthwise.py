"""Faster gradients of depthwise convolutions in bf16 on a CPU.

oneDNN, which torch calls there, has no vectorized bf16 kernel for two of them: the weights' where the kernel is larger
than 3 x 3, and the input's where the stride is above 1. Its fallback takes up to twenty times as long as the same
gradient in fp32, and two thirds of all training time of an EfficientNet-Lite0. So these two are taken in fp32, which
is more exact as well; everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx
from torch.overrides import TorchFunctionMode

VECTORIZED_KERNEL = 3
"""The largest side of a kernel whose bf16 weight gradient is fast."""


class FastDepthwiseGradients(TorchFunctionMode):
    """While entered, ``conv2d`` under bf16 autocast on a CPU takes the slow gradients of depthwise kernels in fp32."""

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
    """A convolution in bf16 whose slow gradients are taken in fp32."""

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

        def gradient(which: int, *, exact: bool) -> Tensor | None:
            if not wanted[which]:
                return None
            given: tuple[Tensor, ...] = (gradients[0], images, weight)
            if exact:  # of the one that is differentiated for, only the shape is read: leave its memory untouched
                given = tuple(_float(tensor, empty=i == which + 1) for i, tensor in enumerate(given))
            mask = [which == 0, which == 1, False]
            found = torch.ops.aten.convolution_backward(
                *given, None, stride, padding, dilation, False, [0, 0], groups, mask
            )
            return found[which].bfloat16()

        return (
            gradient(0, exact=max(stride) > 1),
            gradient(1, exact=max(weight.shape[2:]) > VECTORIZED_KERNEL),
            gradients[0].float().sum((0, 2, 3)).bfloat16() if wanted[2] else None,
            None,
        )


def _float(tensor: Tensor, *, empty: bool) -> Tensor:
    return torch.empty_like(tensor, dtype=torch.float32) if empty else tensor.float()


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)
