import numpy as np
import pytest
import torch

pytest.importorskip("torch")

from tumorscope.errors import RecipeError
from tumorscope.training.network import Network
from tumorscope.training.recipe import NetworkRecipe
from tumorscope.training.weights import bundled_state, create_backbone

TINY = NetworkRecipe(backbone="test_efficientnet", weights="none", width=16)


def test_the_heatmap_is_the_decision():
    network = Network(TINY, classes=3, side=96).eval()
    with torch.no_grad():
        outputs = network(torch.rand(2, 1, 96, 96) * 255)
    evidence = outputs.heatmap.mean(dim=(2, 3)) + network.classifier.bias
    torch.testing.assert_close(evidence, outputs.logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("side", "grid"), [(96, 12), (160, 10), (192, 12), (224, 14), (320, 10)])
def test_the_grid_is_never_coarser_than_ten_cells(side, grid):
    with torch.no_grad():
        outputs = Network(TINY, classes=2, side=side).eval()(torch.zeros(1, 1, side, side))
    assert outputs.heatmap.shape[-2:] == (grid, grid)


@pytest.mark.parametrize("backbone", ["resnet18", "convnext_atto", "vit_tiny_patch16_224"])
def test_other_families_of_backbones_fit(backbone):
    side = 224
    network = Network(NetworkRecipe(backbone=backbone, weights="none", width=8), classes=4, side=side).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, side, side)).logits.shape == (1, 4)


def test_bundled_weights_name_a_photo_as_imagenet_does():
    cv2 = pytest.importorskip("cv2")
    import timm
    from sklearn.datasets import load_sample_image

    model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    model.load_state_dict(bundled_state("tf_efficientnet_lite0"), strict=False)
    photo = cv2.resize(load_sample_image("flower.jpg"), (224, 224)).astype(np.float32)
    with torch.no_grad():
        likeliest = model((torch.from_numpy(photo).permute(2, 0, 1)[None] - 127) / 128).argmax().item()
    assert likeliest == 985, "the photo shows a bee on a composite flower; 985 is the daisy"


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("no_such_net", "none", "knows no backbone"),
        ("resnet18", "bundled", "no bundled weights"),
        ("resnet18", "missing.pth", "is no file"),
    ],
)
def test_wrong_backbones_are_named(name, weights, message):
    with pytest.raises(RecipeError, match=message):
        create_backbone(name, weights, 96)


def test_weights_of_another_model_are_refused(tmp_path):
    import timm

    path = tmp_path / "weights.pth"
    torch.save(timm.create_model("resnet18", pretrained=False).state_dict(), path)
    with pytest.raises(RecipeError, match="do not fit resnet34"):
        create_backbone("resnet34", str(path), 96)


def test_weights_from_a_file_are_loaded(tmp_path):
    import timm

    model = timm.create_model("test_efficientnet", pretrained=False)
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    backbone = create_backbone("test_efficientnet", str(tmp_path / "weights.pth"), 96).net
    torch.testing.assert_close(backbone.state_dict()["conv_stem.weight"], model.state_dict()["conv_stem.weight"])


def test_an_unreachable_hub_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(RecipeError, match=r"cannot be fetched.*weights: bundled"):
        create_backbone("resnet18", "hub", 96)
