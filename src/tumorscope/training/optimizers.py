"""What changes the weights, and how fast at each step."""

from __future__ import annotations

import math

import torch
from torch import nn

from tumorscope.training.recipe import ScheduleRecipe


def make_optimizer(network: nn.Module, backbone: nn.Module, schedule: ScheduleRecipe) -> torch.optim.Optimizer:
    """Return the recipe's optimizer, with one rate for the backbone and one for all other weights of the network."""
    in_backbone = {id(parameter) for parameter in backbone.parameters()}
    groups = [
        {"params": list(backbone.parameters()), "lr": schedule.backbone_lr},
        {"params": [p for p in network.parameters() if id(p) not in in_backbone], "lr": schedule.lr},
    ]
    if schedule.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=schedule.momentum, weight_decay=schedule.weight_decay)
    kind = torch.optim.AdamW if schedule.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, weight_decay=schedule.weight_decay)


def rate(step: int, steps: int, schedule: ScheduleRecipe) -> float:
    """Return the share of the learning rates that holds at a step.

    Args:
        step: counts from 0.
        steps: of the whole training.
        schedule: warm-up, and how the rate falls after it.
    """
    warmup = max(1, round(schedule.warmup * steps))
    if step < warmup:
        return (step + 1) / warmup
    if schedule.decay == "constant":
        return 1.0
    if schedule.decay == "step":
        epoch = step * schedule.epochs // max(1, steps)
        return float(schedule.decay_factor ** (epoch // schedule.decay_every))
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))
