"""The verb on a command line: its exit codes, what it asks on a terminal, and what it lists."""

import os
import pty
from dataclasses import dataclass

import pytest

from tumorscope.cli import run
from tumorscope.fetch.sets import public_sets

NAVONEEL = "/api/v1/datasets/download/navoneel/brain-mri-images-for-brain-tumor-detection?datasetVersionNumber=1"


@pytest.fixture
def mirror(server, pictures, zipped):
    server.put(NAVONEEL, zipped({"yes/Y1.png": pictures["glioma"][0][1], "no/N1.png": pictures["notumor"][0][1]}))
    return server


@dataclass
class _Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(capsys):
    """Return a function that runs the verb as the command line does."""

    def run_fetch(*arguments):
        code = run(["fetch", *map(str, arguments)])
        return _Done(code, *capsys.readouterr())

    return run_fetch


def test_without_a_terminal_and_without_yes_it_stops_with_2_and_says_so(mirror, tmp_path, call):
    done = call("navoneel_253", "--out", tmp_path / "set", "--mirror", mirror.url)
    assert done.returncode == 2
    assert "licence: none stated" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("tumorscope: navoneel_253 is under terms that are not clear")
    assert last.endswith("and give --yes")
    assert (done.stdout, mirror.asked, list(tmp_path.iterdir())) == ("", [], [])


def test_yes_answers_and_the_folder_is_printed(mirror, tmp_path, call):
    done = call("navoneel_253", "--out", tmp_path / "set", "--mirror", mirror.url, "--yes", "--no-check")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'set'}\n")
    assert done.stderr.splitlines()[-1] == "2 slices, yes/no folders; checked: nothing was compared with the list"
    assert {path.name for path in (tmp_path / "set").iterdir()} == {"yes", "no", "SOURCE.txt"}


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 2)])
def test_on_a_terminal_it_asks(mirror, tmp_path, call, monkeypatch, answer, code):
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        done = call("navoneel_253", "--out", tmp_path / "set", "--mirror", mirror.url, "--no-check")
    os.close(ours)
    assert done.returncode == code
    assert "The use of navoneel_253 is unclear. Do you agree to its terms?" in done.stderr
    assert (tmp_path / "set").exists() == (code == 0)


def test_what_cannot_be_had_ends_with_1_and_one_line(server, tmp_path, call):
    done = call("navoneel_253", "--out", tmp_path / "set", "--mirror", server.url, "--yes")
    assert done.returncode == 1
    assert "is not there (404)" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_set_names_the_nearest_and_one_behind_a_registration_says_where(call):
    done = call("navoneel")
    assert (done.returncode, done.stderr) == (
        2,
        "tumorscope: there is no set 'navoneel'; did you mean 'navoneel_253'?\n",
    )
    done = call("brats_slices", "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "brats_slices cannot be fetched; BraTS is given to registered researchers only" in done.stderr


def test_without_a_set_the_known_ones_are_listed(call):
    done = call()
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(public_sets())
