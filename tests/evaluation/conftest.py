"""A phantom on disk and a real, if simple, model file that was fitted to it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tumorscope.catalog import Catalog, add_groups, assign_split, build_catalog, cover_matrix
from tumorscope.catalog.phantom import write_phantom
from tumorscope.catalog.slices import map_slices, slice_rows
from tumorscope.inference import Model, load
from tumorscope.model_file import INPUT, Card, Thresholds, TrainingData, write_model
from tumorscope.preprocess import Spec, preprocess
from tumorscope.twins.fingerprints import pack_prints

CLASSES = ("glioma", "meningioma", "notumor", "pituitary")
SIDE, CELLS = 64, 8


@dataclass(frozen=True)
class Bench:
    """A catalog with a split, a model fitted to its training part, and what fits such models."""

    catalog: Catalog
    model: Model
    folder: Path
    fit: Callable[..., Model]


def fit_model(path, catalog, *, classes=CLASSES, temperature=1.0, outlier=50.0):
    """Fit a linear classifier on 8x8 means of the training slices and write it as a model file."""
    from sklearn.linear_model import LogisticRegression

    table, spec = catalog.table, Spec(side=SIDE)
    rows = np.flatnonzero(((table["split"] == "train") & cover_matrix(table["label"], classes).any(axis=1)).to_numpy())
    images = np.stack([*map_slices(slice_rows(table.iloc[rows]), lambda read: preprocess(read.pixels, spec))])
    cells = images.reshape(-1, CELLS, SIDE // CELLS, CELLS, SIDE // CELLS).mean(axis=(2, 4)).reshape(len(rows), -1)
    fitted = LogisticRegression(C=0.3, max_iter=500).fit(cells / 255, table["label"].iloc[rows])
    weights, bias = np.zeros((CELLS * CELLS, len(classes))), np.full(len(classes), -30.0)
    for name, sign, row in _rows(fitted):
        weights[:, classes.index(name)] = sign * fitted.coef_[row]
        bias[classes.index(name)] = sign * fitted.intercept_[row]
    card = Card(
        name="tiny",
        classes=classes,
        spec=spec,
        thresholds=Thresholds(tumor=0.5, outlier=outlier, abstain=0.6, conformal=0.1),
        temperature=temperature,
        training=TrainingData(sets={"phantom": len(rows)}),
        licence="test",
    )
    write_model(_graph(weights / temperature, bias / temperature), card, path, _prints(catalog, rows))
    return load(path, threads=1)


def _rows(fitted):
    """Say for each class which row of the coefficients is its own; of two classes there is one, for the second."""
    if len(fitted.classes_) > 2:
        return [(name, 1.0, row) for row, name in enumerate(fitted.classes_)]
    return [(fitted.classes_[0], -0.5, 0), (fitted.classes_[1], 0.5, 0)]


def _prints(catalog, rows):
    return pack_prints(catalog.prints.take(rows), list(catalog.table["label"].iloc[rows]))


def _graph(weights, bias):
    """uint8 image -> 8x8 means -> linear -> softmax; the heatmap is the evidence cell by cell."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    count, step = weights.shape[1], SIDE // CELLS
    constants = {
        "scale": np.array(255, np.float32),
        "weights": weights.astype(np.float32),
        "bias": bias.astype(np.float32),
        "grid": weights.T.reshape(1, count, CELLS, CELLS).astype(np.float32),
        "flat": np.array([0, -1], np.int64),
        "one": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Cast", [INPUT], ["float"], to=kind.FLOAT),
        helper.make_node("Div", ["float", "scale"], ["unit"]),
        helper.make_node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["cells"], kernel_shape=[step, step], strides=[step, step]),
        helper.make_node("Reshape", ["cells", "flat"], ["embedding"]),
        helper.make_node("Gemm", ["embedding", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("Mul", ["cells", "grid"], ["heatmap"]),
        helper.make_node("ReduceL2", ["embedding", "one"], ["outlier"], keepdims=0),
    ]
    outputs = {"probabilities": [count], "heatmap": [count, CELLS, CELLS], "embedding": [CELLS * CELLS], "outlier": []}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(INPUT, kind.UINT8, ["n", SIDE, SIDE, 1])],
        [helper.make_tensor_value_info(name, kind.FLOAT, ["n", *shape]) for name, shape in outputs.items()],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    write_phantom(folder / "phantom", 240, seed=1, side=64)
    catalog = assign_split(add_groups(build_catalog([folder / "phantom"]), use_atlas=False), "grouped", seed=0)
    return Bench(catalog, fit_model(folder / "model.onnx", catalog, temperature=1.5), folder, fit_model)
