"""Every family of backbones that recipes name: built, run, exported, and the same in torch and in the model file."""

from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("torch")
from tumorscope.model_file import OUTPUTS, Card, read_model, write_model
from tumorscope.preprocess import Spec
from tumorscope.training.export import ExportedNetwork, Reference, export_graph
from tumorscope.training.network import Network
from tumorscope.training.network_recipe import NetworkRecipe

LAYERS = [{"conv": 8, "kernel": 5}, "batchnorm", "relu", {"pool": 4}, {"conv": 12}, "relu", {"pool": 2}]
DEEP = [{"linear": 24}, "relu", {"dropout": 0.5}, {"linear": 8}, {"dropout": 0.5}]
LAST = {"weights": "none", "width": None, "dropout": 0, "outline": False}
QUICK: dict[str, tuple[dict[str, Any], int, tuple[int, int]]] = {
    "described, flattened, sigmoid": ({"backbone": "cnn", "layers": LAYERS, "pooling": "flatten"}, 1, (12, 12)),
    "described, flattened, deep head": (
        {"backbone": "cnn", "layers": LAYERS, "pooling": "flatten", "head": DEEP},
        1,
        (12, 12),
    ),
    "last map, deep head, sequences": ({"backbone": "test_resnet", **LAST, "head": DEEP}, 3, (3, 3)),
}
SLOW = [
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "tf_efficientnet_b3",
    "tf_efficientnet_lite0",
    "tf_efficientnet_lite1",
    "tf_efficientnet_lite2",
    "legacy_xception",
    "xception41",
    "convnext_nano",
    "densenet121",
    "vit_tiny_patch16_224",
]


def check(recipe, side, depth, folder):
    """Export a network with random weights, compare it with torch on noise, and return the shape of the heatmap."""
    torch.manual_seed(0)
    network = Network(recipe, 2, side).eval()
    for parameter in network.classifier.parameters():
        parameter.data.mul_(20)  # untrained networks say so little that any two would agree
    channels = "lgg" if depth == 3 else "gray"
    card = Card(name="x", classes=("notumor", "tumor"), spec=Spec(side=side, channels=channels))
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, depth), np.uint8)
    with torch.no_grad():
        width = network(torch.from_numpy(images).permute(0, 3, 1, 2).float()).embedding.shape[1]
        anywhere = Reference(np.zeros((2, width), np.float32), np.eye(width, dtype=np.float32))
        exported = ExportedNetwork(network, 1.5, anywhere)
        theirs = exported(torch.from_numpy(images))
    write_model(export_graph(exported, card.spec), card, folder / "x.onnx")
    model = read_model(folder / "x.onnx", threads=1)
    ours = model.run(images)
    for name, values in zip(OUTPUTS, theirs, strict=True):
        np.testing.assert_allclose(ours[name], values.numpy(), atol=1e-4, rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(model.run(images[:1])["probabilities"], ours["probabilities"][:1], atol=1e-4)
    return ours["heatmap"].shape


@pytest.mark.parametrize("name", QUICK)
def test_described_and_layered_networks_say_in_the_model_file_what_they_say_in_torch(name, tmp_path):
    keys, depth, grid = QUICK[name]
    output = "sigmoid" if name.endswith("sigmoid") else "softmax"
    recipe = NetworkRecipe.model_validate({**keys, "output": output})
    assert check(recipe, 96, depth, tmp_path) == (3, 2, *grid)


def test_a_transformer_is_made_for_the_side_of_the_input():
    network = Network(NetworkRecipe(backbone="test_vit", weights="none", width=8), classes=2, side=96).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 1, 96, 96)).heatmap.shape == (1, 2, 6, 6)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", SLOW)
def test_every_family_says_in_the_model_file_what_it_says_in_torch(backbone, tmp_path):
    shape = check(NetworkRecipe(backbone=backbone, weights="none", width=32), 96, 1, tmp_path)
    assert shape == ((3, 2, 6, 6) if backbone.startswith("vit") else (3, 2, 12, 12))
