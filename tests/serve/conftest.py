"""Real servers in processes of their own, on free loopback ports, and the planted phantom set."""

import os
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
MAIN = "from tumorscope.cli import main; main()"
LOG = "epoch,loss,val_accuracy,val_loss\n1,0.9,0.5,0.8\n2,0.5,0.75,nan\n3,0.25,0.875,0.25\n"
RECIPE = "run:\n  data: [/somewhere/else/shapes]\n  split: grouped\nrecipe:\n  name: mine\n"


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Return a function that starts ``tumorscope serve`` and gives its address; all of them end with the tests."""
    with ExitStack() as running:

        def start(*arguments, **environment):
            return running.enter_context(_serving(tmp_path_factory.mktemp("served"), arguments, environment))

        yield start


@pytest.fixture(scope="session")
def planted(tmp_path_factory):
    """The phantom set with planted twins, and what was planted."""
    from tumorscope.demo import plant_leaks

    folder = tmp_path_factory.mktemp("roots") / "data" / "phantom-set"
    return folder, plant_leaks(folder)


@pytest.fixture
def inbox(tmp_path, monkeypatch):
    """The folder for temporary things of the servers of this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def here(inbox, quadrant_model):
    """Return a function that serves in a thread of this process, with any settings and limits; gives the server."""
    from tumorscope.serve.server import Server
    from tumorscope.serve.settings import Limits, ServeSettings

    with ExitStack() as running:

        def start(limits=None, **settings):
            chosen = {"port": 0, "model": quadrant_model, "limits": Limits(**(limits or {}))} | settings
            return running.enter_context(_in_thread(Server, ServeSettings(**chosen)))

        yield start


@contextmanager
def _in_thread(server_class, settings):
    ready = threading.Event()
    server = server_class(settings, on_ready=lambda _: ready.set())
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    try:
        assert ready.wait(20), "the server did not start"
        yield server
    finally:
        server.stop()
        thread.join(40)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory, quadrant_model):
    """A data root with one set, and a folder of runs made of it: a run, an evaluation, a study."""
    from tumorscope.catalog.phantom import write_phantom
    from tumorscope.evaluation import evaluate_data
    from tumorscope.inference import load
    from tumorscope.pages.evaluation import write_evaluation

    place = tmp_path_factory.mktemp("evaluated")
    data, runs = place / "data" / "shapes", place / "runs"
    write_phantom(data, 96, seed=3, side=64)
    write_evaluation(evaluate_data(load(quadrant_model), data, split="all", command="as tested"), runs / "first")
    (runs / "first" / "log.csv").write_text(LOG)
    (runs / "first" / "recipe.yaml").write_text(RECIPE)
    shutil.copytree(runs / "first", runs / "study" / "runs" / "a" / "grouped-seed0")
    (runs / "study" / "study.db").write_bytes(b"")
    (runs / "study" / "leaderboard.csv").write_text("run,protocol,value\na,honest,0.9\nb,honest,0.8\n")
    (runs / "evaluated").mkdir()
    for name in ("metrics.json", "report.html", "findings.csv"):
        shutil.copy(runs / "first" / name, runs / "evaluated")
    return place


@contextmanager
def _serving(cache, arguments, environment):
    command = [sys.executable, "-c", MAIN, "serve", "--port", "0", *map(str, arguments)]
    path = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    variables = os.environ | {"PYTHONPATH": path, "TUMORSCOPE_CACHE": str(cache), "OMP_NUM_THREADS": "1"} | environment
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), "the server did not start"
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
