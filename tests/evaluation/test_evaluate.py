"""A whole evaluation of a real model file on the phantom: what is counted, what is taken out, what is written."""

import json
import math
import re
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

import tumorscope
from tumorscope.catalog import assign_split, build_catalog
from tumorscope.catalog.phantom import write_phantom
from tumorscope.errors import CatalogError, ModelFileError, UsageError
from tumorscope.evaluation import card_metrics, evaluate, evaluate_data, evaluate_run
from tumorscope.evaluation.runs import run_catalog
from tumorscope.evaluation.text import evaluation_text
from tumorscope.evaluation.words import headline_sentence
from tumorscope.inference import load
from tumorscope.model_file import write_model
from tumorscope.pages.evaluation import write_evaluation

KEYS = {"headline", "leak_free", "twin_free", "full", "confusion", "per_class", "calibration", "copy_baseline",
        "source_probe", "seed", "command"}  # fmt: skip


@pytest.fixture(scope="module")
def grouped(bench):
    return evaluate(bench.model, bench.catalog, trained_on=bench.catalog.table, command="tumorscope evaluate")


@pytest.fixture(scope="module")
def written(grouped, tmp_path_factory):
    out = tmp_path_factory.mktemp("written")
    write_evaluation(grouped, out)
    return out


def test_a_model_may_be_given_by_its_path(bench):
    found = tumorscope.evaluate(bench.model.file.path, bench.folder / "phantom", split="all")
    assert found.figures["full"]["accuracy"].n == len(bench.catalog.table)
    with pytest.raises(ModelFileError, match="is not a file"):
        tumorscope.evaluate("gone.onnx", bench.folder)


def test_a_grouped_split_leaks_nothing(bench, grouped):
    tests = (bench.catalog.table["split"] == "test").sum()
    assert {name: int(rows.sum()) for name, rows in grouped.rows.items()} == dict.fromkeys(
        ("leak_free", "twin_free", "full"), tests
    )
    assert (grouped.is_leaky, grouped.headline, grouped.groups_known) == (
        False,
        "leak_free",
        True,
    )


def test_of_two_classes_both_count_in_the_mean_f1(bench, tmp_path):
    table = bench.catalog.table
    two = bench.catalog.with_table(table.assign(label=table["label"].where(table["label"] == "notumor", "tumor")))
    found = evaluate(bench.fit(tmp_path / "two.onnx", two, classes=("notumor", "tumor")), two, split="all")
    figures, findings = found.figures["full"], found.findings
    expected = reference.f1_score(findings["label"], findings["called"], average="macro")
    assert figures["macro_f1"].value == pytest.approx(expected, abs=1e-6)
    assert figures["macro_f1"].n == len(findings)
    assert not math.isclose(expected, reference.f1_score(findings["label"] == "tumor", findings["called"] == "tumor"))


def test_metrics_are_those_of_the_findings(written):
    values, findings = json.loads((written / "metrics.json").read_text()), pd.read_csv(written / "findings.csv")
    assert set(values) >= KEYS
    full, tumor = values["full"], findings["label"] != "notumor"
    assert full["accuracy"]["value"] == pytest.approx((findings["called"] == findings["label"]).mean(), abs=1e-6)
    assert full["auc"]["value"] == pytest.approx(
        reference.roc_auc_score(tumor, findings["tumor_probability"]), abs=1e-4
    )
    assert full["sensitivity"]["n"] == tumor.sum()
    assert full["sensitivity"]["value"] == pytest.approx((findings["called"][tumor] != "notumor").mean(), abs=1e-6)
    expected = reference.f1_score(findings["label"], findings["called"], average="macro")
    assert full["macro_f1"]["value"] == pytest.approx(expected, abs=1e-6)
    assert full["pointing"]["n"] == tumor.sum(), "every lesion of the phantom is outlined"
    for figure in full.values():
        if figure["interval"] is None:
            continue  # three patients without a tumor are too few for one
        assert figure["interval"][0] <= figure["value"] <= figure["interval"][1]
    assert full["accuracy"]["interval"] is not None
    table = pd.crosstab(findings["label"], findings["called"])
    counts = pd.DataFrame(values["confusion"]["counts"], values["confusion"]["labels"], values["confusion"]["called"])
    for label in table.index:
        for called in table.columns:
            assert counts.loc[label, called] == table.loc[label, called]
    assert values["calibration"]["temperature"] == 1.5
    assert set(values["by_sequence"]) == {"FLAIR", "T1ce", "T2"}
    assert sum(row["n"] for row in values["by_patient"]) == len(findings)


