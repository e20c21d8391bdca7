"""An audit whose server is killed: its process ends too, and the next server begins the audit again and ends it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

SOURCE = Path(__file__).parents[3] / "src"
MAIN = "from tumorscope.cli import main; main()"


@pytest.fixture
def start(planted, quadrant_model, tmp_path):
    """Return a function that starts a server that keeps its jobs in one folder, and gives process and client."""
    running = []

    def started():
        command = [sys.executable, "-c", MAIN, "serve", "--port", "0", "--keep", tmp_path / "kept",
                   "--data-root", planted[0].parent, "--model", quadrant_model]  # fmt: skip
        variables = os.environ | {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(list(map(str, command)), env=variables, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process, httpx.Client(base_url=process.stdout.readline().strip(), timeout=120)

    yield started
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_an_audit_survives_the_death_of_its_server(start, planted):
    process, client = start()
    links = client.post("/v1/audits", json={"path": planted[0].name}).json()["links"]
    _until(lambda: client.get(links["self"]).json()["stage"] not in ("", "looking"))
    workers = _workers(process.pid)
    assert len(workers) == 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    _until(lambda: not any(_is_alive(worker) for worker in workers))
    _, client = start()
    client.get(links["events"])
    made = client.get(links["self"]).json()
    assert (made["status"], made["audit"]["leaks"]["near"]) == ("done", 12)


def _workers(parent):
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_child = f"PPid:\t{parent}\n" in (entry / "status").read_text()
            if is_child and b"audits.worker" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def _is_alive(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def _until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
