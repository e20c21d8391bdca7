"""Servers whose process a test may end as it likes, and apps in this process."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tumorscope.serve.jobs.kinds import KINDS, ServedKind
from tumorscope.serve.uploads import Upload

SOURCE = Path(__file__).parents[3] / "src"
MAIN = "from tumorscope.cli import main; main()"


class Machine:
    """One place where servers run, one after the other: the same port, the same cache."""

    def __init__(self, folder, *arguments):
        self.folder, self.arguments = folder, [*map(str, arguments)]
        self.cache = folder / "cache"
        self._held = socket.socket()  # stays bound, so that nobody else is given this port between two starts
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port = self._held.getsockname()[1]
        self.process = None
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, *arguments):
        command = [sys.executable, "-c", MAIN, "serve", "--port", str(self.port), *self.arguments, *arguments]
        own = {"PYTHONPATH": str(SOURCE), "TUMORSCOPE_CACHE": str(self.cache), "OMP_NUM_THREADS": "1"}
        log = (self.folder / "log.txt").open("a")
        self.process = subprocess.Popen(command, env=os.environ | own, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout.readline().strip() == self.url, (self.folder / "log.txt").read_text()

    def end(self, how=signal.SIGTERM):
        """Send a signal and wait for the end."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process.stdout.close()
            self.process = None

    @property
    def state(self):
        """Where this machine's jobs lie without --keep."""
        return self.cache / "tumorscope" / "serve" / f"127.0.0.1-{self.port}"


@pytest.fixture
def machine(tmp_path, quadrant_model):
    """A machine whose server has the model of quadrants; not started."""
    one = Machine(tmp_path, "--model", quadrant_model)
    yield one
    one.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def quick(tmp_path_factory, quadrant_model):
    """A running server with the model of quadrants, for the tests of a module."""
    one = Machine(tmp_path_factory.mktemp("quick"), "--model", quadrant_model)
    one.start()
    yield one
    one.end(signal.SIGKILL)


@pytest.fixture
def app(tmp_path, quadrant_model, monkeypatch):
    """Return a function that opens an app in this process; each of one test has the same state folder."""
    monkeypatch.setenv("TUMORSCOPE_CACHE", str(tmp_path / "cache"))

    @asynccontextmanager
    async def opened(**settings):
        from tumorscope.serve import Limits, ServeSettings, create_app

        limits = Limits(**settings.pop("limits", {}))
        made = create_app(ServeSettings(**{"model": quadrant_model, "limits": limits, **settings}))
        async with made.router.lifespan_context(made):
            yield made

    return opened


class Desk:
    """Hands jobs in at the desk of an app of this process, and asks for what came of them."""

    def __init__(self, monkeypatch):
        self._monkeypatch = monkeypatch

    def works_by(self, run):
        """Let the desk know a kind of job, 'other', that `run` works on."""
        self._monkeypatch.setitem(KINDS, "other", ServedKind(lambda work, _service: run(work), "/v1/others"))

    async def submit(self, app, paths, *, overlay=False, model=None, channels="one"):
        """Submit files for findings, as a route does once they are received."""
        async with app.state.jobs.accepting("findings") as draft:
            uploads = [Upload(path.name, draft.files / f"r{number}") for number, path in enumerate(paths)]
            for upload, path in zip(uploads, paths, strict=True):
                shutil.copy(path, upload.path)
            sha256 = model or app.state.service.model.file.sha256
            return await draft.submit(uploads, options={"model": sha256, "channels": channels, "overlay": overlay})

    async def until(self, jobs, job_id, is_so):
        """Return a job once something is so of it; what was told before is seen, too."""
        with jobs.listening(job_id) as subscription:
            job = await jobs.get(job_id)
            while not is_so(job):
                job = await subscription.wait(20)
                assert job is not None, "nothing was told for too long"
            return job

    async def end_of(self, jobs, job_id):
        """Return a job once it has ended."""
        return await self.until(jobs, job_id, lambda job: not job.is_open)

    async def found(self, jobs, job_id):
        """Return the findings of a job."""
        return [json.loads(entry) for entry in await jobs.entries(job_id)]


@pytest.fixture
def desk(monkeypatch):
    """What tests do at the desk of an app."""
    return Desk(monkeypatch)


@pytest.fixture
def parts():
    """Return a function that makes the parts of a multipart body of paths."""

    def make(paths):
        return [("files", (Path(path).name, Path(path).read_bytes())) for path in paths]

    return make


@pytest.fixture
def ended():
    """Return a function that asks until a job has ended."""

    def wait(url, job_id, seconds=60):
        for _ in range(seconds * 20):
            document = httpx.get(f"{url}/v1/jobs/{job_id}").json()
            if document["status"] not in ("queued", "running"):
                return document
            asyncio.run(asyncio.sleep(0.05))
        raise AssertionError(f"the job has not ended: {document}")

    return wait