def test_the_floors_are_measured_on_the_same_slices(bench, written):
    values = json.loads((written / "metrics.json").read_text())
    for name in ("copy_baseline", "source_probe"):
        assert values[name]["n"] == values["full"]["accuracy"]["n"]
        assert 0 <= values[name]["interval"][0] <= values[name]["accuracy"] <= values[name]["interval"][1] <= 1
    assert values["source_probe"]["accuracy"] < 0.6, "the phantom's files give nothing away"


def test_the_report_needs_nothing_else(written):
    page = (written / "report.html").read_text()
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "Not a medical device" in page
    for words in (
        "leak-free",
        "twin-free",
        "Copy baseline",
        "Source probe",
        "ROC curve",
        "Reliability",
        "worst mistakes",
    ):
        assert words in page
    assert "{{" not in page
    assert "data:image/jpeg" in page
    assert len(page) < 2_000_000


def test_a_random_split_is_called_leaky_and_not_led_with(bench, tmp_path):
    catalog = assign_split(bench.catalog, "random", seed=0)
    found = evaluate(bench.model, catalog, trained_on=catalog.table)
    assert found.is_leaky
    assert found.rows["leak_free"].sum() < found.rows["full"].sum() / 4
    assert found.notes[0].level == "bad"
    assert "leaky" in found.notes[0].text
    assert found.headline != "full"
    write_evaluation(found, tmp_path)
    values = json.loads((tmp_path / "metrics.json").read_text())
    assert values["leaky"]
    assert "full (leaky)" in (tmp_path / "report.html").read_text()


def test_a_label_of_which_only_copies_were_there_is_named(bench):
    table = bench.catalog.table
    known = (table["label"] == "notumor") | (table["split"] == "train")
    found = evaluate(
        bench.model, bench.catalog, split="all", trained_on=table.assign(split=np.where(known, "train", ""))
    )
    assert found.headline in ("leak_free", "twin_free")
    assert not (found.outcome.labels[found.rows[found.headline]] == "notumor").any()
    assert any("hold only 0 of 60 notumor" in note.text for note in found.notes)
    sentence = headline_sentence(found)
    assert "of the tumors" in sentence
    assert "tumor-free slices" not in sentence, "none is left"


def test_copies_are_found_by_the_prints_in_the_model_file(bench, tmp_path):
    """A new set into which 30 of the training slices found their way, mirrored by nobody but renamed."""
    data = tmp_path / "other"
    write_phantom(data, 60, seed=99, side=64)
    shutil.rmtree(data / "masks")
    (data / "index.csv").unlink()
    trained = bench.catalog.table[bench.catalog.table["split"] == "train"].iloc[::5].head(30)
    for number, row in enumerate(trained.itertuples()):
        shutil.copy(row.file, data / row.label / f"new_{number}.png")
    elsewhere = tmp_path / "model.onnx"
    shutil.copy(bench.model.file.path, elsewhere)
    found = evaluate_data(load(elsewhere, threads=1), data)
    assert found.groups_known is False
    copied = found.findings["path"].str.contains("new_").to_numpy()
    np.testing.assert_array_equal(found.findings["twin_seen"].to_numpy(), copied)
    assert found.rows["twin_free"].sum() == 60
    assert found.headline in ("leak_free", "twin_free")
    assert any("not known here" in note.text for note in found.notes)


