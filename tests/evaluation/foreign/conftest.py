"""A model that is not ours, twice: a Python function and the same as an ONNX graph, with their descriptions."""

import shutil

import numpy as np
import pytest
import yaml

from tumorscope.evaluation import evaluate_data
from tumorscope.evaluation.foreign import load_foreign
from tumorscope.evaluation.foreign.description import InputDescription
from tumorscope.evaluation.foreign.images import make_batch
from tumorscope.scans import read_slice

SIDE = 64
OUTPUTS = ("no_tumor", "Glioma", "meningioma_tumor", "pituitary")
OURS = ("notumor", "glioma", "meningioma", "pituitary")
FUNCTION = """
from pathlib import Path
import joblib
import numpy as np

fitted = joblib.load(Path(__file__).with_name("fitted.joblib"))

def predict(batch):
    assert batch.dtype == np.float32 and batch.shape[1:] == (64, 64, 1)
    return fitted.predict_proba(batch.reshape(len(batch), -1))

def loud(batch):
    raise RuntimeError("no such layer\\nand a second line")

def nothing(batch):
    return None

def ones(batch):
    return np.ones((len(batch), 4))

def two(batch):
    return np.ones((len(batch), 2)) / 2

def holes(batch):
    return np.full((len(batch), 4), np.nan)

def leaves(batch):
    raise SystemExit(0)

def changes(batch, seen=[]):
    seen.append(len(batch))
    return np.ones((len(batch), 4 if len(seen) < 3 else 3)) / 4
"""


class Home:
    """A folder with models that are not ours, where descriptions of them are written."""

    def __init__(self, folder):
        self.folder = folder

    def describe(self, name="theirs.yaml", drop=(), **changes):
        """Write the description of ``net.onnx`` with `changes`, without the keys in `drop`; return its path."""
        values = {
            "name": "theirs",
            "model": "net.onnx",
            "classes": list(OUTPUTS),
            "input": {
                "side": SIDE, "layout": "NCHW", "color": "rgb", "scale": "0-1", "resize": "stretch", "crop": "none"
            },
            "output": "logits",
        }  # fmt: skip
        for key, value in changes.items():
            is_part = isinstance(value, dict) and isinstance(values.get(key), dict)
            values[key] = values[key] | value if is_part else value
        path = self.folder / name
        path.write_text(yaml.safe_dump({key: value for key, value in values.items() if key not in drop}))
        return path

    def describe_function(self, function="predict", **changes):
        """Write the description of a function of ``their_module.py``; return its path."""
        changes = {"output": "probabilities", **changes}
        inputs = {"side": SIDE, "layout": "NHWC", "color": "gray"}
        return self.describe(f"{function}.yaml", ["model"], call=f"their_module:{function}", input=inputs, **changes)

    def write_graph(self, name, weights, bias, **options):
        """Write a linear model of the pixels as an ONNX file."""
        (self.folder / name).write_bytes(make_graph(weights, bias, **options).SerializeToString())

    def take_part(self, bench, name, part):
        """Copy one part of the bench's split into a folder of its own, with masks and patients; return it."""
        folder, table = self.folder / name, bench.catalog.table
        rows = table[table["split"] == part]
        for file, path in zip(rows["file"], rows["path"], strict=True):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / path)
        rows[["path", "label", "patient", "sequence", "plane"]].to_csv(folder / "index.csv", index=False)
        return folder


@pytest.fixture(scope="session")
def ours():
    """Our names of the four classes, in the order of the foreign model's outputs."""
    return OURS


@pytest.fixture(scope="session")
def fitted(bench):
    """A logistic regression on the raw pixels of the training part, 0 to 1, and its classes in `OURS` order."""
    from sklearn.linear_model import LogisticRegression

    table = bench.catalog.table
    rows = table[table["split"] == "train"]
    wanted = InputDescription(side=SIDE, layout="NHWC", color="gray", scale="0-1")
    images = make_batch([read_slice(file) for file in rows["file"]], wanted).reshape(len(rows), -1)
    model = LogisticRegression(C=0.02, max_iter=300)
    return model.fit(images, [OURS.index(label) for label in rows["label"]])


@pytest.fixture(scope="session")
def home(fitted, tmp_path_factory):
    """A folder with the function, what it needs, and the same model as an ONNX file."""
    import joblib

    one = Home(tmp_path_factory.mktemp("foreign"))
    joblib.dump(fitted, one.folder / "fitted.joblib")
    (one.folder / "their_module.py").write_text(FUNCTION)
    one.write_graph("net.onnx", fitted.coef_, fitted.intercept_)
    return one


@pytest.fixture(scope="session")
def unseen(bench, home):
    """The test part in a folder of its own."""
    return home.take_part(bench, "unseen", "test")


@pytest.fixture(scope="session")
def measured(home, unseen):
    """What the graph answers on the test part."""
    return evaluate_data(load_foreign(home.describe()), unseen, split="all", command="tumorscope evaluate theirs.yaml")


def make_graph(weights, bias, *, batch="n", side=SIDE):
    """(n, 3, side, side) -> the mean of the channels -> linear -> logits."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    constants = {
        "weights": weights.T.astype(np.float32),
        "bias": bias.astype(np.float32),
        "channel": np.array([1], np.int64),
        "flat": np.array([0, -1], np.int64),
    }
    nodes = [
        helper.make_node("ReduceMean", ["pixels", "channel"], ["gray"], keepdims=0),
        helper.make_node("Reshape", ["gray", "flat"], ["row"]),
        helper.make_node("Gemm", ["row", "weights", "bias"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("pixels", kind.FLOAT, [batch, 3, side, side])],
        [helper.make_tensor_value_info("scores", kind.FLOAT, [batch, len(bias)])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
