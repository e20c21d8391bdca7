import pytest
import torch

from tumorscope.errors import RecipeError
from tumorscope.training.freezing import first_stages
from tumorscope.training.module import TumorModule
from tumorscope.training.network import Network
from tumorscope.training.recipe import Recipe
from tumorscope.training.weights import create_backbone


def names(net, frozen):
    chosen = {id(parameter) for parameter in frozen.parameters}
    return {name for name, parameter in net.named_parameters() if id(parameter) in chosen}


def test_a_stage_of_a_resnet_is_what_the_family_calls_one():
    net = create_backbone("resnet18", "none", 64).net
    for stages, last in [(1, "bn1"), (2, "layer1"), (3, "layer2"), (5, "layer4")]:
        order = ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
        expected = set(order[: order.index(last) + 1])
        assert {name.split(".")[0] for name in names(net, first_stages(net, stages, 64))} == expected


def test_nothing_is_frozen_where_no_stage_is():
    assert first_stages(torch.nn.Identity(), 0, 64).parameters == ()


def test_more_stages_than_there_are_is_an_error():
    with pytest.raises(RecipeError, match="has 5 stages"):
        first_stages(create_backbone("test_efficientnet", "none", 64).net, 6, 64)


def step(**schedule):
    """Train one step, and return the network before and after."""
    recipe = Recipe.model_validate(
        {
            "name": "tiny",
            "classes": ["notumor", "tumor"],
            "spec": {"side": 64},
            "network": {"backbone": "test_efficientnet", "weights": "none", "width": 8},
            "schedule": {"epochs": 2, "warmup": 0, "backbone_lr": 0.1, **schedule},
        }
    )
    torch.manual_seed(0)
    network = Network(recipe.network, 2, 64).train()
    module = TumorModule(network, recipe, torch.ones(2), steps=4)
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    module.on_train_epoch_start()
    optimizer = module.configure_optimizers()["optimizer"]
    images, cover = torch.rand(4, 1, 64, 64) * 255, torch.eye(2).bool().repeat(2, 1)
    module.training_step((images, cover, torch.zeros(4, 1, 64, 64), torch.zeros(4).bool(), torch.ones(4)), 0).backward()
    optimizer.step()
    after = network.state_dict()
    return {name for name, value in before.items() if not torch.equal(value, after[name])}, network


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_frozen_stages_neither_learn_nor_move_their_running_means(optimizer):
    changed, network = step(frozen_epochs=0, frozen_stages=2, optimizer=optimizer)
    frozen = names(network.backbone, first_stages_again(network.backbone, 2))
    stems = {name.rsplit(".", 1)[0] for name in frozen}
    assert not {name for name in changed if name.removeprefix("backbone.").rsplit(".", 1)[0] in stems}
    assert any(name.startswith("backbone.blocks.4") for name in changed), "later stages learn"
    assert {"mix.0.weight", "classifier.weight"} <= changed


def first_stages_again(backbone, stages):
    backbone.requires_grad_(True)
    return first_stages(backbone, stages, 64)


def test_a_backbone_frozen_throughout_stays_as_it_came():
    changed, _ = step(frozen_epochs=2)
    assert changed
    assert not {name for name in changed if name.startswith("backbone.")}
