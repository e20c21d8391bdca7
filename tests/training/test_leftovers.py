"""What a killed training leaves half written does not outlive the next start in its folder."""

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("torch")
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
from tumorscope.atomic import replacing
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


class StoppedError(Exception):
    """Everything that is prepared stands; the epochs need not be waited for."""


def stop(line):
    if line.startswith("training on"):
        raise StoppedError