@pytest.mark.parametrize("prints", ["", '{"format": 0}\n'])
def test_a_model_without_readable_prints_is_not_called_leak_free(bench, tmp_path, prints):
    path = tmp_path / "model.onnx"
    write_model(bench.model.file.path, bench.model.card, path, prints)
    found = evaluate(load(path, threads=1), bench.catalog)
    assert (found.is_traceable, found.is_leaky, found.headline) == (False, False, "full")
    assert found.figures["leak_free"] == {}
    assert "cannot be told" in found.notes[0].text
    write_evaluation(found, tmp_path / "out")
    values = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert values["copy_baseline"]["accuracy"] is None
    assert values["headline"] == values["full"]


def test_a_yes_no_set_is_judged_by_a_model_of_four_classes(bench, tmp_path):
    for row in bench.catalog.table[bench.catalog.table["split"] == "test"].itertuples():
        side = tmp_path / "data" / ("no" if row.label == "notumor" else "yes")
        side.mkdir(parents=True, exist_ok=True)
        shutil.copy(row.file, side)
    found = evaluate_data(bench.model, tmp_path / "data", split="all")
    assert found.outcome.is_coarse
    assert found.rows["full"].sum() == (bench.catalog.table["split"] == "test").sum()
    called_tumor = found.findings["called"] != "notumor"
    accuracy = (called_tumor == (found.findings["label"] == "tumor")).mean()
    assert found.figures["full"]["accuracy"].value == pytest.approx(accuracy)
    write_evaluation(found, tmp_path / "out")
    values = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(values["per_class"]) == {"notumor", "tumor"}
    assert values["confusion"]["labels"] == ["notumor", "tumor"]
    p = found.findings["tumor_probability"].to_numpy()
    brier = 2 * np.mean((p - (found.findings["label"] == "tumor")) ** 2)
    assert values["full"]["brier"]["value"] == pytest.approx(brier, abs=1e-6)


@pytest.mark.parametrize("names", [("apple", "pear", "plum", "quince"), ("glioma", "tumor", "notumor", "tumor")])
def test_any_class_names_are_evaluated(bench, tmp_path, names):
    renamed = bench.catalog.table["label"].map(dict(zip(bench.model.classes, names, strict=True)))
    catalog = bench.catalog.with_table(bench.catalog.table.assign(label=renamed))
    classes = tuple(sorted(set(names)))
    model = bench.fit(tmp_path / "model.onnx", catalog, classes=classes)
    found = evaluate(model, catalog, trained_on=catalog.table)
    write_evaluation(found, tmp_path / "out")
    values = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(values["per_class"]) == set(classes)
    assert ("auc" in values["full"]) == ("notumor" in classes)
    assert ("macro_auc" in values["full"]) is True
    assert ("roc" in values["curves"]) == ("notumor" in classes)


def test_lesions_are_reported_apart(bench):
    table = bench.catalog.table.copy()
    lesions = table.index[(table["split"] == "test") & (table["label"] == "pituitary")][:6]
    table.loc[lesions, "label"] = "lesion"
    found = evaluate(bench.model, bench.catalog.with_table(table), trained_on=bench.catalog.table)
    assert len(found.lesions) == 6
    assert len(found.outcome) == (table["split"] == "test").sum() - 6
    assert found.lesion_figures["called_tumor"].n == 6
    assert any("no tumor; they are not in the figures" in note.text for note in found.notes)


def test_a_card_gets_the_headline(bench, grouped):
    found = card_metrics(grouped)
    assert list(found) == ["phantom, test, leak-free"]
    assert next(iter(found.values()))["auc"] == grouped.figures["full"]["auc"]
    card = bench.model.card.model_copy(update={"metrics": found})
    assert type(card).model_validate_json(card.model_dump_json()).metrics == found


def test_other_splits_and_wrong_calls(bench):
    assert len(evaluate(bench.model, bench.catalog, split="all").outcome) == len(bench.catalog.table)
    with pytest.raises(UsageError, match="no split"):
        evaluate(bench.model, bench.catalog, split="tests")
    with pytest.raises(UsageError, match="prevalence"):
        evaluate(bench.model, bench.catalog, prevalence=5)
    unlabeled = bench.catalog.table.assign(label="lesion")
    with pytest.raises(CatalogError, match="no slice has a label"):
        evaluate(bench.model, bench.catalog.with_table(unlabeled))
    unsplit = bench.catalog.with_table(bench.catalog.table.assign(split=""))
    assert len(evaluate(bench.model, unsplit).outcome) == len(bench.catalog.table)
    with pytest.raises(UsageError, match="no part 'val'"):
        evaluate(bench.model, unsplit, split="val")


