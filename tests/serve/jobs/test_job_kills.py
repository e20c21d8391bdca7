"""A server that is killed or stopped in the middle loses nothing that it had accepted."""

import os
import random
import signal
import socket
import threading
import time

import httpx
import pytest

from tumorscope.inference import load
from tumorscope.jobs.place import LOCK

SEED = 20


@pytest.fixture
def paths(draw, tmp_path):
    """Pictures that take a while, one of them broken, one named as another."""
    drawn = [draw(f"{number % 100}.png", number % 4, side=800 + number) for number in range(110)]
    (tmp_path / "broken.png").write_bytes(drawn[0].read_bytes()[:100])
    return [*drawn[:50], tmp_path / "broken.png", *drawn[50:]]


@pytest.fixture
def undisturbed(paths, quadrant_model):
    """What `predict` says of the pictures; a server names them without their folder."""
    findings = load(quadrant_model).predict(paths)
    return [
        finding.model_dump() | {"file": path.name, "overlay": None, "layers": None}
        for finding, path in zip(findings, paths, strict=True)
    ]


def submit(machine, files):
    answer = httpx.post(f"{machine.url}/v1/jobs", files=files, timeout=60)
    assert answer.status_code == 202
    return answer.json()["id"]


def end_in_the_middle(machine, job_id, how, wait):
    """End the server after a while and return how far it was said to be, unless the job has ended before."""
    time.sleep(wait)
    document = httpx.get(f"{machine.url}/v1/jobs/{job_id}").json()
    machine.end(how)
    return document


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_goes_on_and_ends_with_the_same_findings(machine, parts, paths, undisturbed, ended, how):
    machine.start()
    job_id = submit(machine, parts(paths))
    before = end_in_the_middle(machine, job_id, how, wait=0.02)
    assert before["status"] in ("queued", "running")
    machine.start()
    after = httpx.get(f"{machine.url}/v1/jobs/{job_id}").json()
    assert after["findings"][: len(before["findings"])] == before["findings"]  # none that was told is taken back
    assert ended(machine.url, job_id)["findings"] == undisturbed
    assert wait_until(lambda: not any(names for _, _, names in os.walk(machine.state / "jobs")))


@pytest.mark.slow
def test_kills_at_random_moments_while_jobs_come_in(machine, parts, paths, undisturbed, ended):
    """Twelve kills; between them jobs are accepted, some of them in the moment of a kill."""
    chance, files, accepted, middles = random.Random(SEED), parts(paths), [], 0
    for _ in range(12):
        machine.start()
        if len(accepted) < 6:
            accepted.append(submit(machine, files))
        cut_off = threading.Thread(target=submit_until_cut_off, args=(machine.url, files, accepted))
        cut_off.start()
        time.sleep(chance.uniform(0, 0.5))
        open_before = [job for job in accepted if is_open(machine.url, job)]
        machine.end(signal.SIGKILL)
        cut_off.join()
        middles += bool(open_before)
    machine.start()
    assert middles >= 6
    for job_id in accepted:
        document = ended(machine.url, job_id)
        assert (document["status"], document["done"], document["findings"]) == ("done", len(paths), undisturbed)
    left = {path.name for path in (machine.state / "jobs").iterdir()}
    assert left == set(accepted)
    assert (machine.state / LOCK).exists()


def submit_until_cut_off(url, files, accepted):
    """Submit one more job; only if the server says 202 it counts."""
    try:
        answer = httpx.post(f"{url}/v1/jobs", files=files, timeout=60)
    except httpx.TransportError:
        return
    if answer.status_code == 202:
        accepted.append(answer.json()["id"])


def is_open(url, job_id):
    return httpx.get(f"{url}/v1/jobs/{job_id}?since=999").json()["status"] in ("queued", "running")


def test_an_upload_that_breaks_off_leaves_nothing(machine, draw):
    machine.start()
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n' + b"1" * 2_000_000
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:{machine.port}\r\nContent-Length: 9000000\r\n"
    folder = machine.state / "jobs"
    with socket.create_connection(("127.0.0.1", machine.port)) as connection:
        connection.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + body)
        assert wait_until(lambda: any(path.stat().st_size > 1_000_000 for path in folder.rglob("files/*")))
    assert wait_until(lambda: not list(folder.iterdir()))


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False
