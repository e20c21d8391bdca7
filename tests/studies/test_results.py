"""What a study says of itself before all of it is done."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tumorscope.studies.compare import PER_CLASS
from tumorscope.studies.ledger import DONE, Entry
from tumorscope.studies.load import parse_study
from tumorscope.studies.measured import Measured
from tumorscope.studies.page import study_page
from tumorscope.studies.plan import make_plan
from tumorscope.studies.results import gather

STUDY = {
    "name": "half",
    "data": ["phantom:96"],
    "protocols": {"honest": {"split": "folds", "folds": [1, 2]}},
    "runs": [{"name": name, "recipe": "smoke"} for name in ("a", "b", "c")],
}
FLOOR = {"by_split": {"leak_free": {"accuracy": 0.5, "n": 10}}}


@pytest.fixture
def gathered(tmp_path):
    """Return a function from labels of trainings, and which slices each answered right, to ``study.json``."""

    def gather_them(right, labels="glioma", called="glioma", before=(), **changes):
        plan = make_plan(parse_study({**STUDY, **changes}, Path("half.yaml")), Path())
        units = {unit.label: unit for unit in plan.units}
        for label, answers in right.items():
            folder = units[label].folder(tmp_path)
            folder.mkdir(parents=True)
            paths = [f"{units[label].fold}-{number}" for number in range(len(answers))]
            calls = called if isinstance(called, list) else [called if one else "other" for one in answers]
            columns = {"dataset": "2021", "path": paths, "channel": "", "label": labels, "cluster": paths,
                       "tumor_probability": 0.9, "counted": True, "twin_seen": False, "group_seen": False,
                       **{f"p_{name}": [float(name == one) for one in calls] for name in set(calls)}}  # fmt: skip
            pd.DataFrame(columns).to_csv(folder / "findings.csv", index=False)
            pd.DataFrame({"epoch": [1, 2], "val_loss": [float("inf"), 0.5]}).to_csv(folder / "log.csv", index=False)
            (folder / "metrics.json").write_text(json.dumps({"copy_baseline": FLOOR, "source_probe": FLOOR}))
        entries = {label: Entry(label, DONE, 0.5, {"minutes": 1.0}, {}, 0) for label in (*before, *right)}
        return gather(Measured(plan, entries, tmp_path))

    return gather_them


def test_runs_that_answered_no_common_slice_yet_are_not_compared_and_none_is_the_best(gathered):
    found = gathered({"a/folds-fold1-seed0": [True] * 10, "b/folds-fold2-seed0": [False] * 10})
    protocol = found["protocols"]["honest"]
    assert [row["value"] for row in protocol["rows"]] == [1.0, 0.0, None]
    (difference,) = protocol["differences"]
    assert (difference["run"], difference["value"], difference["n"]) == ("b", None, 0)
    assert protocol["best"] is None
    assert protocol["rows"][0]["curves"][0]["val_loss"] == [None, 0.5], "JSON has no infinity"
    page = study_page(found)
    assert page.count("no slice in common") == 1
    assert page.count('<td class="n dim">first</td>') == 1, "a run without a figure is not the first"


def test_every_class_has_its_recall_and_precision_where_they_are_defined(gathered):
    labels = ["glioma"] * 6 + ["meningioma"] * 2 + ["notumor"] * 2
    called = ["glioma"] * 3 + ["pituitary"] * 3 + ["glioma"] * 2 + ["notumor"] * 2
    right = [a == b for a, b in zip(labels, called, strict=True)]
    found = gathered({"a/folds-fold1-seed0": right}, labels, called)
    classes = found["protocols"]["honest"]["rows"][0]["classes"]
    said = {name: tuple((one[what]["value"], one[what]["n"]) for what in PER_CLASS) for name, one in classes.items()}
    assert said == {
        "glioma": ((0.5, 6), (0.6, 5)),
        "meningioma": ((0.0, 2), (None, 0)),
        "notumor": ((1.0, 2), (1.0, 2)),
        "pituitary": ((None, 0), (0.0, 3)),
    }
    page = " ".join(study_page(found).split())
    assert "Class by class" in page
    assert "60.0% of 5 calls right" in page
    assert page.count("never called") == 1
    assert page.count("none there") == 1


def test_no_run_is_the_best_before_all_are_done(gathered):
    answers = {"a": [True] * 20, "b": [False] * 20, "c": [False] * 20}
    labels = [f"{run}/folds-fold{fold}-seed0" for run in answers for fold in (1, 2)]
    some = gathered({label: answers[label[0]] for label in labels[:-1]})
    assert some["protocols"]["honest"]["best"] is None
    assert "a is ahead with accuracy 100.0%; not every run is done yet" in study_page(some)
    whole = gathered({labels[-1]: answers["c"]}, before=labels[:-1])
    assert whole["protocols"]["honest"]["best"] == "a"


def test_a_run_that_leads_by_easier_slices_alone_is_not_the_best(gathered):
    easy, hard = [True] * 20, [False] * 20
    found = gathered(
        {
            "a/folds-fold1-seed0": [True] * 12 + [False] * 8,
            "b/folds-fold1-seed0": easy,
            "b/folds-fold2-seed0": hard,
        }
    )
    protocol = found["protocols"]["honest"]
    assert protocol["first"] == "a"
    assert protocol["differences"][0]["value"] == pytest.approx(-0.4), "on the slices that both answered b is ahead"
    assert protocol["differences"][0]["real"]
    assert protocol["best"] is None
    assert protocol["not_told_apart"] == ["b"]


def test_a_choice_that_only_leaks_make_better_is_told_on_the_page(gathered):
    good, bad = [True] * 40, [True, False] * 20
    found = gathered(
        {
            "a-flip=0/random-seed0": bad,
            "a-flip=0.5/random-seed0": good,
            "a-flip=0/grouped-seed0": good,
            "a-flip=0.5/grouped-seed0": good,
        },
        protocols={"random": {"split": "random"}, "apart": {"split": "grouped"}},
        runs=[{"name": "a", "recipe": "smoke", "grid": {"augment.flip": [0, 0.5]}}],
        tables=[{"of": "augment.flip", "title": "Mirrored slices"}],
    )
    assert [row["whole"] for row in found["tables"][0]["rows"]] == [True, True]
    (conclusion,) = found["conclusions"]
    assert (conclusion["claimed"], conclusion["verdict"]) == ("better", "not shown without leaks")
    page = " ".join(study_page(found).split())
    assert "Which conclusions stand without leaks" in page
    assert "Mirrored slices<small>0.5 against 0</small>" in page
    assert 'better<small class="range">+50.0 (' in page


def test_a_choice_is_not_judged_before_all_its_runs_are_done(gathered):
    found = gathered(
        {f"a-flip={flip}/{split}-seed0": [True] * 40 for flip in ("0", "0.5") for split in ("random", "folds-fold1")},
        protocols={"random": {"split": "random"}, "apart": {"split": "folds", "folds": [1, 2]}},
        runs=[{"name": "a", "recipe": "smoke", "grid": {"augment.flip": [0, 0.5]}}],
        tables=[{"of": "augment.flip"}],
    )
    assert [(row["protocol"], row["whole"]) for row in found["tables"][0]["rows"]] == [
        ("random", True),
        ("apart", False),
    ]
    assert found["conclusions"] == []
    assert "not all trainings are done" in study_page(found)
