"""Stages of a backbone that stand still."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from tumorscope.errors import RecipeError


@dataclass(frozen=True)
class Frozen:
    """Part of a backbone that does not learn.

    Attributes:
        parameters: they get no gradient.
        modules: whose parameters they are; they stay in evaluation mode, so that no running mean moves.
    """

    parameters: tuple[nn.Parameter, ...]
    modules: tuple[nn.Module, ...]

    def freeze(self) -> None:
        """Make it stand still; to be called whenever the backbone was put into training mode."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        for module in self.modules:
            module.eval()


def first_stages(backbone: nn.Module, stages: int, side: int) -> Frozen:
    """Find the first stages of a backbone: all that its first `stages` feature maps depend on.

    Asking the graph what a map depends on serves every family of networks, however its modules are named.

    Args:
        backbone: returns a list of maps for ``(1, 3, side, side)``.
        stages: how many; 0 is nothing.
        side: of the input in pixels.

    Raises:
        RecipeError: the backbone has fewer stages.
    """
    if not stages:
        return Frozen((), ())
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    with torch.enable_grad():
        maps = backbone(torch.zeros(1, 3, side, side))
    for module, mode in modes.items():
        module.training = mode
    if stages > len(maps):
        raise RecipeError(
            f"schedule.frozen_stages is {stages}, and the backbone has {len(maps)} stages",
            remedy=f"give at most {len(maps)}",
        )
    parameters = list(backbone.parameters())
    total = sum(single.sum() for single in maps[:stages])
    gradients = torch.autograd.grad(total, parameters, allow_unused=True)
    used = {id(one) for one, gradient in zip(parameters, gradients, strict=True) if gradient is not None}
    owners = [module for module in backbone.modules() if {id(one) for one in module.parameters(recurse=False)} & used]
    return Frozen(tuple(one for one in parameters if id(one) in used), tuple(owners))
