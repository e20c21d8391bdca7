"""Where jobs lie: private, held by one server, found again by the next."""

import os
import subprocess
import sys

import pytest

from tumorscope.errors import OutputError, UsageError
from tumorscope.jobs.place import holding

HOLD = """
import sys, time
from tumorscope.jobs.place import holding
with holding(None, "127.0.0.1", int(sys.argv[1])) as place:
    print(place.folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TUMORSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tumorscope" / "serve"


def test_the_folder_is_private_and_named_by_the_address(cache):
    with holding(None, "::1", 8123) as place:
        assert place.folder == cache / "..1-8123"
        assert place.folder.stat().st_mode & 0o777 == 0o700
        assert not place.keeps
    assert place.folder.is_dir()


def test_under_keep_it_keeps(tmp_path, cache):
    with holding(tmp_path / "kept", "127.0.0.1", 0) as place:
        assert (place.folder, place.keeps) == (tmp_path / "kept" / "jobs", True)
    assert not cache.exists()


def test_a_second_server_is_told_what_to_do(cache):
    with holding(None, "127.0.0.1", 8123):
        with pytest.raises(UsageError, match=r"127\.0\.0\.1-8123: another server keeps its jobs here; stop that one"):
            holding(None, "127.0.0.1", 8123).__enter__()
        with holding(None, "127.0.0.1", 8124), holding(None, "127.0.0.1", 0), holding(None, "127.0.0.1", 0):
            pass
    with holding(None, "127.0.0.1", 8123):
        pass


def test_the_folder_of_a_server_on_any_port_goes_with_it(cache):
    with holding(None, "127.0.0.1", 0) as place:
        assert place.folder.parent == cache
    assert list(cache.iterdir()) == []


def test_a_killed_server_lets_go_and_the_next_clears_up(cache):
    killed = subprocess.Popen([sys.executable, "-c", HOLD, "0"], stdout=subprocess.PIPE, text=True)
    folder = killed.stdout.readline().strip()
    with holding(None, "127.0.0.1", 0):
        assert os.path.isdir(folder)  # it lives
    killed.kill()
    killed.communicate()
    assert os.path.isdir(folder)
    with holding(None, "127.0.0.1", 0):
        assert not os.path.exists(folder)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/jobs: cannot be written \(not a directory\); give another folder"):
        holding(tmp_path / "file", "127.0.0.1", 0).__enter__()
