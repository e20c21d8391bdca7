"""Gradients of depthwise convolutions: the fast way gives what the slow one gives."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from tumorscope.training.depthwise import FastDepthwiseGradients, _pair

SHAPES = [  # kernel, stride, padding, dilation
    (5, 1, 2, 1),
    (5, 2, 0, 1),
    (3, 2, 1, 1),
    (3, (2, 1), (1, 0), 1),
    (7, 1, 6, 2),
    (7, 1, 3, 1),
    ((3, 5), 1, (1, 2), 1),
    (4, 1, (0, 3), 1),
]


def _gradients(*, fast: bool, shape: tuple, precision: torch.dtype, bias: bool = True) -> tuple[Tensor, ...]:
    kernel, stride, padding, dilation = shape
    torch.manual_seed(3)
    images = torch.randn(4, 16, 19, 23).contiguous(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(16, 1, *_pair(kernel)).requires_grad_()
    biases = torch.randn(16).requires_grad_() if bias else None
    autocast = torch.autocast("cpu", precision, enabled=precision == torch.bfloat16)
    with FastDepthwiseGradients() if fast else nullcontext(), autocast:
        found = torch.conv2d(images, weight, biases, stride, padding, dilation, 16)
    found.float().pow(2).mean().backward()
    return found, images.grad, weight.grad, *([biases.grad] if biases is not None else [])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "plain"])
def test_what_it_gives_is_what_autocast_gives(shape: tuple, bias: bool) -> None:
    fast = _gradients(fast=True, shape=shape, precision=torch.bfloat16, bias=bias)
    slow = _gradients(fast=False, shape=shape, precision=torch.bfloat16, bias=bias)
    exact = _gradients(fast=False, shape=shape, precision=torch.float32, bias=bias)
    assert fast[0].dtype == torch.bfloat16
    assert torch.allclose(fast[0].float(), slow[0].float(), rtol=2e-2, atol=2e-2)
    for ours, plain, truth in zip(fast[1:], slow[1:], exact[1:], strict=True):
        assert ours.dtype == plain.dtype
        scale = truth.abs().max()
        assert (ours - truth).abs().max() <= 1.25 * (plain - truth).abs().max() + 1e-3 * scale


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("kernel", [5, 7, (5, 3)], ids=str)
def test_gradients_on_larger_maps_are_those_of_fp32(kernel: object, dilation: int) -> None:
    """Autocast's own are no measure here: dilated, oneDNN's bf16 kernel is wrong from maps of about 31 on."""
    torch.manual_seed(0)
    images, outer = torch.randn(2, 8, 40, 44).bfloat16(), None
    weight = torch.randn(8, 1, *_pair(kernel)).bfloat16().float()
    found = []
    for fast in (True, False):
        taken = weight.clone().requires_grad_()
        with FastDepthwiseGradients(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
            result = torch.conv2d(images if fast else images.float(), taken, None, 1, 2, dilation, 8)
        outer = torch.randn(result.shape).bfloat16() if outer is None else outer
        result.backward(outer if fast else outer.float())
        found.append(taken.grad)
    assert (found[0] - found[1]).abs().max() <= 1e-2 * found[1].abs().max()


def test_it_repeats_itself_to_the_bit() -> None:
    runs = [_gradients(fast=True, shape=SHAPES[1], precision=torch.bfloat16) for _ in range(2)]
    assert all(torch.equal(first, second) for first, second in zip(*runs, strict=True))


@pytest.mark.parametrize(
    ("groups", "kernel", "stride", "precision"),
    [(16, 3, 1, torch.bfloat16), (1, 5, 2, torch.bfloat16), (4, 5, 2, torch.bfloat16), (16, 5, 2, torch.float32)],
    ids=["small kernel", "dense", "grouped", "fp32"],
)
def test_other_convolutions_are_left_alone(groups: int, kernel: int, stride: int, precision: torch.dtype) -> None:
    images = torch.randn(2, 16, 12, 12)
    weight = torch.randn(16, 16 // groups, kernel, kernel).requires_grad_()
    with FastDepthwiseGradients(), torch.autocast("cpu", precision, enabled=precision == torch.bfloat16):
        found = torch.conv2d(images, weight, None, stride, 0, 1, groups)
    assert found.grad_fn is not None
    assert "Depthwise" not in type(found.grad_fn).__name__


def test_a_frozen_weight_asks_for_nothing() -> None:
    weight = torch.randn(16, 1, 5, 5)
    with FastDepthwiseGradients(), torch.autocast("cpu", torch.bfloat16):
        assert torch.conv2d(torch.randn(2, 16, 9, 9), weight, None, 1, 2, 1, 16).grad_fn is None


def test_images_that_need_no_gradient_get_none() -> None:
    images, weight = torch.randn(2, 16, 9, 9), torch.randn(16, 1, 5, 5).requires_grad_()
    with FastDepthwiseGradients(), torch.autocast("cpu", torch.bfloat16):
        found = torch.conv2d(images, weight, None, 1, 2, 1, 16)
    found.float().sum().backward()
    assert weight.grad is not None
    assert images.grad is None
