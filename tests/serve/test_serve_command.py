"""The verb: what it refuses, what it says, how it stops, and what it leaves."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

SOURCE = Path(__file__).parents[2] / "src"
HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
"""A shell lets what it starts in the background ignore interrupts, tests and all."""
MAIN = HEARS + "from tumorscope.cli import main; main()"
KEY = "a-key-of-24-characters-x"
HEAVY = ("pandas", "matplotlib", "sklearn", "scipy", "torch", "nibabel", "pydicom", "httpx")


@pytest.fixture
def verb(tmp_path):
    """Return a function that starts the verb in a process of its own."""
    started = []

    def start(*arguments, **environment):
        temporary = tmp_path / "temporary"
        temporary.mkdir(exist_ok=True)
        own = {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "TMPDIR": str(temporary)}
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve", *map(str, arguments)],
            env=os.environ | own | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address_of(process):
    address = process.stdout.readline().strip()
    assert address.startswith("http://"), process.stderr.read()
    return address


def refused(process):
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("tumorscope: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 lets other machines in; give --api-key KEY"),
        (["--api-key", "short"], "the API key is shorter than 16 characters"),
        (["--data-root", "nowhere"], "nowhere: is not a folder; give a folder that is there"),
        (["--model", "nowhere.onnx", "--port", "0"], "nowhere.onnx: is not a file"),
        (["--port", "70000"], "less than or equal to 65535"),
        (["--host", "no.such.host.invalid", "--trust-network"], "cannot listen on no.such.host.invalid:8000"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(verb, arguments, said):
    assert said in refused(verb(*arguments))


def test_without_the_extra_it_says_what_to_install():
    code = "import sys; sys.modules['uvicorn'] = None; from tumorscope.cli import run; sys.exit(run(['serve']))"
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "tumorscope: the server needs uvicorn; install it with: pip install 'tumorscope[serve]'\n"


def test_a_port_that_is_taken_is_told(verb):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port} (address already in use)" in refused(verb("--port", port))


def test_listening_beyond_this_machine_is_said_loudly(verb):
    process = verb("--host", "0.0.0.0", "--port", 0, TUMORSCOPE_API_KEY=KEY)
    port = address_of(process).rpartition(":")[2]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert client.get("/v1/models").status_code == 401
        assert client.get("/v1/models", headers={"x-api-key": KEY, "host": "gateway.example"}).status_code == 200
    process.terminate()
    err = process.communicate(timeout=30)[1]
    assert err.startswith("WARNING: http://0.0.0.0:")
    assert "can be reached from other machines" in err
    assert KEY not in err
    assert process.returncode == 0


def test_trust_is_said_louder(verb):
    process = verb("--host", "0.0.0.0", "--port", 0, "--trust-network")
    address_of(process)
    process.terminate()
    assert "anybody who reaches" in process.communicate(timeout=30)[1]


def test_a_stop_finishes_what_runs_and_takes_nothing_new(verb, tmp_path):
    process = verb("--port", 0)
    address = address_of(process)
    noise = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (1200, 1200), np.uint8))[1].tobytes()
    running = []
    with httpx.Client(base_url=address, timeout=60) as client, httpx.Client(base_url=address, timeout=60) as other:
        assert other.get("/readyz").json() == {"status": "ready"}
        files = [("files", ("Erika Muster.png", noise))] * 40
        thread = threading.Thread(target=lambda: running.append(client.post("/v1/findings", files=files)))
        thread.start()
        while "tumorscope_requests_inside 1.0" not in other.get("/metrics").text:
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        while (ready := other.get("/readyz")).status_code == 200:
            time.sleep(0.005)
        refused = other.post("/v1/findings", files=files[:1])
        thread.join()
    assert (ready.status_code, ready.json()["type"]) == (503, "urn:tumorscope:problem:stopping")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:tumorscope:problem:stopping")
    assert [finding["status"] != "error" for finding in running[0].json()["findings"]] == [True] * 40
    err = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    assert "POST /v1/findings 200" in err
    assert "Erika" not in err
    assert [path.name for path in (tmp_path / "temporary").iterdir()] == []


def test_a_second_signal_does_not_wait(verb):
    process = verb("--port", 0)
    address = address_of(process)
    noise = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (1200, 1200), np.uint8))[1].tobytes()

    def ask():
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(f"{address}/v1/findings", files=[("files", noise)] * 40, timeout=60)

    thread = threading.Thread(target=ask)
    thread.start()
    with httpx.Client(base_url=address, timeout=60) as other:
        while "tumorscope_requests_inside 1.0" not in other.get("/metrics").text:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        while other.get("/readyz").status_code == 200:  # two signals at once would count as one
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    thread.join()
    assert process.returncode == 130


def test_what_a_killed_server_left_goes_with_the_next(verb, tmp_path):
    first = verb("--port", 0)
    address_of(first)
    assert [path.name[:12] for path in (tmp_path / "temporary").iterdir()] == [".tumorscope-"]
    first.kill()
    first.wait()
    second = verb("--port", 0)
    address_of(second)
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    second.terminate()
    second.wait(30)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_folder_that_cannot_keep_is_told(verb, tmp_path):
    (tmp_path / "kept").write_text("a file")
    process = verb("--port", 0, "--keep", tmp_path / "kept")
    err = process.communicate(timeout=60)[1]
    assert process.returncode in (1, 2)
    assert "kept" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("name", "is_folder"), [("uploads", False), ("findings.jsonl", True), ("jobs/jobs.db", False)])
def test_a_folder_of_something_else_is_told_in_one_line(verb, tmp_path, name, is_folder):
    path = tmp_path / "kept" / name
    path.parent.mkdir(parents=True)
    path.mkdir() if is_folder else path.write_text("something else")
    process = verb("--port", 0, "--keep", tmp_path / "kept")
    out, err = process.communicate(timeout=60)
    assert process.returncode in (1, 2)
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "--keep" in err


def test_the_server_starts_without_what_it_does_not_need():
    code = f"import sys, tumorscope.serve.server; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
