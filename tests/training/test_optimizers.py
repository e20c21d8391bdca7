import math

import pytest
import torch
from torch import nn

from tumorscope.training.optimizers import make_optimizer, rate
from tumorscope.training.recipe import ScheduleRecipe


def after_two_steps(**schedule):
    """Minimize w (gradient 1) from w = 1 in two steps; the backbone's weight, then the head's."""
    network = nn.ModuleDict({"backbone": nn.Linear(1, 1, bias=False), "head": nn.Linear(1, 1, bias=False)})
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    optimizer = make_optimizer(
        network, network["backbone"], ScheduleRecipe.model_validate({"lr": 0.1, "backbone_lr": 0.01, **schedule})
    )
    for _ in range(2):
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    return [network.get_parameter(f"{name}.weight").item() for name in ("backbone", "head")]


def test_sgd_goes_down_the_gradient_with_momentum():
    # first step 1, second 1 + 0.5
    assert after_two_steps(optimizer="sgd", momentum=0.5, weight_decay=0) == pytest.approx([1 - 0.025, 1 - 0.25])
    assert after_two_steps(optimizer="sgd", momentum=0, weight_decay=0) == pytest.approx([1 - 0.02, 1 - 0.2])


def test_adam_takes_steps_of_its_rate_and_adamw_decays_the_weights_beside_them():
    assert after_two_steps(optimizer="adam", weight_decay=0) == pytest.approx([0.98, 0.8], abs=1e-6)
    decayed = (1 - 0.1 * 0.5) * 1 - 0.1
    decayed = (1 - 0.1 * 0.5) * decayed - 0.1
    assert after_two_steps(optimizer="adamw", weight_decay=0.5)[1] == pytest.approx(decayed, abs=1e-6)


def test_adamw_is_what_is_used_where_nothing_is_said():
    assert after_two_steps() == after_two_steps(optimizer="adamw")


def rates(**schedule):
    return [rate(step, 100, ScheduleRecipe.model_validate({"epochs": 10, **schedule})) for step in range(100)]


def test_the_cosine_rises_over_the_warm_up_and_falls_to_nothing():
    found = rates(warmup=0.1)
    assert found[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert found[55] == pytest.approx(0.5 * (1 + math.cos(math.pi * 45 / 90)))
    assert found[99] < 0.001


def test_constant_stays_after_the_warm_up():
    assert rates(warmup=0, decay="constant") == [1.0] * 100
    assert rates(warmup=0.05, decay="constant")[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])


def test_steps_come_every_so_many_epochs():
    found = rates(warmup=0, decay="step", decay_every=4, decay_factor=0.5)
    assert found == pytest.approx([1.0] * 40 + [0.5] * 40 + [0.25] * 20)
