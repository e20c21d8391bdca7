import numpy as np
import pytest
import torch
from torch.nn import functional

from tumorscope.model_file import Card, read_model, write_model
from tumorscope.preprocess import Spec
from tumorscope.training.export import ExportedNetwork, Reference, export_graph, fit_reference
from tumorscope.training.network import Network
from tumorscope.training.network_recipe import NetworkRecipe

SIDE = 96
TUMORS = (True, False)
IMAGES = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 1), np.uint8)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Network(NetworkRecipe(backbone="test_efficientnet", weights="none", width=16), 2, SIDE).eval()


@pytest.fixture(scope="module")
def reference():
    return Reference(np.zeros((2, 16), np.float32), np.eye(16, dtype=np.float32))


def test_the_graph_says_what_the_network_says(network, reference, tmp_path):
    exported = ExportedNetwork(network, 2.0, reference, TUMORS)
    card = Card(name="tiny", classes=("glioma", "notumor"), spec=Spec(side=SIDE))
    write_model(export_graph(exported, card.spec), card, tmp_path / "tiny.onnx")
    ours = read_model(tmp_path / "tiny.onnx").run(IMAGES)
    with torch.no_grad():
        theirs = exported(torch.from_numpy(IMAGES))
    for name, values in zip(("probabilities", "heatmap", "embedding", "outlier"), theirs, strict=True):
        np.testing.assert_allclose(ours[name], values.numpy(), atol=1e-4)


def test_without_masks_the_heatmap_is_the_class_activation_map(network, reference):
    with torch.no_grad():
        heatmap = ExportedNetwork(network, 1.0, reference)(torch.from_numpy(IMAGES))[1]
        plain = network(torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float()).heatmap
    torch.testing.assert_close(heatmap, plain)


def test_with_masks_a_tumor_is_shown_inside_the_outline_and_its_absence_outside(network, reference):
    with torch.no_grad():
        heatmap = ExportedNetwork(network, 1.0, reference, TUMORS)(torch.from_numpy(IMAGES))[1]
        outputs = network(torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float())
    inside = torch.sigmoid(outputs.mask[:, 0])
    evidence = functional.softplus(functional.interpolate(outputs.heatmap, size=inside.shape[-2:], mode="bilinear"))
    torch.testing.assert_close(heatmap[:, 0], evidence[:, 0] * inside)
    torch.testing.assert_close(heatmap[:, 1], evidence[:, 1] * (1 - inside))


def test_distances_are_small_where_the_training_was_and_large_elsewhere():
    rng = np.random.default_rng(1)
    classes = np.repeat([0, 1], 200)
    embeddings = (rng.normal(0, 1, (400, 8)) + 6 * classes[:, None]).astype(np.float32)
    reference = fit_reference(embeddings, classes, 2)

    def distance(point):
        return np.sqrt((((point - reference.means) @ reference.whitening) ** 2).sum(axis=1).min())

    assert distance(embeddings[0]) < 2
    assert distance(embeddings[0] + 30) > 5 * distance(embeddings[0])


@pytest.mark.real_data
def test_torch_and_the_graph_agree_on_real_slices_with_real_weights(data_root, tmp_path):
    from tumorscope.preprocess import preprocess
    from tumorscope.scans import read_slice

    torch.manual_seed(1)
    recipe = NetworkRecipe(backbone="tf_efficientnet_lite0", weights="bundled")
    network, spec = Network(recipe, 4, 160).eval(), Spec(side=160)
    files = sorted((data_root / "masoud_7023" / "Testing").rglob("*.jpg"))[::13][:100]
    images = np.stack([preprocess(read_slice(file), spec) for file in files])
    anywhere = Reference(np.zeros((4, recipe.width), np.float32), np.eye(recipe.width, dtype=np.float32))
    exported = ExportedNetwork(network, 0.7, anywhere)
    card = Card(name="real", classes=("glioma", "meningioma", "notumor", "pituitary"), spec=spec, temperature=0.7)
    write_model(export_graph(exported, spec), card, tmp_path / "real.onnx")
    with torch.no_grad():
        theirs = exported(torch.from_numpy(images))[0].numpy()
    assert len(images) == 100
    np.testing.assert_allclose(read_model(tmp_path / "real.onnx").run(images)["probabilities"], theirs, atol=1e-4)
