"""What a study says of itself before all of it is done."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tumorscope.errors import StudyError
from tumorscope.pages.study import study_page
from tumorscope.studies.compare import PER_CLASS
from tumorscope.studies.document import StudyDocument
from tumorscope.studies.ledger import DONE, Entry
from tumorscope.studies.load import parse_study
from tumorscope.studies.measured import Measured, has_results
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
            calls = called if isinstance(called, list) else [called if one else "notumor" for one in answers]
            columns = {"dataset": "2021", "path": paths, "channel": "", "label": labels, "cluster": paths,
                       "tumor_probability": 0.9, "counted": True, "twin_seen": False, "group_seen": False,
                       **{f"p_{name}": [float(name == one) for one in calls] for name in set(calls)}}  # fmt: skip
            pd.DataFrame(columns).to_csv(folder / "findings.csv", index=False)
            pd.DataFrame({"epoch": [1, 2], "val_loss": [float("inf"), 0.5]}).to_csv(folder / "log.csv", index=False)
            slices = dict.fromkeys(("full", "twin_free", "leak_free"), len(answers))
            metrics = {"copy_baseline": FLOOR, "source_probe": FLOOR, "slices": slices}
            (folder / "metrics.json").write_text(json.dumps(metrics))
        entries = {label: Entry(label, DONE, 0.5, {"minutes": 1.0}, {}, 0) for label in (*before, *right)}
        found = gather(Measured(plan, entries, tmp_path))
        assert StudyDocument.checked(found) == json.loads(json.dumps(found)), "what is written is what was gathered"
        return found

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


@pytest.mark.parametrize("kept", [1, 11, 20])
def test_findings_that_lost_rows_are_no_result_and_give_no_figure(gathered, tmp_path, kept):
    label = "a/folds-fold1-seed0"
    gathered({label: [True] * 20})
    plan = make_plan(parse_study(STUDY, Path("half.yaml")), Path())
    unit = next(unit for unit in plan.units if unit.label == label)
    assert has_results(plan, unit, tmp_path)
    file = unit.folder(tmp_path) / "findings.csv"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:kept]) + lines[kept][:5])  # cut in the middle of a line
    assert not has_results(plan, unit, tmp_path)
    with pytest.raises(StudyError, match=r"findings\.csv: has \d+ of 20 slices; run the study again"):
        gathered({}, before=[label])


def test_no_run_is_the_best_beside_one_that_has_no_figure(gathered):
    found = gathered(
        {
            "a/folds-fold1-seed0": [True] * 19 + [False],
            "b/folds-fold1-seed0": [False] * 20,
            "c/folds-fold1-seed0": [True] * 20,  # without a word for 'no tumor', so without a sensitivity
        },
        protocols={"honest": {"split": "folds", "folds": [1]}},
        metric="sensitivity",
    )
    assert [row["value"] for row in found["protocols"]["honest"]["rows"]] == [0.95, 0.0, None]
    assert found["protocols"]["honest"]["best"] is None


def test_a_log_without_its_header_is_told_in_a_line(gathered, tmp_path):
    gathered({"a/folds-fold1-seed0": [True] * 10})
    (tmp_path / "runs" / "a" / "folds-fold1-seed0" / "log.csv").write_text("1,0.5\n2,0.4\n")
    with pytest.raises(StudyError, match=r"log\.csv: cannot be read"):
        gathered({}, before=["a/folds-fold1-seed0"])
