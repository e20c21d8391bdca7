"""What tests of several rooms share: where the real data lie, and a tiny model whose answers are known by hand."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tumorscope.model_file import INPUT, Card, Thresholds, TrainingData, write_model
from tumorscope.preprocess import Spec
from tumorscope.statistics import Figure

CLASSES = ("glioma", "meningioma", "notumor", "pituitary")
SIDE, CELLS, GAIN = 32, 16, 8.0


@pytest.fixture(scope="session")
def data_root():
    root = Path(os.environ.get("TUMORSCOPE_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not root.is_dir():
        pytest.skip(f"no real data in {root}")
    return root


@pytest.fixture(scope="session", autouse=True)
def _cache_apart(tmp_path_factory):
    """Keep what tests draw and cache out of the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUMORSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def on_a_small_disk(tmp_path):
    """Return a function that runs Python code in a process whose first argument is a folder on a disk of so many kB."""
    place, own = tmp_path / "disk", ["unshare", "--map-root-user", "--mount"]
    place.mkdir()
    mount = 'mount -t tmpfs -o size="$1"k none "$2" && shift && exec "$0" -c "$2" "$1"'
    try:
        subprocess.run([*own, "sh", "-c", 'mount -t tmpfs none "$0"', place], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system lets nobody mount a disk of his own")

    def run(code, kilobytes):
        return subprocess.run(
            [*own, "sh", "-c", mount, sys.executable, str(kilobytes), place, code],
            check=False, capture_output=True, text=True,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def quadrant_card():
    """A card whose spec changes nothing of a picture of 32 x 32 pixels that holds 0 and 255."""
    return Card(
        name="quadrants",
        classes=CLASSES,
        spec=Spec(side=SIDE, crop=False, fit="stretch", window=(0, 100)),
        thresholds=Thresholds(tumor=0.5, outlier=0.8, abstain=0.6, conformal=0.2),
        training=TrainingData(sets={"squares": 12}, labels={"glioma": 12}),
        metrics={"squares, test": {"auc": Figure(value=0.9, n=40, interval=(0.85, 0.94))}},
        never_shown=("any MRI",),
        licence="CC0-1.0",
        version="0.1.0",
    )


@pytest.fixture(scope="session")
def quadrant_model(tmp_path_factory, quadrant_card):
    """A model file: the logit of class i is 8 x the brightness (0 to 1) of quadrant i; outlier is the overall one."""
    path = tmp_path_factory.mktemp("model") / "quadrants.onnx"
    write_model(_quadrant_graph(), quadrant_card, path)
    return path


@pytest.fixture
def draw(tmp_path):
    """Return a function that writes a black picture with bright quadrants (0 to 3, in reading order)."""

    def write(name, *bright, side=SIDE, level=255):
        image = np.zeros((side, side), np.uint8)
        half = side // 2
        for quadrant in bright:
            top, left = divmod(quadrant, 2)
            image[top * half : (top + 1) * half, left * half : (left + 1) * half] = level
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
        return path

    return write


def _quadrant_graph():
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    step, half = SIDE // CELLS, CELLS // 2
    quadrants = np.zeros((1, 4, CELLS, CELLS), np.float32)
    for i in range(4):
        top, left = divmod(i, 2)
        quadrants[0, i, top * half : (top + 1) * half, left * half : (left + 1) * half] = 1
    constants = {
        "scale": np.array(255, np.float32),
        "quadrants": quadrants,
        "cells_of_one": np.array(half * half / GAIN, np.float32),
        "space": np.array([2, 3], np.int64),
        "channel": np.array([1], np.int64),
        "flat": np.array([0, -1], np.int64),
    }
    nodes = [
        helper.make_node("Cast", [INPUT], ["float"], to=kind.FLOAT),
        helper.make_node("Div", ["float", "scale"], ["unit"]),
        helper.make_node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["cells"], kernel_shape=[step, step], strides=[step, step]),
        helper.make_node("Mul", ["cells", "quadrants"], ["heatmap"]),
        helper.make_node("ReduceSum", ["heatmap", "space"], ["sums"], keepdims=0),
        helper.make_node("Div", ["sums", "cells_of_one"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("Reshape", ["cells", "flat"], ["embedding"]),
        helper.make_node("ReduceMean", ["embedding", "channel"], ["outlier"], keepdims=0),
    ]
    outputs = {"probabilities": [4], "heatmap": [4, CELLS, CELLS], "embedding": [CELLS * CELLS], "outlier": []}
    graph = helper.make_graph(
        nodes,
        "quadrants",
        [helper.make_tensor_value_info(INPUT, kind.UINT8, ["n", SIDE, SIDE, 1])],
        [helper.make_tensor_value_info(name, kind.FLOAT, ["n", *shape]) for name, shape in outputs.items()],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
