import numpy as np
import pytest
import torch

pytest.importorskip("torch")

from tumorscope.errors import RecipeError
from tumorscope.training.network import Network
from tumorscope.training.network_recipe import NetworkRecipe
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


@pytest.mark.parametrize("name", ["test_efficientnet", "test_convnext", "test_vit"])
def test_weights_from_a_file_are_loaded_into_every_family(tmp_path, name):
    import timm

    model = timm.create_model(name, pretrained=False)
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    net = create_backbone(name, str(tmp_path / "weights.pth"), 96).net
    saved = {value.double().sum().item() for key, value in model.state_dict().items() if "pos_embed" not in key}
    for key, value in net.state_dict().items():
        if "pos_embed" not in key:  # made for another size, and so resampled
            assert value.double().sum().item() in saved, key


def test_a_file_that_lacks_a_tensor_is_refused(tmp_path):
    import timm

    state = timm.create_model("test_efficientnet", pretrained=False).state_dict()
    del state["blocks.1.0.bn1.weight"]
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(RecipeError, match=r"do not fit test_efficientnet \(blocks.1.0.bn1.weight\)"):
        create_backbone("test_efficientnet", str(tmp_path / "weights.pth"), 96)


def test_normalization_can_be_left_out_and_knows_the_colors_of_three_sequences():
    images = torch.full((1, 3, 32, 32), 127.5)
    for normalize, mean, std in [(True, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), (False, [0.0] * 3, [1.0] * 3)]:
        recipe = NetworkRecipe(backbone="test_efficientnet", weights="none", width=8, normalize=normalize)
        network = Network(recipe, classes=2, side=32)
        expected = (0.5 - torch.tensor(mean)) / torch.tensor(std)
        torch.testing.assert_close(network._scaled(images)[0, :, 0, 0], expected)
        gray = network._scaled(images[:, :1])[0, :, 0, 0]
        torch.testing.assert_close(gray, torch.full((3,), (0.5 - sum(mean) / 3) / (sum(std) / 3)))


def test_an_unreachable_hub_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # its variable is read once, on import
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(RecipeError, match=r"cannot be fetched.*weights: bundled"):
        create_backbone("resnet18", "hub", 96)
