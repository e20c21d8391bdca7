"""Wrong descriptions, broken graphs and functions that fail: one line each."""

from typing import Any

import numpy as np
import pytest

from tumorscope.errors import ModelFileError, UsageError
from tumorscope.evaluation import evaluate_data
from tumorscope.evaluation.foreign import load_foreign

SIDE = 64


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a class that nobody knows": ({"classes": ["no", "glioma", "meningioma", "pituitry"]}, "pituitary"),
    "a class too few": ({"classes": ["no", "glioma", "pituitary"]}, r"shape \(1, 4\) for 1 slices and 3 classes"),
    "one class only": ({"classes": ["glioma", "hgg", "lgg", "gbm"]}, "all outputs are 'glioma'"),
    "another side": ({"input": {"side": 96}}, r"takes a shape of \(N, 3, 64, 64\).*makes \(N, 3, 96, 96\)"),
    "another layout": ({"input": {"layout": "NHWC"}}, r"makes \(N, 64, 64, 3\); mend input"),
    "another type": ({"input": {"dtype": "float64"}}, r"takes tensor\(float\), not float64"),
    "an unknown key": ({"input": {"colour": "rgb"}}, "unknown key 'input.colour'; did you mean 'color'"),
    "an unknown word": ({"input": {"scale": "0-2"}}, "'input.scale'"),
    "a mean that is no number": ({"input": {"mean": [float("nan")], "std": 1, "scale": "mean-std"}}, "finite number"),
    "a word for numbers": ({"input": {"mean": "half"}}, "'input.mean': should be a list"),
    "a window that is none": ({"input": {"window": [99, 1]}}, "'input': window: "),
    "means without a scale": ({"input": {"mean": [0.5], "std": [0.5]}}, "mean-std"),
    "an output that is not there": ({"output": {"kind": "logits", "name": "score"}}, "did you mean 'scores'"),
    "no probabilities": ({"output": "probabilities"}, "say output: logits"),
    "no file": ({"model": "gone.onnx"}, "gone.onnx: is not a file"),
    "no ONNX": ({"model": "their_module.py"}, "is not a readable ONNX model"),
    "training data that are gone": ({"trained_on": "gone/"}, "gone, which is not there"),
    "both": ({"call": "their_module:predict"}, "either model .* or call"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_description_is_said_in_one_line(home, case):
    changes, words = WRONG[case]
    plane = np.random.default_rng(0).uniform(0, 255, (SIDE, SIDE)).astype(np.float32)
    with pytest.raises(ModelFileError, match=words) as caught:
        load_foreign(home.describe("wrong.yaml", **changes)).predict_slices([plane])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("loud", r"fails on a batch of shape \(1, 64, 64, 1\) \(RuntimeError: no such layer\)"),
        ("nothing", "gives no array of numbers"),
        ("missing", "has no function 'missing'"),
        ("two", r"shape \(1, 2\) for 1 slices and 4 classes"),
        ("ones", "do not sum to 1"),
        ("holes", "not finite"),
        ("leaves", r"fails on a batch of shape \(1, 64, 64, 1\) \(SystemExit: 0\)"),
    ],
)
def test_a_function_that_fails_is_said_in_one_line(home, function, words):
    with pytest.raises(ModelFileError, match=words) as caught:
        load_foreign(home.describe_function(function)).predict_slices([np.ones((SIDE, SIDE), np.float32)])
    assert "\n" not in str(caught.value)


def test_a_function_that_changes_its_mind_is_said_in_one_line(home):
    model, planes = load_foreign(home.describe_function("changes")), [np.ones((SIDE, SIDE), np.float32)] * 40
    with pytest.raises(ModelFileError, match=r"rows of different shapes \(\(3,\), \(4,\)\)"):
        model.predict_slices(planes)


def test_other_faults_are_said_in_one_line(home):
    for text, words in (("- a", "describes no model"), ("a: [", "not valid YAML"), ("name: x", "lacks the key")):
        (home.folder / "bad.yaml").write_text(text)
        with pytest.raises(ModelFileError, match=words):
            load_foreign(home.folder / "bad.yaml")
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_foreign(home.folder / "gone.yaml")
    with pytest.raises(ModelFileError, match="'no_such_module' cannot be imported"):
        load_foreign(home.describe("import.yaml", ["model"], call="no_such_module:predict"))


def test_weights_in_other_files_are_refused(home, monkeypatch):
    onnx = pytest.importorskip("onnx")
    whole, outside = onnx.load(home.folder / "net.onnx"), {"location": "split.bin", "size_threshold": 0}
    onnx.save_model(whole, home.folder / "split.onnx", save_as_external_data=True, **outside)
    monkeypatch.chdir(home.folder)
    with pytest.raises(ModelFileError, match="keeps its weights in other files"):
        load_foreign(home.describe("split.yaml", model="split.onnx"))


def test_a_model_of_three_sequences_is_not_asked_three_times(home, tmp_path):
    described = {"input": {"color": "sequences", "scale": "0-1", "side": SIDE}}
    model = load_foreign(home.describe("sequences.yaml", **described))
    with pytest.raises(UsageError, match="count each picture three times"):
        evaluate_data(model, tmp_path, channels="all")
