"""What a shell sees: text on stdout and stderr, exit codes, and no broken output."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tumorscope.cli import DONE, INTERRUPTED, SOME_FAILED, WRONG_CALL, run

COMMAND = [sys.executable, "-c", "from tumorscope.cli import main; main()"]


@pytest.fixture
def predict(quadrant_model):
    return lambda *arguments: run(["predict", "--model", str(quadrant_model), *map(str, arguments)])


def only_line(text):
    (line,) = text.splitlines()
    return line


def test_predict_prints_a_line_a_picture(predict, draw, capsys):
    assert predict(draw("scan.png", 0), draw("clear.png", 2)) == DONE
    first, second = capsys.readouterr().out.splitlines()
    assert "scan.png: tumor: Tumor likely: glioma. " in first
    assert first.endswith("  (tumor 100.0%)")
    assert "clear.png: notumor: No tumor seen. " in second
    assert second.endswith("  (tumor 0.1%)")


def test_json_is_one_array_and_exit_codes_agree_with_status(predict, draw, tmp_path, capsys):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert predict("--json", draw("scan.png", 0), broken) == SOME_FAILED
    out, err = capsys.readouterr()
    assert [finding["status"] for finding in json.loads(out)] == ["ok", "error"]
    assert only_line(err) == "1 of the files could not be read; everything else is done"
    assert predict("--json", draw("scan.png", 0)) == DONE


def test_jsonl_is_one_object_a_line(predict, draw, tmp_path, capsys):
    for number in range(20):
        draw(f"many/{number:02d}.png", number % 4)
    assert predict("--jsonl", tmp_path / "many") == DONE
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["label"] for line in lines[:4]] == ["glioma", "meningioma", "notumor", "pituitary"]
    assert len(lines) == 20


def test_out_names_the_folder_of_the_pictures(predict, draw, tmp_path, capsys):
    assert predict(draw("scan.png", 0), "--out", tmp_path / "out") == DONE
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "out")
    assert (tmp_path / "out" / "contact_sheet.png").is_file()


def test_info_prints_figures_licence_and_what_was_never_shown(quadrant_model, capsys):
    assert run(["info", str(quadrant_model)]) == DONE
    text = " ".join(capsys.readouterr().out.split())
    assert "0.900 0.850 to 0.940 40" in text
    assert "CC0-1.0" in text
    assert "any MRI" in text
    assert "Research use only" in text
    assert run(["info", str(quadrant_model), "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["name"] == "quadrants"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predikt", "x"], "tumorscope: No such command 'predikt'. Did you mean 'predict'?"),
        (["predict", "--modle", "m", "x"], "--model"),
        (["predict"], "see tumorscope predict --help"),
        (["predict", "gone.png"], "tumorscope: gone.png: is not there; check the path"),
        (["predict", "--json", "--jsonl", "x"], "--json and --jsonl exclude each other; give one of them"),
        (["predict", "--channels", "al", "x"], "did you mean 'all'?"),
        (["predict", "--model", "gone.onnx", "x"], "gone.onnx: is not a file; give the path of a .onnx model file"),
        (["info", __file__], "test_cli.py: is not a readable ONNX model"),
        (["audit", "gone", "--out", "o"], "tumorscope: gone: is not there"),
        (["prepare", "phantom:12", "--out", "o", "--side", "5"], "--side"),
        (["train", "phantom:12", "--out", "o", "--recipe", "quik"], "did you mean 'quick'?"),
        (["train", "phantom:12", "--out", "o", "--recipe", "smoke", "--set", "sede=1"], "unknown key 'sede'"),
        (["train", "phantom:12", "--out", "o", "--set", "seed"], "--set seed is not understood; write --set key=value"),
        (["train", "phantom:12", "--out", "o", "--set", "seed=[1"], "write the value as in YAML"),
        (["train", "phantom:12", "--out", "o", "--fold", "9"], "--fold"),
    ],
)
def test_a_wrong_call_is_one_line_that_says_what_to_do(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == WRONG_CALL
    out, err = capsys.readouterr()
    assert said in only_line(err)
    assert out == ""
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_without_a_verb_the_verbs_are_listed(capsys):
    assert run([]) == WRONG_CALL
    listed = capsys.readouterr().out
    assert all(f"  {verb} " in listed for verb in ["audit", "prepare", "train", "evaluate", "predict", "info", "demo"])
    assert run(["--version"]) == DONE
    assert capsys.readouterr().out.startswith("tumorscope 0.")


def test_an_empty_folder_is_a_wrong_call(predict, tmp_path, capsys):
    assert predict(tmp_path) == WRONG_CALL
    assert "holds no picture; give a folder of pictures, or files" in only_line(capsys.readouterr().err)


def test_an_interrupt_ends_with_a_line(monkeypatch, draw, predict, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tumorscope.inference.Model.predict", interrupted)
    assert predict(draw("scan.png", 0)) == INTERRUPTED
    assert "interrupted" in only_line(capsys.readouterr().err)


def test_a_missing_extra_names_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.delitem(sys.modules, "tumorscope.training.run", raising=False)
    monkeypatch.delitem(sys.modules, "tumorscope.training.torchvision_shim", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    import tumorscope.training

    for name in ("run", "torchvision_shim"):
        monkeypatch.delattr(tumorscope.training, name, raising=False)
    assert run(["train", "phantom:12", "--recipe", "smoke", "--out", str(tmp_path / "run")]) == WRONG_CALL
    assert "pip install 'tumorscope[train]'" in only_line(capsys.readouterr().err)
    assert not (tmp_path / "run").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(predict, draw, tmp_path, monkeypatch, capsys):
    picture = draw("scan.png", 0)

    def full(path, data):
        path.open("wb").close()
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert predict(picture, "--out", tmp_path / "out") == SOME_FAILED
    assert "scan.png: cannot be written (no space left on device); free some space" in only_line(
        capsys.readouterr().err
    )
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "call",
    [
        ["audit", "phantom:12"],
        ["prepare", "phantom:12"],
        ["train", "phantom:12", "--recipe", "smoke"],
        ["evaluate", "gone.onnx", "phantom:12"],
        ["predict", "gone.png"],
        ["demo"],
        ["study", "run", "gone"],
    ],
    ids=lambda call: call[0],
)
@pytest.mark.parametrize("inside", ["", "deep/er"])
def test_a_file_is_no_place_for_results_and_that_is_said_before_the_work(call, inside, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert run([*call, "--out", str(tmp_path / "notes.txt" / inside)]) == WRONG_CALL
    assert "notes.txt: is no folder; give --out a folder" in only_line(capsys.readouterr().err)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("how", [["--json"], ["--jsonl"]])
def test_a_full_pipe_is_one_line(quadrant_model, draw, how):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "predict", "--model", quadrant_model, draw("scan.png", 0), *how],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == SOME_FAILED
    assert "the output: cannot be read or written (no space left on device)" in only_line(done.stderr)


def test_a_reader_who_has_seen_enough_is_no_error(quadrant_model, draw, tmp_path):
    for number in range(600):
        draw(f"many/{number:03d}.png", 0)
    process = subprocess.Popen(
        [*COMMAND, "predict", "--model", quadrant_model, tmp_path / "many", "--jsonl"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert json.loads(process.stdout.readline())["status"] == "ok"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == DONE


def test_a_name_that_is_no_text_is_printed(quadrant_model, draw, tmp_path):
    odd = os.fsencode(tmp_path) + b"/odd\xff.png"
    shutil.copy(draw("plain.png", 0), os.fsdecode(odd))
    for how in ([], ["--json"]):
        done = subprocess.run(
            [*COMMAND, "predict", "--model", quadrant_model, odd, *how], capture_output=True, check=True
        )
        assert b"odd" in done.stdout
        assert done.stderr == b""
    assert json.loads(done.stdout)[0]["file"] == os.fsdecode(odd)


def test_audit_and_evaluate_write_their_pages_and_print_tables(quadrant_model, tmp_path, capsys):
    assert run(["audit", "phantom:48", "--out", str(tmp_path / "audit"), "--no-atlas"]) == DONE
    out, _ = capsys.readouterr()
    assert out.splitlines()[-1] == str(tmp_path / "audit" / "audit.html")
    assert json.loads((tmp_path / "audit" / "audit.json").read_text())["images"] == 48
    arguments = ["evaluate", str(quadrant_model), "phantom:48", "--split", "all", "--out", str(tmp_path / "eval")]
    assert run(arguments) == DONE
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "eval" / "report.html")
    assert {"metrics.json", "report.html", "findings.csv"} <= {path.name for path in (tmp_path / "eval").iterdir()}


def test_prepare_writes_pictures_and_a_catalog(tmp_path, capsys):
    assert run(["prepare", "phantom:12", "--out", str(tmp_path / "ready"), "--side", "64"]) == DONE
    out, err = capsys.readouterr()
    assert only_line(out) == str(tmp_path / "ready")
    assert "12 slices" in err
    assert len((tmp_path / "ready" / "catalog.csv").read_text().splitlines()) == 13
