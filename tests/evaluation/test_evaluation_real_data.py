"""The shipped model on a set that it was never shown. Needs the real data."""

import json

import pytest

from tumorscope.evaluation import evaluate_data
from tumorscope.inference import load
from tumorscope.pages.evaluation import write_evaluation

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def navoneel(data_root):
    return evaluate_data(load(), data_root / "navoneel_253")


def test_the_outside_set_is_measured_without_twins_of_training_slices(navoneel):
    assert navoneel.part == "all"
    assert len(navoneel.outcome) == 253
    assert navoneel.outcome.is_coarse
    assert navoneel.is_traceable
    assert navoneel.headline == "leak_free"
    assert navoneel.rows["leak_free"].sum() >= 200, "most of its twins were taken out of training"


def test_tumors_of_the_outside_set_are_found(navoneel):
    found = navoneel.figures[navoneel.headline]
    assert found["auc"].value >= 0.90, "several of its tumor-free slices show a lesion"
    assert found["sensitivity"].value >= 0.9
    assert found["specificity"].value >= 0.8
    copied = navoneel.baselines.copies.right[navoneel.rows[navoneel.headline]].mean()
    assert found["accuracy"].value > copied + 0.05, "more than copying"


def test_the_report_of_the_outside_set(navoneel, tmp_path):
    write_evaluation(navoneel, tmp_path)
    values = json.loads((tmp_path / "metrics.json").read_text())
    assert values["full"]["auc"]["n"] == 253
    assert len(values["copy_baseline"]["interval"]) == 2
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
