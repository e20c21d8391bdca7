"""Models that are not ours, measured as scikit-learn measures them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn import metrics as reference

from tumorscope.catalog import build_catalog
from tumorscope.evaluation import evaluate_data
from tumorscope.evaluation.foreign import load_foreign
from tumorscope.evaluation.foreign.description import InputDescription
from tumorscope.evaluation.foreign.images import make_batch
from tumorscope.evaluation.text import evaluation_text
from tumorscope.inference import load
from tumorscope.pages.evaluation import write_evaluation
from tumorscope.scans import read_slice

SIDE = 64
EXAMPLES = Path(__file__).parents[3] / "examples" / "scans"


def test_the_figures_are_those_of_scikit_learn(ours, fitted, measured, unseen):
    catalog = build_catalog([unseen])
    wanted = InputDescription(side=SIDE, layout="NHWC", color="gray", scale="0-1")
    pixels = make_batch([read_slice(file) for file in catalog.table["file"]], wanted)
    probabilities = fitted.predict_proba(pixels.reshape(len(pixels), -1))
    truth = np.array([ours.index(label) for label in catalog.table["label"]])
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


def test_a_function_gives_what_the_graph_gives(ours, home, unseen, measured):
    called = evaluate_data(load_foreign(home.describe_function()), unseen, split="all")
    for name in ours:
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
    assert measured.baselines.sources.to_json(measured.outcome.labels, measured.outcome.clusters)["n"] == len(
        measured.outcome
    )
    assert "not measurable" in measured.baselines.copies.note


def test_our_own_model_as_a_foreign_one_gives_the_same(bench, home, unseen):
    model = bench.model
    shutil.copy(model.file.path, home.folder / "ours.onnx")
    path = home.folder / "ours.yaml"
    path.write_text(yaml.safe_dump(own_description(model, "ours.onnx")))
    foreign = evaluate_data(load_foreign(path), unseen, split="all")
    native = evaluate_data(model, unseen, split="all")
    for name in model.classes:
        np.testing.assert_allclose(foreign.findings[f"p_{name}"], native.findings[f"p_{name}"], atol=1e-6)
    for name in ("auc", "macro_auc", "brier", "average_precision"):
        assert foreign.figures["full"][name].value == pytest.approx(native.figures["full"][name].value, abs=1e-6)
        assert foreign.figures["full"][name].n == native.figures["full"][name].n


def test_the_shipped_model_as_a_foreign_one_gives_the_same(tmp_path):
    from tumorscope.scans import find_scans

    model = load()
    path = tmp_path / "ours.yaml"
    path.write_text(yaml.safe_dump(own_description(model, str(model.file.path))))
    planes = [read_slice(ref.name) for ref in find_scans([EXAMPLES])]
    found = load_foreign(path).predict_slices(planes).probabilities
    np.testing.assert_allclose(found, model.predict_slices(planes).probabilities, atol=1e-6)


def own_description(model, path):
    spec = model.card.spec
    inputs = {
        "side": spec.side, "layout": "NHWC", "color": "gray", "scale": "0-255", "dtype": "uint8", "resize": spec.fit,
        "crop": "head" if spec.crop else "none", "window": list(spec.window),
    }  # fmt: skip
    output = {"kind": "probabilities", "name": "probabilities"}
    return {"name": "ours", "model": path, "classes": list(model.classes), "input": inputs, "output": output}
