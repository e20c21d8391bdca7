"""A file is there whole or not at all."""

import errno
import json
import os
from pathlib import Path

import pytest

from tumorscope.atomic import replacing, write_bytes, write_json, write_text
from tumorscope.errors import OutputError


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
