"""A look into a small trained network: its maps, its answers, and how sure it is of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from primer.sets import SEED, SIDE, TEST, VAL, followed_slice
from tumorscope.catalog.phantom import draw_phantom

if TYPE_CHECKING:
    from tumorscope.training.network import Network
    from tumorscope.training.recipe import Recipe

MAP_SIDE, MAPS = 32, 4
BINS, POINTS = 10, 60


def calibrate(folder: Path) -> dict[str, Any]:
    """Return reliability of the network of the last epoch, before and after a temperature fitted on validation.

    The last epoch and not the kept one: a network that goes on learning its training slices by heart grows too sure.
    """
    from scipy.special import softmax

    from tumorscope.evaluation import calibration
    from tumorscope.statistics import metrics

    network, classes = _network(folder, "last.ckpt")
    drawn = list(draw_phantom(TEST + VAL, seed=SEED, side=SIDE))  # in the order of `write_parts`
    cover = np.array([[name == one.label for name in classes] for one in drawn])
    logits = _logits(network, [one.image for one in drawn])
    temperature = calibration.fit_temperature(logits[TEST:], cover[TEST:])
    found: dict[str, Any] = {"temperature": round(temperature, 2), "n": TEST, "n_val": VAL}
    for side, divisor in (("before", 1.0), ("after", temperature)):
        confidence, right = calibration.answers(softmax(logits[:TEST] / divisor, axis=1), cover[:TEST])
        found[side] = {
            "ece": round(metrics.calibration_error("", confidence, right, np.ones(TEST, bool), BINS).value, 4),
            "confidence": round(float(confidence.mean()), 4),
            "bins": _bins(confidence, right, metrics.confidence_bins(confidence, BINS)),
        }
    order = np.argsort(-confidence, kind="stable")
    kept = np.arange(1, TEST + 1)
    found["accuracy"] = round(float(right.mean()), 4)
    found["surest_half"] = round(float(right[order[: TEST // 2]].mean()), 4)
    curve = {"x": (kept / TEST).tolist(), "y": (np.cumsum(right[order]) / kept).tolist()}
    return found | {"coverage": _thinned(curve)}


def _thinned(curve: dict[str, list[float]]) -> dict[str, list[float]]:
    chosen = np.unique(np.linspace(0, len(curve["x"]) - 1, POINTS).astype(int))
    return {axis: [round(curve[axis][i], 4) for i in chosen] for axis in ("x", "y")}


def _bins(confidence: NDArray[np.float64], right: NDArray[np.bool_], cells: NDArray[np.int64]) -> list[dict[str, Any]]:
    return [
        {
            "n": int((cells == cell).sum()),
            "confidence": round(float(confidence[cells == cell].mean()), 4),
            "accuracy": round(float(right[cells == cell].mean()), 4),
        }
        for cell in np.unique(cells)
    ]


def _network(folder: Path, checkpoint: str) -> tuple[Network, tuple[str, ...]]:
    """Return the network of a checkpoint, ready to answer, and the classes in the order of its outputs."""
    from tumorscope.training.checkpoints import read_checkpoint
    from tumorscope.training.network import Network

    recipe = _saved_recipe(folder)
    assert recipe.classes is not None
    network = Network(recipe.network, len(recipe.classes), recipe.spec.side)
    state = read_checkpoint(folder / checkpoint)["state_dict"]
    network.load_state_dict({key.removeprefix("network."): value for key, value in state.items() if "network." in key})
    return network.eval(), recipe.classes


def _logits(network: Network, images: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    import torch

    with torch.inference_mode():
        found = network(torch.from_numpy(np.stack(images))[:, None].float()).logits
    return np.asarray(found.numpy(), np.float64)


def look_inside(folder: Path) -> dict[str, Any]:
    """Look into the trained network: some maps after each convolution of one test slice, its answer, its size."""
    import torch

    network, classes = _network(folder, "best.ckpt")
    image = torch.from_numpy(followed_slice().image)[None, None].float()
    hooked: list[NDArray[np.float32]] = []
    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.ReLU)][:3]
    handles = [layer.register_forward_hook(lambda _, __, out: hooked.append(out[0].numpy())) for layer in layers]
    with torch.inference_mode():
        logits = network(image).logits
    for handle in handles:
        handle.remove()
    shares = torch.softmax(logits, 1)[0].tolist()
    return {
        "maps": [list(_liveliest(maps)) for maps in hooked],
        "map_sides": [int(maps.shape[-1]) for maps in hooked],
        "map_counts": [len(maps) for maps in hooked],
        "answer": {name: round(share, 3) for name, share in zip(classes, shares, strict=True)},
        "weights": sum(p.numel() for p in network.parameters()),
    }


def _saved_recipe(folder: Path) -> Recipe:
    from tumorscope.training.recipe import load_recipe

    saved = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))["recipe"]
    path = folder / "resolved.yaml"
    path.write_text(yaml.safe_dump(saved), encoding="utf-8")
    return load_recipe(path)


def _liveliest(maps: NDArray[np.float32]) -> Iterator[str]:
    """Give the maps that vary most, as gray values of a small square, in hexadecimal."""
    for index in sorted(np.argsort(-maps.std(axis=(1, 2)))[:MAPS]):
        values = maps[index] / max(float(maps[index].max()), 1e-6)
        small = cv2.resize(values, (MAP_SIDE, MAP_SIDE), interpolation=cv2.INTER_NEAREST)
        yield np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8).tobytes().hex()
