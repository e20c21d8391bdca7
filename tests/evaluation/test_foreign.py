"""Models that are not ours: an ONNX classifier and a Python function, measured as scikit-learn measures them."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn import metrics as reference

from tumorscope.catalog import benchmark as benchmark_module
from tumorscope.catalog import build_catalog
from tumorscope.catalog.atlas import load_atlas
from tumorscope.catalog.benchmark import Benchmark
from tumorscope.catalog.prints import COMPACT_DIGEST_BYTES, restore
from tumorscope.cli import run
from tumorscope.errors import CatalogError, ModelFileError, UsageError
from tumorscope.evaluation import evaluate_data, write_evaluation
from tumorscope.evaluation.foreign import load_foreign
from tumorscope.evaluation.foreign.answers import to_probabilities
from tumorscope.evaluation.foreign.description import InputDescription, read_description
from tumorscope.evaluation.foreign.images import make_batch
from tumorscope.evaluation.text import evaluation_text
from tumorscope.inference import load
from tumorscope.scans import read_scan

EXAMPLES = Path(__file__).parents[2] / "examples" / "scans"
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


@pytest.fixture(scope="module")
def fitted(bench):
    """A logistic regression on the raw pixels of the training part, 0 to 1, and its classes in `OURS` order."""
    from sklearn.linear_model import LogisticRegression

    table = bench.catalog.table
    rows = table[table["split"] == "train"]
    wanted = InputDescription(side=SIDE, layout="NHWC", color="gray", scale="0-1")
    images = make_batch([read_scan(file).gray() for file in rows["file"]], wanted).reshape(len(rows), -1)
    model = LogisticRegression(C=0.02, max_iter=300)
    return model.fit(images, [OURS.index(label) for label in rows["label"]])


@pytest.fixture(scope="module")
def home(fitted, tmp_path_factory):
    """A folder with the function, what it needs, and the same model as an ONNX file."""
    import joblib

    folder = tmp_path_factory.mktemp("foreign")
    joblib.dump(fitted, folder / "fitted.joblib")
    (folder / "their_module.py").write_text(FUNCTION)
    _write_graph(folder / "net.onnx", fitted.coef_, fitted.intercept_)
    return folder


def _graph(weights, bias, *, batch="n", side=SIDE):
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


def _write_graph(path, weights, bias, **options):
    path.write_bytes(_graph(weights, bias, **options).SerializeToString())


def _describe(folder, name="theirs.yaml", drop=(), **changes):
    values = {
        "name": "theirs",
        "model": "net.onnx",
        "classes": list(OUTPUTS),
        "input": {"side": SIDE, "layout": "NCHW", "color": "rgb", "scale": "0-1", "resize": "stretch", "crop": "none"},
        "output": "logits",
    }
    for key, value in changes.items():
        values[key] = values[key] | value if isinstance(value, dict) and isinstance(values.get(key), dict) else value
    path = folder / name
    path.write_text(yaml.safe_dump({key: value for key, value in values.items() if key not in drop}))
    return path


def _describe_function(folder, function="predict", **changes):
    inputs = {"side": SIDE, "layout": "NHWC", "color": "gray"}
    output = changes.pop("output", "probabilities")
    return _describe(
        folder, f"{function}.yaml", ["model"], call=f"their_module:{function}", input=inputs, output=output, **changes
    )


@pytest.fixture(scope="module")
def unseen(bench, home):
    """The test part in a folder of its own, with masks and patients."""
    return _part(bench, home / "unseen", "test")


def _part(bench, folder, part):
    table = bench.catalog.table
    rows = table[table["split"] == part]
    for file, path in zip(rows["file"], rows["path"], strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / path)
    rows[["path", "label", "patient", "sequence", "plane"]].to_csv(folder / "index.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def measured(home, unseen):
    return evaluate_data(load_foreign(_describe(home)), unseen, split="all", command="tumorscope evaluate theirs.yaml")


def test_the_figures_are_those_of_scikit_learn(fitted, measured, unseen):
    catalog = build_catalog([unseen])
    wanted = InputDescription(side=SIDE, layout="NHWC", color="gray", scale="0-1")
    pixels = make_batch([read_scan(file).gray() for file in catalog.table["file"]], wanted)
    probabilities = fitted.predict_proba(pixels.reshape(len(pixels), -1))
    truth = np.array([OURS.index(label) for label in catalog.table["label"]])
    called, figures = probabilities.argmax(axis=1), measured.figures["full"]
    expected = {
        "accuracy": reference.accuracy_score(truth, called),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, called),
        "macro_f1": reference.f1_score(truth, called, average="macro"),
        "macro_auc": reference.roc_auc_score(truth, probabilities, multi_class="ovr"),
        "auc": reference.roc_auc_score(truth > 0, 1 - probabilities[:, 0]),
        "average_precision": reference.average_precision_score(truth > 0, 1 - probabilities[:, 0]),
        "sensitivity": reference.recall_score(truth > 0, called > 0),
        "specificity": reference.recall_score(truth == 0, called == 0),
        "brier": np.mean(np.sum((probabilities - np.eye(4)[truth]) ** 2, axis=1)),
    }
    for name, value in expected.items():
        assert figures[name].value == pytest.approx(value, abs=1e-4), name
        assert figures[name].n >= 1
    assert figures["accuracy"].interval[0] <= expected["accuracy"] <= figures["accuracy"].interval[1]
    assert 0 < expected["accuracy"] < 1
    assert len(set(called)) > 1


def test_the_answer_is_the_likeliest_class_and_not_ours_of_tumor_against_none(measured):
    found = measured.findings
    names = [column.removeprefix("p_") for column in found.columns if column.startswith("p_")]
    likeliest = found[[f"p_{name}" for name in names]].to_numpy().argmax(axis=1)
    assert (found["called"] == np.array(names)[likeliest]).all()


def test_a_function_gives_what_the_graph_gives(home, unseen, measured):
    called = evaluate_data(load_foreign(_describe_function(home)), unseen, split="all")
    for name in OURS:
        np.testing.assert_allclose(called.findings[f"p_{name}"], measured.findings[f"p_{name}"], atol=1e-5)


def test_what_such_a_model_lacks_is_absent_and_nobody_knows_what_it_has_seen(measured, tmp_path):
    write_evaluation(measured, tmp_path)
    values = json.loads((tmp_path / "metrics.json").read_text())
    assert values["foreign"]
    assert (values["headline_split"], values["traceable"], values["leaky"]) == ("full", False, False)
    assert values["leak_free"] == {}
    absent = {"refused", "answered", "prediction_set_size", "ece_before_temperature", "pointing", "accuracy_answered"}
    assert not absent & set(values["full"])
    assert values["thresholds"] is None
    assert values["calibration"]["temperature"] is None
    assert set(values["calibration"]["reliability"]) == {"after"}
    assert not {"outlier", "pointing"} & set(pd.read_csv(tmp_path / "findings.csv").columns)
    page = (tmp_path / "report.html").read_text()
    assert "Nobody knows what this model has seen" in page
    assert "the likeliest class" in page
    for words in ("heatmap of", "before temperature", "refuses beyond", "model's threshold", "model's own limits"):
        assert words not in page, words
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert evaluation_text(measured) is not None


def test_floors_and_intervals_stand_beside(measured):
    assert measured.sources.to_json(measured.outcome.labels, measured.outcome.clusters)["n"] == len(measured.outcome)
    assert "not measurable" in measured.copies.note


def test_slices_that_it_was_trained_on_are_taken_out(bench, home, unseen):
    trained = _part(bench, home / "trained", "val")
    model = load_foreign(_describe(home, "trained.yaml", trained_on="trained"))
    found = evaluate_data(model, [unseen, trained], split="all")
    table = bench.catalog.table
    assert found.is_leaky
    assert found.rows["full"].sum() == table["split"].isin(["val", "test"]).sum()
    left = set(found.findings.loc[found.rows["leak_free"], "path"])
    assert left == set(table.loc[table["split"] == "test", "path"])
    assert found.copies.to_json(found.outcome.labels, found.outcome.clusters, found.rows["leak_free"])["n"] == len(left)
    assert any("what its owner says" in note.text for note in found.notes)


def test_a_split_column_tells_which_rows_of_a_csv_were_trained_on(bench, home, unseen):
    table = bench.catalog.table
    table = table[table["split"] != "train"]
    listed = table[["path", "label", "split"]].assign(path=table["file"])
    listed.to_csv(home / "all.csv", index=False)
    found = evaluate_data(load_foreign(_describe(home, "csv.yaml", trained_on="all.csv")), unseen, split="all")
    fitted_on = int((table["split"] == "val").sum())
    assert found.stated == f"{fitted_on:,} slices of all.csv"
    assert found.rows["leak_free"].all()
    assert not found.is_leaky


def test_a_benchmark_may_be_what_it_was_trained_on(bench, home, unseen, monkeypatch):
    table = bench.catalog.table
    everything, nothing = np.ones((len(table), 1), bool), np.zeros((len(load_atlas()), 1), bool)
    own = (table["split"] == "test").to_numpy()
    folds = np.where(own, pd.factorize(table["patient"].where(own))[0] % 5, 0) + 1
    digests = bench.catalog.prints.digests[:, :COMPACT_DIGEST_BYTES]
    heads = restore(np.zeros((0, 150), np.uint8)), np.zeros(0, np.int64)
    made = Benchmark(("drawn",), digests, folds, everything, *heads, nothing)
    monkeypatch.setattr(benchmark_module, "load_benchmark", lambda: made)
    count = int((folds[own] == 2).sum())
    found = evaluate_data(load_foreign(_describe(home)), unseen, split="benchmark:drawn:2")
    assert (found.part, len(found.outcome), found.headline) == ("benchmark:drawn:2", count, "full")
    assert found.copies.to_json(found.outcome.labels, found.outcome.clusters)["n"] == count
    told = load_foreign(_describe(home, "told.yaml", trained_on="benchmark:drawn:2"))
    assert evaluate_data(told, unseen, split="benchmark:drawn:2").rows["leak_free"].all()
    told = load_foreign(_describe(home, "told.yaml", trained_on="benchmark:drawn:3"))
    assert not evaluate_data(told, unseen, split="benchmark:drawn:2").rows["leak_free"].any()
    monkeypatch.setattr(benchmark_module, "load_benchmark", lambda: _without(made))
    with pytest.raises(CatalogError, match="unknown to it"):
        evaluate_data(told, unseen, split="benchmark:drawn:2")


def _without(made):
    return Benchmark(made.names, made.digests[:0], made.folds[:0], made.member[:0], *_empty(made))


def _empty(made):
    return made.heads, made.head_rows, made.cheng


def test_yes_and_no_are_names_and_one_unit_tells_of_the_second(home, fitted, unseen):
    weights = fitted.coef_[1:].mean(axis=0) - fitted.coef_[0]
    _write_graph(home / "unit.onnx", weights[None], np.zeros(1))
    (home / "unit.yaml").write_text(
        "name: unit\nmodel: unit.onnx\nclasses: [no, yes]\n"
        f"input: {{side: {SIDE}, color: rgb, scale: 0-1, crop: no}}\noutput: sigmoid\n"
    )
    model = load_foreign(home / "unit.yaml")
    assert model.card.classes == ("notumor", "tumor")
    planes = [read_scan(file).gray() for file in sorted(unseen.rglob("*.png"))[:5]]
    pixels = np.stack([plane.ravel() / 255 for plane in planes])
    expected = 1 / (1 + np.exp(-(pixels @ weights)))
    np.testing.assert_allclose(model.predict_slices(planes).probabilities[:, 1], expected, rtol=1e-4)


def test_outputs_of_one_class_are_summed(home):
    path = _describe(home, "kinds.yaml", classes=["normal", "HGG", "LGG", "pituitary_tumor"])
    model = load_foreign(path)
    assert model.card.classes == ("notumor", "glioma", "pituitary")
    plain = load_foreign(_describe(home)).predict_slices([np.full((SIDE, SIDE), 90, np.float32)]).probabilities
    summed = model.predict_slices([np.full((SIDE, SIDE), 90, np.float32)]).probabilities
    np.testing.assert_allclose(summed, [[plain[0, 0], plain[0, 1] + plain[0, 2], plain[0, 3]]], atol=1e-9)


def test_a_graph_of_a_fixed_batch_answers_any_number(home, fitted):
    planes = list(np.random.default_rng(0).uniform(0, 255, (5, SIDE, SIDE)).astype(np.float32))
    _write_graph(home / "fixed.onnx", fitted.coef_, fitted.intercept_, batch=2)
    fixed = load_foreign(_describe(home, "fixed.yaml", model="fixed.onnx")).predict_slices(planes).probabilities
    np.testing.assert_allclose(
        fixed, load_foreign(_describe(home)).predict_slices(planes).probabilities, rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"scale": "0-255"}, 51.0),
        ({"scale": "0-1"}, 0.2),
        ({"scale": "mean-std", "mean": [0.5], "std": [0.25]}, -1.2),
        ({"scale": "mean-std", "mean": [0.2, 0.1, 0.0], "std": [1, 0.5, 2]}, [0.0, 0.2, 0.1]),
        ({"scale": "0-255", "dtype": "uint8"}, 51),
    ],
)
def test_inputs_are_scaled_as_described(wanted, expected):
    described = InputDescription(side=32, layout="NHWC", **wanted)
    batch = make_batch([np.full((40, 40), 51, np.float32)], described)
    assert batch.dtype == described.dtype
    np.testing.assert_allclose(batch[0, 3, 5], np.broadcast_to(expected, 3), atol=1e-6)
    first = make_batch([np.full((40, 40), 51, np.float32)], described.model_copy(update={"layout": "NCHW"}))
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), batch)


def test_one_number_stands_for_every_channel():
    one = InputDescription(side=32, scale="mean-std", mean=0.5, std=0.25)
    assert (one.mean, one.std) == ((0.5,), (0.25,))


def test_letterbox_pads_and_stretch_does_not():
    wide = np.full((20, 80), 100, np.float32)
    kept = make_batch([wide], InputDescription(side=32, color="gray", scale="0-255", resize="letterbox"))[0, 0]
    assert (kept[:12] == 0).all()
    assert (kept[12:20] == 100).all()
    assert (make_batch([wide], InputDescription(side=32, color="gray", scale="0-255"))[0, 0] == 100).all()


def test_outputs_become_probabilities():
    np.testing.assert_allclose(to_probabilities(np.log([[1.0, 3.0]]), "logits"), [[0.25, 0.75]])
    np.testing.assert_allclose(to_probabilities(np.array([0.3]), "probabilities"), [[0.7, 0.3]])
    np.testing.assert_allclose(to_probabilities(np.array([[0.0], [np.log(3)]]), "logits"), [[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(to_probabilities(np.array([[0.0, 0.0, np.log(3)]]), "sigmoid")[0, 2], 0.75 / 1.75)
    np.testing.assert_allclose(to_probabilities(np.array([[-1e4, 1e4]]), "logits"), [[0, 1]])


WRONG = {
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
        load_foreign(_describe(home, "wrong.yaml", **changes)).predict_slices([plane])
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
        load_foreign(_describe_function(home, function)).predict_slices([np.ones((SIDE, SIDE), np.float32)])
    assert "\n" not in str(caught.value)


def test_a_function_that_changes_its_mind_is_said_in_one_line(home):
    model, planes = load_foreign(_describe_function(home, "changes")), [np.ones((SIDE, SIDE), np.float32)] * 40
    with pytest.raises(ModelFileError, match=r"rows of different shapes \(\(3,\), \(4,\)\)"):
        model.predict_slices(planes)


def test_other_faults_are_said_in_one_line(home):
    for text, words in (("- a", "describes no model"), ("a: [", "not valid YAML"), ("name: x", "lacks the key")):
        (home / "bad.yaml").write_text(text)
        with pytest.raises(ModelFileError, match=words):
            load_foreign(home / "bad.yaml")
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_foreign(home / "gone.yaml")
    with pytest.raises(ModelFileError, match="'no_such_module' cannot be imported"):
        load_foreign(_describe(home, "import.yaml", ["model"], call="no_such_module:predict"))


def test_weights_in_other_files_are_refused(home, fitted, monkeypatch):
    onnx = pytest.importorskip("onnx")
    onnx.save_model(
        _graph(fitted.coef_, fitted.intercept_), home / "split.onnx", save_as_external_data=True, size_threshold=0,
        location="split.bin",
    )  # fmt: skip
    monkeypatch.chdir(home)
    with pytest.raises(ModelFileError, match="keeps its weights in other files"):
        load_foreign(_describe(home, "split.yaml", model="split.onnx"))


def test_our_own_model_as_a_foreign_one_gives_the_same(bench, home, unseen):
    model = bench.model
    shutil.copy(model.file.path, home / "ours.onnx")
    path = home / "ours.yaml"
    path.write_text(yaml.safe_dump(own_description(model, "ours.onnx")))
    foreign = evaluate_data(load_foreign(path), unseen, split="all")
    native = evaluate_data(model, unseen, split="all")
    for name in model.classes:
        np.testing.assert_allclose(foreign.findings[f"p_{name}"], native.findings[f"p_{name}"], atol=1e-6)
    for name in ("auc", "macro_auc", "brier", "average_precision"):
        assert foreign.figures["full"][name].value == pytest.approx(native.figures["full"][name].value, abs=1e-6)
        assert foreign.figures["full"][name].n == native.figures["full"][name].n


def test_the_shipped_model_as_a_foreign_one_gives_the_same(tmp_path):
    from tumorscope.inference.inputs import list_files

    model = load()
    path = tmp_path / "ours.yaml"
    path.write_text(yaml.safe_dump(own_description(model, str(model.file.path))))
    planes = [read_scan(file).gray() for file in list_files([EXAMPLES])]
    found = load_foreign(path).predict_slices(planes).probabilities
    np.testing.assert_allclose(found, model.predict_slices(planes).probabilities, atol=1e-6)


def test_two_descriptions_with_a_module_of_one_name_have_each_its_own(tmp_path):
    for name, share in (("one", 0.25), ("other", 0.75)):
        folder = tmp_path / name
        folder.mkdir()
        code = f"import numpy as np\n\ndef predict(batch):\n    return np.full((len(batch), 1), {share})\n"
        (folder / "module_of_one_name.py").write_text(code)
        values = {"name": name, "call": "module_of_one_name:predict", "classes": ["no", "tumor"],
                  "input": {"side": 32}, "output": "probabilities"}  # fmt: skip
        (folder / "described.yaml").write_text(yaml.safe_dump(values))
    plane = np.ones((32, 32), np.float32)
    first, second = (load_foreign(tmp_path / name / "described.yaml") for name in ("one", "other"))
    assert first.predict_slices([plane]).probabilities[0, 1] == 0.25
    assert second.predict_slices([plane]).probabilities[0, 1] == 0.75
    assert first.file.sha256 != second.file.sha256


def test_the_description_in_the_docs_is_a_valid_one(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "benchmark.md").read_text()
    (tmp_path / "docs.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    found = read_description(tmp_path / "docs.yaml")
    assert found.input.shape == (3, 224, 224)
    assert (found.output.kind, found.trained_on) == ("logits", "benchmark:masoud_7023")


def test_the_command_takes_a_description_where_it_takes_a_model(home, unseen, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["evaluate", str(_describe(home)), str(unseen), "--split", "all", "--out", str(out)]) == 0
    assert (out / "report.html").is_file()
    assert json.loads((out / "metrics.json").read_text())["model"]["name"] == "theirs"
    wrong = str(_describe(home, "wrong.yaml", classes=["a", "b"]))
    assert run(["evaluate", wrong, str(unseen), "--out", str(out)]) == 2
    assert run(["evaluate", str(_describe(home)), str(unseen), "--split", "benchmark:masoud", "--out", str(out)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert "the class 'a' is unknown" in lines[-2]
    assert "did you mean 'masoud_7023'" in lines[-1]


def test_files_that_cannot_be_read_are_told_and_make_the_exit_code_1(home, tmp_path, capsys):
    for label in ("glioma", "no_tumor"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(3):
            noise = np.random.default_rng(number).integers(0, 255, (80, 80), np.uint8)
            cv2.imwrite(str(tmp_path / "data" / label / f"{number}.png"), noise)
    (tmp_path / "data" / "glioma" / "cut.png").write_bytes((tmp_path / "data" / "glioma" / "0.png").read_bytes()[:400])
    out = tmp_path / "out"
    assert run(["evaluate", str(_describe(home)), str(tmp_path / "data"), "--out", str(out)]) == 1
    assert "glioma/cut.png: " in capsys.readouterr().err
    found = json.loads((out / "metrics.json").read_text())
    assert [entry["path"] for entry in found["unreadable"]] == ["glioma/cut.png"]
    assert any("1 file could not be read and is in no figure" in note["text"] for note in found["notes"])
    assert run(["evaluate", str(_describe(home)), str(tmp_path / "data"), "--out", str(out / "report.html")]) == 2


def test_a_model_of_three_sequences_is_not_asked_three_times(home, tmp_path):
    described = {"input": {"color": "sequences", "scale": "0-1", "side": SIDE}}
    model = load_foreign(_describe(home, "sequences.yaml", **described))
    with pytest.raises(UsageError, match="count each picture three times"):
        evaluate_data(model, tmp_path, channels="all")


def own_description(model, path):
    spec = model.card.spec
    inputs = {
        "side": spec.side, "layout": "NHWC", "color": "gray", "scale": "0-255", "dtype": "uint8", "resize": spec.fit,
        "crop": "head" if spec.crop else "none", "window": list(spec.window),
    }  # fmt: skip
    output = {"kind": "probabilities", "name": "probabilities"}
    return {"name": "ours", "model": path, "classes": list(model.classes), "input": inputs, "output": output}
