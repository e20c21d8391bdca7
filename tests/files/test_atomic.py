"""A file is there whole or not at all."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tumorscope.errors import OutputError
from tumorscope.files.atomic import clear_leftovers, replacing, write_bytes, write_json, write_text


def test_what_is_written_is_read_and_nothing_else_is_left(tmp_path):
    write_text(tmp_path / "new" / "name.txt", "Größe 3 µm\n")
    write_bytes(tmp_path / "new" / "bytes.bin", b"\x00\xff")
    write_json(tmp_path / "new" / "value.json", {"größe": [1, 2.5, None]})
    assert (tmp_path / "new" / "name.txt").read_bytes() == "Größe 3 µm\n".encode()
    assert (tmp_path / "new" / "bytes.bin").read_bytes() == b"\x00\xff"
    assert json.loads((tmp_path / "new" / "value.json").read_text(encoding="utf-8")) == {"größe": [1, 2.5, None]}
    assert sorted(os.listdir(tmp_path / "new")) == ["bytes.bin", "name.txt", "value.json"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    target = tmp_path / "report.html"
    target.write_text("old")
    with replacing(target) as path:
        assert path.suffix == ".html"
        path.write_text("new, half")
        assert target.read_text() == "old"
        path.write_text("new")
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["report.html"]


@pytest.mark.parametrize("error", [ValueError("a fault"), KeyboardInterrupt()])
def test_a_fault_in_the_middle_leaves_the_old_file_and_is_not_hidden(tmp_path, error):
    target = tmp_path / "report.html"
    target.write_text("old")

    def fail():
        with replacing(target) as path:
            path.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError) as caught:
        write_bytes(tmp_path / "model.onnx", b"a model")
    assert str(caught.value) == (
        f"{tmp_path / 'model.onnx'}: cannot be written (no space left on device); "
        "free some space or choose another --out"
    )
    assert os.listdir(tmp_path) == []


def test_a_file_where_a_folder_should_be_is_told(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "out" / "metrics.json", "{}")
    assert (tmp_path / "out").read_text() == "a file"


def test_a_number_that_is_none_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "metrics.json", {"auc": float("nan")})
    assert os.listdir(tmp_path) == []


HALF_WRITTEN = """
import sys, time
from tumorscope.files.atomic import replacing
with replacing(sys.argv[1]) as path:
    path.write_text("half")
    print("writing", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of writing a file into `tmp_path`."""
    command = [sys.executable, "-c", HALF_WRITTEN, str(tmp_path / "model.onnx")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def test_what_a_killed_process_left_is_cleared_and_only_after_its_death(tmp_path, writer):
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".tumorscope-")
    assert clear_leftovers(tmp_path) == 0
    assert (left / "model.onnx").read_text() == "half"
    writer.kill()
    assert writer.wait() == -signal.SIGKILL
    assert left.is_dir()
    assert clear_leftovers(tmp_path) == 1
    assert os.listdir(tmp_path) == []


def test_what_this_process_is_writing_is_not_cleared(tmp_path):
    with replacing(tmp_path / "report.html") as path:
        assert clear_leftovers(tmp_path) == 0
        path.write_text("new")
    assert (tmp_path / "report.html").read_text() == "new"
    assert os.listdir(tmp_path) == ["report.html"]


def test_nothing_but_our_own_folders_is_cleared(tmp_path):
    outside = tmp_path / "outside"
    (outside / "kept").mkdir(parents=True)
    out = tmp_path / "out"
    for name in (".hidden", "tumorscope-run", "deeper/.tumorscope-abc"):
        (out / name).mkdir(parents=True)
    (out / ".tumorscope-notes").write_text("a file")
    (out / ".tumorscope-link").symlink_to(outside)
    before = sorted(out.rglob("*"))
    assert clear_leftovers(out) == 0
    assert sorted(out.rglob("*")) == before
    assert (outside / "kept").is_dir()
    assert clear_leftovers(tmp_path / "no such folder") == 0


def test_a_folder_that_is_cleared_before_it_is_locked_is_made_anew(tmp_path, monkeypatch):
    from tumorscope.files import atomic

    made = []

    def make_and_lose(**options):
        made.append(mkdtemp(**options))
        if len(made) == 1:
            assert clear_leftovers(tmp_path) == 1
        return made[-1]

    mkdtemp = atomic.mkdtemp
    monkeypatch.setattr(atomic, "mkdtemp", make_and_lose)
    write_text(tmp_path / "name.txt", "whole")
    assert len(made) == 2
    assert (tmp_path / "name.txt").read_text() == "whole"
    assert os.listdir(tmp_path) == ["name.txt"]
