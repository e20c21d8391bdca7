"""The command line with a description where it takes a model."""

import json
from pathlib import Path

import cv2
import numpy as np

from tumorscope.cli import run
from tumorscope.evaluation.foreign.description import read_description


def test_the_description_in_the_docs_is_a_valid_one(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "benchmark.md").read_text()
    (tmp_path / "docs.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    found = read_description(tmp_path / "docs.yaml")
    assert found.input.shape == (3, 224, 224)
    assert (found.output.kind, found.trained_on) == ("logits", "benchmark:masoud_7023")


def test_the_command_takes_a_description_where_it_takes_a_model(home, unseen, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["evaluate", str(home.describe()), str(unseen), "--split", "all", "--out", str(out)]) == 0
    assert (out / "report.html").is_file()
    assert json.loads((out / "metrics.json").read_text())["model"]["name"] == "theirs"
    wrong = str(home.describe("wrong.yaml", classes=["a", "b"]))
    assert run(["evaluate", wrong, str(unseen), "--out", str(out)]) == 2
    assert run(["evaluate", str(home.describe()), str(unseen), "--split", "benchmark:masoud", "--out", str(out)]) == 2
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
    assert run(["evaluate", str(home.describe()), str(tmp_path / "data"), "--out", str(out)]) == 1
    assert "glioma/cut.png: " in capsys.readouterr().err
    found = json.loads((out / "metrics.json").read_text())
    assert [entry["path"] for entry in found["unreadable"]] == ["glioma/cut.png"]
    assert any("1 file could not be read and is in no figure" in note["text"] for note in found["notes"])
    assert run(["evaluate", str(home.describe()), str(tmp_path / "data"), "--out", str(out / "report.html")]) == 2
