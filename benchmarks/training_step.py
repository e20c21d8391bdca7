"""Times training steps in bf16: plain, with the fast gradients of depthwise convolutions, and with kept memory too.

    python benchmarks/training_step.py

The three are measured by turns on one thread, in CPU time: other work on the machine disturbs that least. The weights
start at random and the slices are noise, as neither changes what a step costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from statistics import median
from typing import Any

import torch

from record import write_record
from tumorscope.training.depthwise import FastDepthwiseGradients
from tumorscope.training.memory import keeping_freed_memory
from tumorscope.training.module import set_channels_last
from tumorscope.training.network import Network
from tumorscope.training.network_recipe import NetworkRecipe

CASES = (
    ("tf_efficientnet_lite0", 160, 32),
    ("tf_efficientnet_lite0", 192, 32),
    ("tf_efficientnet_lite0", 128, 8),
    ("tf_efficientnet_lite2", 128, 8),
    ("convnext_pico", 128, 32),
    ("resnet18", 128, 32),
)
"""Backbone, side, batch. A ResNet has no depthwise convolution: its ratio says what the measure is worth."""
WAYS: dict[str, tuple[Callable[[], AbstractContextManager[Any]], Callable[[], AbstractContextManager[Any]]]] = {
    "plain": (nullcontext, nullcontext),
    "fast gradients": (nullcontext, FastDepthwiseGradients),
    "memory kept too": (keeping_freed_memory, FastDepthwiseGradients),
}
"""What is entered around some steps, and around each forward pass."""
TURNS = 7
STEPS = 3


def main() -> None:
    """Measure and write the figures."""
    torch.set_num_threads(1)
    write_record("training_step", {"turns": TURNS, "cases": [_case(*case) for case in CASES]}, ("torch", "timm"))


def _case(backbone: str, side: int, batch: int) -> dict[str, Any]:
    step = _stepper(backbone, side, batch)
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(TURNS):
        for name, (around, within) in WAYS.items():
            with around():
                step(within)
                rates[name].append(batch * STEPS / _cpu_seconds(partial(step, within)))
    return {
        "backbone": backbone,
        "side": side,
        "batch": batch,
        "slices_per_cpu_second": {name: round(median(seen), 1) for name, seen in rates.items()},
        "ratio_to_plain": {name: _ratios(rates["plain"], seen) for name, seen in rates.items() if name != "plain"},
    }


def _stepper(backbone: str, side: int, batch: int) -> Callable[[Callable[[], AbstractContextManager[Any]]], None]:
    network = set_channels_last(Network(NetworkRecipe(backbone=backbone, weights="none"), 4, side)).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4)
    slices = torch.rand(batch, 1, side, side) * 255
    labels = torch.randint(0, 4, (batch,))

    def step(within: Callable[[], AbstractContextManager[Any]]) -> None:
        with within(), torch.autocast("cpu", torch.bfloat16):
            outputs = network(slices)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(outputs.logits.float(), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _cpu_seconds(step: Callable[[], None]) -> float:
    start = time.process_time()
    for _ in range(STEPS):
        step()
    return time.process_time() - start


def _ratios(before: list[float], after: list[float]) -> dict[str, float]:
    found = sorted(b / a for a, b in zip(before, after, strict=True))
    return {"median": round(median(found), 2), "worst": round(found[0], 2), "best": round(found[-1], 2)}


if __name__ == "__main__":
    main()
