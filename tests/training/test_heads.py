"""What a head decides, and that its map says where the decision comes from."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tumorscope.training.heads import build_head, evidence, pool
from tumorscope.training.module import covered_cross_entropy
from tumorscope.training.network import Network
from tumorscope.training.network_recipe import NetworkRecipe

DEEP = [{"linear": 12}, "relu", {"dropout": 0.5}, {"linear": 6}, {"dropout": 0.5}]
MAPS = torch.rand(3, 5, 4, 4, generator=torch.Generator().manual_seed(0)) - 0.3


def make(head, pooling, outputs=2):
    torch.manual_seed(1)
    width = 5 if pooling == "average" else 5 * 4 * 4
    layers, last = build_head(NetworkRecipe.model_validate({"head": head}).head, width)
    return layers.eval(), nn.Linear(last, outputs)


def test_a_layered_head_is_built_in_its_order():
    layers: Any
    layers, last = build_head(NetworkRecipe.model_validate({"head": DEEP}).head, 5)
    assert [type(layer).__name__ for layer in layers] == ["Linear", "ReLU", "Dropout", "Linear", "Dropout"]
    assert ([tuple(layers[i].weight.shape) for i in (0, 3)], last) == ([(12, 5), (6, 12)], 6)


@pytest.mark.parametrize("pooling", ["average", "flatten"])
def test_of_a_classifier_alone_the_average_of_the_map_plus_the_bias_is_the_logit(pooling):
    head, classifier = make([], pooling)
    heatmap = evidence(MAPS, head, classifier, pooling)
    torch.testing.assert_close(heatmap.mean(dim=(2, 3)) + classifier.bias, classifier(pool(MAPS, pooling)))


def test_flattened_cells_have_weights_of_their_own():
    head, classifier = make([], "flatten", outputs=1)
    nn.init.zeros_(classifier.weight)
    classifier.weight.data.view(5, 4, 4)[2, 1, 3] = 0.5  # channel 2 of the cell in row 1, column 3
    heatmap = evidence(torch.ones(1, 5, 4, 4), head, classifier, "flatten")
    assert heatmap[0, 0, 1, 3] == 0.5 * 16
    assert heatmap.count_nonzero() == 1


@pytest.mark.parametrize("pooling", ["average", "flatten"])
def test_through_relus_the_map_is_the_slope_of_the_logit_times_the_cells(pooling):
    head, classifier = make(DEEP, pooling)
    maps = MAPS.clone().requires_grad_(True)
    logits = classifier(head(pool(maps, pooling)))
    cells = maps.shape[-1] * maps.shape[-2]
    for k in range(2):
        (slope,) = torch.autograd.grad(logits[:, k].sum(), maps, retain_graph=True)
        expected = (slope * maps).sum(dim=1) * cells
        torch.testing.assert_close(evidence(maps, head, classifier, pooling)[:, k], expected)


def test_through_relus_the_map_plus_the_active_biases_is_the_logit():
    head, classifier = make(DEEP, "average")
    with torch.no_grad():
        hidden = head[0](pool(MAPS, "average"))
        active = (hidden > 0).float() * head[0].bias
        biases = classifier(head[3](active))
        logits = classifier(head(pool(MAPS, "average")))
        total = evidence(MAPS, head, classifier, "average").mean(dim=(2, 3)) + biases
    torch.testing.assert_close(total, logits)


@pytest.fixture(scope="module")
def unit():
    torch.manual_seed(0)
    recipe = NetworkRecipe(
        backbone="test_efficientnet", weights="none", width=8, dropout=0, output="sigmoid", outline=False
    )
    network = Network(recipe, classes=2, side=96).eval()
    network.classifier.bias.data.fill_(0.7)
    with torch.no_grad():
        return network, network(torch.rand(4, 1, 96, 96) * 255)


def test_the_sigmoid_of_the_unit_is_the_probability_of_the_second_class(unit):
    network, outputs = unit
    z = network.classifier(outputs.embedding)[:, 0]
    torch.testing.assert_close(torch.softmax(outputs.logits, dim=1)[:, 1], torch.sigmoid(z))
    torch.testing.assert_close(outputs.heatmap[:, 1].mean(dim=(1, 2)) + 0.7, z)
    assert not outputs.heatmap[:, 0].any(), "all evidence is for or against the second class"


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_of_a_unit_is_binary_cross_entropy(smoothing):
    z = torch.tensor([-2.0, 0.3, 1.5])
    labels = torch.tensor([1, 0, 1])
    logits = torch.stack([torch.zeros_like(z), z], dim=1)
    ours = covered_cross_entropy(logits, functional.one_hot(labels, 2).bool(), torch.ones(2), smoothing)
    target = labels * (1 - smoothing) + smoothing / 2
    torch.testing.assert_close(ours, functional.binary_cross_entropy_with_logits(z, target, reduction="none"))


def test_a_label_that_covers_both_classes_costs_a_unit_nothing():
    both = covered_cross_entropy(torch.tensor([[0.0, 5.0]]), torch.tensor([[True, True]]), torch.ones(2), 0.0)
    assert both.item() == pytest.approx(0, abs=1e-6)
