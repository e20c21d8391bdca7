import math

import pytest
import torch

pytest.importorskip("torch")
from tumorscope.training.module import balanced_weights, covered_cross_entropy, outline_loss

LOGITS = torch.log(torch.tensor([[0.5, 0.3, 0.2]]))
ONES = torch.ones(3)


def test_a_fine_label_gives_plain_cross_entropy():
    loss = covered_cross_entropy(LOGITS, torch.tensor([[False, True, False]]), ONES, 0.0)
    assert loss.item() == pytest.approx(-math.log(0.3), abs=1e-6)


def test_a_coarse_label_sums_the_probabilities_it_covers():
    loss = covered_cross_entropy(LOGITS, torch.tensor([[True, False, True]]), ONES, 0.0)
    assert loss.item() == pytest.approx(-math.log(0.7), abs=1e-6)


def test_smoothing_mixes_in_the_even_target():
    loss = covered_cross_entropy(LOGITS, torch.tensor([[True, False, False]]), ONES, 0.3)
    even = -(math.log(0.5) + math.log(0.3) + math.log(0.2)) / 3
    assert loss.item() == pytest.approx(0.7 * -math.log(0.5) + 0.3 * even, abs=1e-6)


def test_a_coarse_loss_has_a_finite_gradient():
    logits = torch.zeros(1, 3, requires_grad=True)
    covered_cross_entropy(logits, torch.tensor([[True, False, True]]), ONES, 0.1).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_balanced_weights_undo_the_imbalance():
    cover = torch.tensor([[True, False]] * 3 + [[False, True]])
    weights = balanced_weights(cover, "balanced")
    assert (weights * torch.tensor([3.0, 1.0])).tolist() == pytest.approx([1.5, 1.5])


def test_the_outline_loss_of_a_perfect_mask_is_near_zero_and_of_a_wrong_one_large():
    masks = torch.zeros(1, 1, 8, 8)
    masks[..., :4] = 1
    right = torch.where(masks > 0, 20.0, -20.0)
    known = torch.tensor([True])
    assert outline_loss(right, masks, known).item() == pytest.approx(0, abs=1e-4)
    assert outline_loss(-right, masks, known).item() > 10


def test_unknown_masks_cost_nothing():
    loss = outline_loss(torch.randn(2, 1, 4, 4), torch.zeros(2, 1, 8, 8), torch.tensor([False, False]))
    assert loss.item() == 0
