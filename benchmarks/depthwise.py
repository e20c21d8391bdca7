"""Times training steps in bf16 with the fast gradients of depthwise convolutions, and without them.

    python benchmarks/depthwise.py

The two are measured by turns on one thread, in CPU time: other work on the machine disturbs that least. The weights
start at random and the slices are noise, as neither changes what a step costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from statistics import median
from typing import Any

import torch

from record import write_record
from tumorscope.training.depthwise import FastDepthwiseGradients
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
TURNS = 7
STEPS = 3


def main() -> None:
    """Measure and write the figures."""
    torch.set_num_threads(1)
    write_record("depthwise", {"turns": TURNS, "cases": [_case(*case) for case in CASES]}, ("torch", "timm"))


def _case(backbone: str, side: int, batch: int) -> dict[str, Any]:
    step = _stepper(backbone, side, batch)
    rates: dict[bool, list[float]] = {False: [], True: []}
    for fast in (False, True):
        step(fast)
    for _ in range(TURNS):
        for fast, seen in rates.items():
            seen.append(batch * STEPS / _cpu_seconds(lambda fast=fast: step(fast)))
    plain, fast = median(rates[False]), median(rates[True])
    ratios = sorted(after / before for before, after in zip(rates[False], rates[True], strict=True))
    return {
        "backbone": backbone,
        "side": side,
        "batch": batch,
        "slices_per_cpu_second": {"plain": round(plain, 1), "fast": round(fast, 1)},
        "ratio": {"median": round(median(ratios), 2), "worst": round(ratios[0], 2), "best": round(ratios[-1], 2)},
    }


def _stepper(backbone: str, side: int, batch: int) -> Callable[[bool], None]:
    network = set_channels_last(Network(NetworkRecipe(backbone=backbone, weights="none"), 4, side)).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4)
    slices = torch.rand(batch, 1, side, side) * 255
    labels = torch.randint(0, 4, (batch,))

    def step(fast: bool) -> None:
        with FastDepthwiseGradients() if fast else nullcontext(), torch.autocast("cpu", torch.bfloat16):
            outputs = network(slices)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(outputs.logits.float(), labels).backward()
        optimizer.step()

    return step


def _cpu_seconds(step: Callable[[], None]) -> float:
    start = time.process_time()
    for _ in range(STEPS):
        step()
    return time.process_time() - start


if __name__ == "__main__":
    main()
