"""A whole study of the phantom by the command line: killed on the way, gone on with, one run failing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import pandas as pd
import pytest
import yaml

pytest.importorskip("torch")
pytest.importorskip("optuna")
from tumorscope.cli import DONE, SOME_FAILED, WRONG_CALL, run
from tumorscope.studies.status import read_status

COMMAND = [sys.executable, "-c", "from tumorscope.cli import main; main()", "study", "run"]
TINY = {"schedule.epochs": 2, "spec.side": 64, "network.width": 16, "augment.transplant": 0, "loss.mask": 0}
STUDY: dict[str, Any] = {
    "name": "tiny",
    "data": ["phantom:96"],
    "protocols": {
        "published": {"split": "random", "part": "val"},
        "honest": {"split": "random", "slices": "leak_free"},
    },
    "runs": [
        {"name": "good", "recipe": "smoke", "set": TINY},
        {"name": "bad", "recipe": "smoke", "set": {**TINY, "network.weights": "no_such_weights.pt"}},
    ],
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "tiny.yaml"
    path.write_text(yaml.safe_dump(STUDY))
    return path


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "undisturbed"
    assert run(["study", "run", str(study), "--out", str(out), "--jobs", "2"]) == SOME_FAILED
    return out


def test_every_protocol_has_its_row_and_shares_the_training(undisturbed):
    table = pd.read_csv(undisturbed / "leaderboard.csv").set_index(["protocol", "run"])
    found = json.loads((undisturbed / "study.json").read_text())
    assert len(found["trainings"]) == 2, "both protocols look at the same trainings"
    catalog = pd.read_csv(undisturbed / "runs" / "good" / "random-seed0" / "catalog.csv")
    validated = pd.read_csv(undisturbed / "runs" / "good" / "random-seed0" / "val" / "findings.csv")
    row: Any = table.loc["published", "good"]
    assert row["n"] == (catalog["split"] == "val").sum() == len(validated)
    assert row["value"] == pytest.approx(validated["right"].mean(), abs=1e-6)
    assert row["leaky"]
    assert row["parameters"] > 10_000
    assert table["n"]["honest", "good"] <= (catalog["split"] == "test").sum()
    assert len(found["protocols"]["honest"]["rows"][0]["curves"][0]["val_accuracy"]) == 2


def test_a_training_that_fails_is_told_in_a_line_and_the_rest_is_done(undisturbed):
    states = {training.label: training for training in read_status(undisturbed).trainings}
    assert states["good/random-seed0"].state == "done"
    assert states["bad/random-seed0"].state == "failed"
    assert "no_such_weights.pt" in states["bad/random-seed0"].error
    page = (undisturbed / "study.html").read_text()
    assert "no_such_weights.pt" in page
    assert "http://" not in page.replace("http://www.w3.org", ""), "the page needs nothing from outside"


def test_a_changed_study_does_not_mix_with_what_is_there(undisturbed, tmp_path, capsys):
    changed = tmp_path / "tiny.yaml"
    changed.write_text(yaml.safe_dump({**STUDY, "metric": "auc"}))
    assert run(["study", "run", str(changed), "--out", str(undisturbed)]) == WRONG_CALL
    assert 'study.metric was "accuracy", now "auc"' in capsys.readouterr().err


def test_a_folder_with_something_else_in_it_is_left_alone(study, tmp_path, capsys):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "mine.txt").write_text("important")
    assert run(["study", "run", str(study), "--out", str(tmp_path)]) == WRONG_CALL
    assert "holds cache and no record of a study; give an empty or a new --out" in capsys.readouterr().err
    assert (tmp_path / "cache" / "mine.txt").read_text() == "important"


@pytest.mark.parametrize("damage", [b"no database", None], ids=["text", "folder"])
def test_a_damaged_record_is_said_in_a_line(study, tmp_path, damage, capsys):
    if damage is None:
        (tmp_path / "study.db").mkdir()
    else:
        (tmp_path / "study.db").write_bytes(damage)
    for call in (["study", "run", str(study), "--out", str(tmp_path)], ["study", "status", str(tmp_path)]):
        assert run(call) == WRONG_CALL
        assert "study.db: cannot be read as the record of a study" in capsys.readouterr().err


def test_a_budget_is_a_number(study, tmp_path, capsys):
    assert run(["study", "run", str(study), "--out", str(tmp_path / "out"), "--cpu-hours", "inf"]) == WRONG_CALL
    assert "a budget of inf hours is not possible" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_status_is_plain_where_there_is_no_terminal(undisturbed, capsys):
    assert run(["study", "status", str(undisturbed)]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("good/random-seed0: done 0.")
    assert lines[-1] == "1 done, 1 failed; no process works on it"


def test_a_killed_study_goes_on_and_ends_with_the_same_table(study, undisturbed, tmp_path):
    out = tmp_path / "killed"
    process = subprocess.Popen([*COMMAND, str(study), "--out", str(out), "--jobs", "2"], start_new_session=True)
    checkpoint = out / "runs" / "good" / "random-seed0" / "last.ckpt"
    while process.poll() is None and not checkpoint.exists():
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert read_status(out).trainings[0].state == "stopped"
    assert run(["study", "run", str(study), "--out", str(out), "--jobs", "2"]) == SOME_FAILED
    ours, theirs = (pd.read_csv(folder / "leaderboard.csv").drop(columns="minutes") for folder in (out, undisturbed))
    pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("folder", ["runs/good", "runs/good/random-seed0/val"], ids=["run", "part"])
def test_a_training_whose_folder_is_gone_is_done_again(study, undisturbed, tmp_path, folder):
    out = tmp_path / "lost"
    shutil.copytree(undisturbed, out)
    shutil.rmtree(out / folder)
    assert run(["study", "run", str(study), "--out", str(out), "--jobs", "2"]) == SOME_FAILED
    ours, theirs = (pd.read_csv(folder / "leaderboard.csv").drop(columns="minutes") for folder in (out, undisturbed))
    pd.testing.assert_frame_equal(ours, theirs)


def test_runs_and_protocols_that_were_added_are_trained_and_measured_and_what_is_done_stays(undisturbed, tmp_path):
    out, grown = tmp_path / "grown", tmp_path / "tiny.yaml"
    shutil.copytree(undisturbed, out)
    done = out / "runs" / "good" / "random-seed0"
    before = {name: (done / name).stat().st_mtime_ns for name in ("model.onnx", "best.ckpt")}
    old = pd.read_csv(undisturbed / "leaderboard.csv").set_index(["protocol", "run"])
    more = {"name": "more", "recipe": "smoke", "set": {**TINY, "schedule.epochs": 1}}
    larger = {**STUDY, "runs": [STUDY["runs"][0], more, STUDY["runs"][1]]}
    for values in (
        larger,
        {**larger, "protocols": larger["protocols"] | {"learnt": {"split": "random", "part": "train"}}},
    ):
        grown.write_text(yaml.safe_dump(values))
        assert run(["study", "run", str(grown), "--out", str(out), "--jobs", "2"]) == SOME_FAILED
        table = pd.read_csv(out / "leaderboard.csv").set_index(["protocol", "run"])
        assert list(table.loc[("published", "more"), ["epochs", "n"]]) == [1, table["n"]["published", "good"]]
        assert table["value"]["published", "good"] == old["value"]["published", "good"]
        assert {training.label for training in read_status(out).trainings} >= {"good/random-seed0", "more/random-seed0"}
        touched = {name for name, time in before.items() if (done / name).stat().st_mtime_ns != time}
        assert "best.ckpt" not in touched, "nothing is trained again"
        assert touched <= ({"model.onnx"} if "learnt" in values["protocols"] else set())
    catalog = pd.read_csv(done / "catalog.csv")
    assert table.loc[("learnt", "good"), "n"] == (catalog["split"] == "train").sum()
    assert table["minutes"]["learnt", "good"] > old["minutes"]["published", "good"], "measuring adds to it"


def test_the_shipped_studies_are_named_with_their_data_and_their_size(capsys):
    assert run(["study", "list"]) == DONE
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["masoud-three", "masoud_7023", "8", "trainings"] in [line[:4] for line in lines]
    assert len(lines) == 6
