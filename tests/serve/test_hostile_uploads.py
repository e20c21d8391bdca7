"""A short run of the benchmark that sends what nobody should send; the long one is ``benchmarks/serve_hostile.py``."""

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def hostile():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        spec = importlib.util.spec_from_file_location("serve_hostile", BENCHMARKS / "serve_hostile.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    for name in ("serving", "record"):
        sys.modules.pop(name, None)


def test_no_hostile_upload_is_a_server_error_and_nothing_stays(hostile, tmp_path):
    with hostile.serving(temporary=tmp_path) as server:
        said = asyncio.run(hostile.attack(server, tmp_path, uploads=400, clients=8, seed=1))
        assert server.process.poll() is None
    assert said["server_errors"] == said["unanswered"] == 0
    assert said["good_pictures_answered_otherwise"] == 0
    assert set(said["statuses"]) <= {"200", "400", "404", "405", "413", "415", "422", "429", "broken off"}
    assert said["entries"]["error"] > said["entries"]["ok"] > 0
    last = said["looks"][-1]
    assert last["temporary_files"] <= 1  # a lock
    assert last["open_files"] < 64
