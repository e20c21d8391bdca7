from typing import Any

import pytest
import torch

from tumorscope.errors import RecipeError
from tumorscope.training.layers import DescribedBackbone
from tumorscope.training.network import Network
from tumorscope.training.network_recipe import NetworkRecipe

PUBLISHED = {
    "backbone": "cnn",
    "layers": [{"conv": 32, "kernel": 7, "padding": 2}, "batchnorm", "relu", {"pool": 4}, {"pool": 4}],
    "pooling": "flatten",
    "output": "sigmoid",
}
"""240 px, padded by 2, 7x7 convolution, pooled by 4 and again by 4, flattened, one sigmoid unit."""


def test_a_described_network_is_what_its_description_says_and_nothing_else():
    network = Network(NetworkRecipe.model_validate(PUBLISHED), classes=2, side=240).eval()
    convolution, batchnorm, unit = 7 * 7 * 3 * 32 + 32, 2 * 32, 14 * 14 * 32 + 1
    assert sum(parameter.numel() for parameter in network.parameters()) == convolution + batchnorm + unit
    with torch.no_grad():
        outputs = network(torch.zeros(1, 1, 240, 240))
    assert outputs.heatmap.shape == (1, 2, 14, 14)  # 240 -> 238 -> 59 -> 14
    assert outputs.embedding.shape == (1, 32)
    assert outputs.mask is None


def test_maps_end_before_each_loss_of_resolution_and_tell_their_sizes():
    recipe = NetworkRecipe.model_validate(
        {
            "backbone": "cnn",
            "layers": [{"conv": 4}, "relu", {"pool": 2}, {"conv": 6, "stride": 2}, "relu", {"dropout": 0.5}],
        }
    )
    net = DescribedBackbone(recipe.layers).eval()
    maps = net(torch.zeros(1, 3, 32, 32))
    assert [tuple(single.shape[1:]) for single in maps] == [(4, 32, 32), (4, 16, 16), (6, 8, 8)]
    assert (net.channels, net.reductions) == ([4, 4, 6], [1, 2, 4])


def test_average_pooling_is_that_of_squares():
    recipe = NetworkRecipe.model_validate(
        {"backbone": "cnn", "layers": [{"conv": 1, "kernel": 1}, {"pool": 2, "kind": "average"}]}
    )
    net: Any = DescribedBackbone(recipe.layers)
    torch.nn.init.ones_(net.layers[0].weight)
    torch.nn.init.zeros_(net.layers[0].bias)
    squares = torch.tensor([[1.0, 3.0], [5.0, 7.0]]).expand(1, 3, 2, 2)
    assert net(squares)[-1].item() == 3 * 4.0  # the sum of three equal colors, averaged over four pixels


def test_a_described_network_can_be_fused_and_outline_as_others_do():
    recipe = NetworkRecipe.model_validate(
        {**PUBLISHED, "output": "softmax", "pooling": "average", "width": 16, "outline": True}
    )
    with torch.no_grad():
        outputs = Network(recipe, classes=3, side=96).eval()(torch.zeros(1, 1, 96, 96))
    assert outputs.heatmap.shape == (1, 3, 23, 23), "the coarsest map of at least ten cells"
    assert outputs.mask.shape == (1, 1, 94, 94)


def test_layers_that_leave_nothing_of_the_input_are_an_error():
    recipe = NetworkRecipe.model_validate({"backbone": "cnn", "layers": [{"conv": 4}, {"pool": 64}, {"pool": 64}]})
    with pytest.raises(RecipeError, match="96 pixels is too small"):
        Network(recipe, classes=2, side=96)


def test_one_sigmoid_unit_is_for_two_classes():
    with pytest.raises(RecipeError, match="cannot tell 4 classes apart"):
        Network(NetworkRecipe.model_validate(PUBLISHED), classes=4, side=240)
