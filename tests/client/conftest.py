"""Real servers in processes of their own, with any limits, that a test may end and start again."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVE = """
import json, sys
from pathlib import Path
from tumorscope.serve import Limits, ServeSettings, serve
told = json.loads(sys.argv[1])
model = told.pop("model")
limits = Limits(**told.pop("limits"))
serve(ServeSettings(model=model and Path(model), limits=limits, **told), on_ready=lambda url: print(url, flush=True))
"""


class Served:
    """A server on one port, that can be ended and started again."""

    def __init__(self, folder, model, limits, settings):
        self._held = socket.socket()  # stays bound, so that nobody else is given this port between two starts
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        port = self._held.getsockname()[1]
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.told = json.dumps({"model": model and str(model), "limits": limits, "port": port, **settings})
        self.process = None
        self.start()

    def start(self):
        own = {"PYTHONPATH": str(ROOT / "src"), "TUMORSCOPE_CACHE": str(self.folder), "OMP_NUM_THREADS": "1"}
        with (self.folder / "log.txt").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, self.told],
                env=os.environ | own,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout.readline().strip() == self.url, (self.folder / "log.txt").read_text()

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """Return a function that starts a server and gives it back."""
    started = []

    def start(model=None, *, limits=None, **settings):
        started.append(Served(tmp_path_factory.mktemp("server"), model, limits or {}, settings))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def shipped(launch):
    """A server with the shipped model."""
    return launch()


@pytest.fixture(scope="module")
def small(launch, quadrant_model):
    """A server that takes three files in a request, and little else."""
    return launch(quadrant_model, limits={"files": 3, "body_bytes": 20_000, "job_files": 40, "jobs": 3})


@pytest.fixture(scope="module")
def scans():
    return ROOT / "examples" / "scans"
