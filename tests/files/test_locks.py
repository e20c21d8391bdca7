import os
import subprocess
import sys

import pytest

from tumorscope.files.locks import take

HOLD = (
    "import sys; from tumorscope.files.locks import take; "
    "lock = take(sys.argv[1]); print(not lock, flush=True); input()"
)


def held_elsewhere(path):
    """Start a process that takes the lock and keeps it until its input ends."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=-1, stdout=-1, text=True)
    assert process.stdout.readline().strip() == "False"
    return process


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_lock_keeps_other_processes_out_until_its_owner_is_killed(tmp_path, kind):
    path = tmp_path / "it"
    path.mkdir() if kind == "folder" else path.touch()
    owner = held_elsewhere(path)
    assert take(path) is None
    owner.kill()
    owner.wait()
    lock = take(path)
    assert lock.is_real
    lock.release()


def test_a_released_lock_can_be_taken_again(tmp_path):
    first = take(tmp_path)
    assert take(tmp_path) is None
    first.release()
    take(tmp_path).release()


def test_a_file_is_made_only_when_asked(tmp_path):
    with pytest.raises(FileNotFoundError):
        take(tmp_path / "new")
    take(tmp_path / "new", make=True).release()
    assert (tmp_path / "new").is_file()


def test_links_are_not_followed(tmp_path):
    os.symlink(tmp_path / "there", tmp_path / "link")
    with pytest.raises(OSError, match="symbolic"):
        take(tmp_path / "link", make=True)
    assert not (tmp_path / "there").exists()
