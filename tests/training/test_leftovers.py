"""What a killed training leaves half written does not outlive the next start in its folder."""

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("torch")
from tumorscope.catalog import add_groups, build_catalog
from tumorscope.catalog.phantom import write_phantom
from tumorscope.errors import UsageError
from tumorscope.training import train

TINY = {"schedule.epochs": 1, "spec.side": 64, "network.width": 16, "schedule.batch": 8}
DATA = "phantom:96"

KILLED_BUILDING_THE_CACHE = f"""
import os, signal, sys
from tumorscope.training import train
def die(stage, done, total):
    if stage == "preprocessing":
        os.kill(os.getpid(), signal.SIGKILL)
train({DATA!r}, recipe="smoke", out=sys.argv[1], overrides={TINY!r}, progress=die)
"""

KILLED_AT_THE_FIRST_FILE = """
import os, signal, sys
from tumorscope.files.atomic import replacing
with replacing(sys.argv[1] + "/prints.txt") as path:
    path.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("code", "place", "count", "resume"),
    [(KILLED_BUILDING_THE_CACHE, "run/cache", 2, True), (KILLED_AT_THE_FIRST_FILE, "run", 1, False)],
)
def test_the_next_start_clears_what_a_kill_left(tmp_path, code, place, count, resume):
    out = tmp_path / "run"
    assert subprocess.run([sys.executable, "-c", code, str(out)], check=False).returncode == -signal.SIGKILL
    left = os.listdir(tmp_path / place)
    assert len(left) == count
    assert all(name.startswith(".tumorscope-") for name in left)
    with pytest.raises(StoppedError):
        train(DATA, recipe="smoke", out=out, overrides=TINY, resume=resume, say=stop)
    assert list(out.rglob(".*")) == []
    assert sorted(os.listdir(out / "cache")) == ["images.npy", "masks.npy"]
    assert {"prints.txt", "recipe.yaml", "catalog.csv"} <= set(os.listdir(out))


def test_a_training_whose_data_moved_goes_on_where_its_slices_are_the_same(tmp_path):
    write_phantom(tmp_path / "here" / "set", 96)
    out, paths = tmp_path / "run", [tmp_path / name / "set" for name in ("here", "there")]
    with pytest.raises(StoppedError):
        train(paths[0], recipe="smoke", out=out, overrides=TINY, say=stop)
    (tmp_path / "here").rename(tmp_path / "there")
    with pytest.raises(UsageError, match="resume it with the same DATA"):
        train(paths[1], recipe="smoke", out=out, overrides=TINY, resume=True, say=stop)
    moved = add_groups(build_catalog([paths[1]]))
    with pytest.raises(StoppedError):
        train(paths[1], recipe="smoke", out=out, overrides=TINY, resume=True, catalog=moved, say=stop)
    changed = moved.with_table(moved.table.assign(sha256="0"))
    with pytest.raises(UsageError, match="the data changed since this run was started"):
        train(paths[1], recipe="smoke", out=out, overrides=TINY, resume=True, catalog=changed, say=stop)


class StoppedError(Exception):
    """Everything that is prepared stands; the epochs need not be waited for."""


def stop(line):
    if line.startswith("training on"):
        raise StoppedError