def test_a_run_folder_is_evaluated_on_its_own_test_part(bench, grouped):
    from tumorscope.catalog import write_catalog

    write_catalog(bench.catalog, bench.folder / "catalog.csv")
    (bench.folder / "recipe.yaml").write_text(f"run: {{data: ['{bench.folder / 'phantom'}']}}\nrecipe: {{seed: 0}}\n")
    assert evaluate_run(bench.folder).figures == grouped.figures
    again = evaluate_data(bench.model, bench.folder / "phantom")
    assert again.figures["full"] == grouped.figures["full"], "the run's split is taken over"
    with pytest.raises(UsageError, match="no finished run"):
        evaluate_run(bench.folder / "phantom")


def test_the_same_seed_gives_the_same_page(bench, grouped):
    again = evaluate(bench.model, bench.catalog, trained_on=bench.catalog.table, command="tumorscope evaluate")
    from tumorscope.pages.evaluation import report_page

    assert report_page(again) == report_page(grouped)


def test_the_terminal_gets_the_headline(grouped):
    from rich.console import Console

    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(evaluation_text(grouped))
    text = console.export_text()
    assert "gives the right answer for" in text
    assert "leak-free" in text


def test_a_catalog_read_from_disk_gets_its_fingerprints_back(bench, grouped):
    bare = replace(bench.catalog, prints=None, pairs=None)
    found = evaluate(bench.model, bare, trained_on=bare.table)
    np.testing.assert_array_equal(found.baselines.copies.right, grouped.baselines.copies.right)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b'path,"label\nopen', b"path,label\na,b\n"])
def test_a_catalog_beside_a_model_that_is_none_is_told(tmp_path, content):
    (tmp_path / "catalog.csv").write_bytes(content)
    with pytest.raises(CatalogError, match=r"catalog\.csv: (is not readable|lacks the columns) .*; move it"):
        run_catalog(tmp_path / "model.onnx")


@pytest.mark.parametrize("text", ["", "run: [", "run: {}", "run: {data: [x]}", "run: {data: [x]}\nrecipe: {seed: s}"])
def test_a_run_that_does_not_say_how_it_was_trained_is_told(tmp_path, text):
    (tmp_path / "recipe.yaml").write_text(text)
    for name in ("model.onnx", "catalog.csv"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"recipe\.yaml: does not say how it was trained; train it anew"):
        evaluate_run(tmp_path)


def test_an_evaluation_says_of_each_slice_what_its_finding_says(bench, tmp_path):
    rows = bench.catalog.table.groupby("label").head(3)
    for number, row in enumerate(rows.itertuples()):
        image = cv2.imread(str(row.file), cv2.IMREAD_GRAYSCALE)
        small = cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA) if number % 3 == 0 else image
        (tmp_path / row.label).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / row.label / f"{number:02d}.png"), small)
    cv2.imwrite(str(tmp_path / "notumor/black.png"), np.zeros((64, 64), np.uint8))
    evaluation = evaluate(bench.model, build_catalog([tmp_path]), split="all")
    said = evaluation.outcome.decisions
    found = bench.model.predict([str(file) for file in evaluation.findings["file"]])
    for row, finding in enumerate(found):
        assert evaluation.findings["called"][row] == said[row].label == finding.label
        assert (said[row].flags, said[row].prediction_set) == (finding.flags, finding.prediction_set)
        assert (said[row].status, said[row].verdict) == (finding.status, finding.verdict)
    assert {flag for finding in found for flag in finding.flags} >= {"empty_slice", "low_resolution"}
    black = evaluation.findings["path"].str.endswith("black.png").to_numpy()
    assert said.refused[black].all()
    assert evaluation.figures["full"]["refused"].value == pytest.approx(said.refused.mean())
