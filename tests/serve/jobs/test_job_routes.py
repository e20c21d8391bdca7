"""The routes of jobs, over HTTP, against a real server with the model of quadrants."""

import asyncio
import base64
import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import cv2
import httpx
import numpy as np
import pytest

from tumorscope.serve.jobs.findings import overlay_path
from tumorscope.serve.routes import jobs as routes

BROKEN = {"content-type": "multipart/form-data; boundary=x"}


def test_a_job_is_accepted_and_told_of_as_promised(quick, parts, draw, ended):
    paths = [draw(f"{quadrant}.png", quadrant) for quadrant in range(4)]
    answer = httpx.post(f"{quick.url}/v1/jobs", files=parts(paths))
    document = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == document["links"]["self"] == f"/v1/jobs/{document['id']}"
    assert document["links"]["events"] == f"/v1/jobs/{document['id']}/events"
    assert (document["status"], document["total"], document["done"]) == ("queued", 4, 0)
    assert document["created"].endswith("Z")
    done = ended(quick.url, document["id"])
    assert (done["status"], done["done"], done["error"]) == ("done", 4, None)
    assert done["expires"] > done["ended"] >= done["created"]
    assert [finding["file"] for finding in done["findings"]] == ["0.png", "1.png", "2.png", "3.png"]
    assert [finding["label"] for finding in done["findings"]] == ["glioma", "meningioma", "notumor", "pituitary"]
    assert all(finding["overlay"] is None and finding["layers"] is None for finding in done["findings"])


def test_findings_are_those_of_the_route_for_findings(quick, parts, draw, ended):
    paths = [draw("0.png", 0), draw("none.png"), draw("12.png", 1, 2)]
    (paths[0].parent / "junk.png").write_text("no picture")
    files = parts([*paths, paths[0].parent / "junk.png"])
    at_once = httpx.post(f"{quick.url}/v1/findings?overlay=png", files=files).json()["findings"]
    job = httpx.post(f"{quick.url}/v1/jobs?overlay=png", files=files).json()
    ended(quick.url, job["id"])
    assert httpx.get(f"{quick.url}/v1/jobs/{job['id']}?overlay=png").json()["findings"] == at_once
    assert at_once[3]["status"] == "error"
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(at_once[0]["overlay"]), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (256, 256, 3)
    without = httpx.get(f"{quick.url}/v1/jobs/{job['id']}").json()["findings"]
    assert without == [finding | {"overlay": None} for finding in at_once]


def test_findings_come_from_where_one_asks(quick, parts, draw, ended):
    job = httpx.post(f"{quick.url}/v1/jobs", files=parts([draw(f"{number}.png", 1) for number in range(5)])).json()
    ended(quick.url, job["id"])

    def since(number):
        document = httpx.get(f"{quick.url}/v1/jobs/{job['id']}", params={"since": number}).json()
        return [finding["file"] for finding in document["findings"]], document["next"], document["more"]

    assert since(3) == (["3.png", "4.png"], 5, False)
    assert since(5) == ([], 5, False)
    assert since(99) == ([], 99, False)
    refused = httpx.get(f"{quick.url}/v1/jobs/{job['id']}?since=-1")
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")


def test_overlays_come_in_pages(quick, parts, draw, ended):
    picture = draw("x.png", 3)
    job = httpx.post(f"{quick.url}/v1/jobs?overlay=png", files=parts([picture] * 103)).json()
    ended(quick.url, job["id"])
    first = httpx.get(f"{quick.url}/v1/jobs/{job['id']}?overlay=png").json()
    assert (len(first["findings"]), first["next"], first["more"]) == (100, 100, True)
    rest = httpx.get(f"{quick.url}/v1/jobs/{job['id']}?overlay=png&since=100").json()
    assert (len(rest["findings"]), rest["next"], rest["more"]) == (3, 103, False)
    assert {finding["overlay"] for finding in rest["findings"]} == {first["findings"][0]["overlay"]}
    assert len(httpx.get(f"{quick.url}/v1/jobs/{job['id']}").json()["findings"]) == 103


def test_large_pictures_come_in_shorter_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(routes, "PAGE_BYTES", 100)
    for position, size in enumerate((60, 40, 1, 500, 90)):
        overlay_path(tmp_path, position).write_bytes(b"x" * size)
    assert [routes._fitting(tmp_path, since, 6 - since) for since in range(6)] == [2, 2, 1, 1, 2, 1]


def events_of(url, job_id, seen=None):
    headers = {} if seen is None else {"Last-Event-ID": str(seen)}
    with httpx.stream("GET", f"{url}/v1/jobs/{job_id}/events", headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        blocks = answer.read().decode().strip().split("\n\n")
    assert blocks[0] == "retry: 1000"
    pairs = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks[1:]]
    return [(pair["event"], int(pair["id"]), json.loads(pair["data"])) for pair in pairs if "event" in pair]


def test_events_tell_of_every_step_until_the_end(quick, parts, draw):
    job = httpx.post(f"{quick.url}/v1/jobs", files=parts([draw("x.png", 1)] * 60)).json()
    told = events_of(quick.url, job["id"])
    names, numbers, documents = zip(*told, strict=True)
    assert names[-1] == "end"
    assert set(names[:-1]) <= {"progress"}
    assert list(numbers) == sorted(set(numbers))
    assert [document["done"] for document in documents] == sorted(document["done"] for document in documents)
    assert (documents[-1]["status"], documents[-1]["done"]) == ("done", 60)


def test_who_comes_back_hears_only_what_is_new(quick, parts, draw, ended):
    job = httpx.post(f"{quick.url}/v1/jobs", files=parts([draw("x.png", 1)])).json()
    ended(quick.url, job["id"])
    ((name, last, document),) = events_of(quick.url, job["id"])
    assert (name, document["status"]) == ("end", "done")
    assert [event[0] for event in events_of(quick.url, job["id"], seen=last - 1)] == ["end"]
    assert [event[0] for event in events_of(quick.url, job["id"], seen="no number")] == ["end"]
    nothing_more = httpx.get(f"{quick.url}/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": str(last)})
    assert nothing_more.status_code == 204


def test_many_listen_at_one_time_and_some_leave(quick, parts, draw):
    job = httpx.post(f"{quick.url}/v1/jobs", files=parts([draw("x.png", 1, side=800)] * 60)).json()

    async def listen(client, leaves):
        async with client.stream("GET", f"/v1/jobs/{job['id']}/events") as answer:
            text = ""
            async for piece in answer.aiter_text():
                text += piece
                if leaves and "event:" in text:
                    return None
        return text.rstrip().rpartition("\n\n")[2].splitlines()[0]

    async def run():
        limits = httpx.Limits(max_connections=60)
        async with httpx.AsyncClient(base_url=quick.url, timeout=60, limits=limits) as client:
            return await asyncio.gather(*(listen(client, number % 2 == 0) for number in range(50)))

    told = asyncio.run(run())
    assert told[1::2] == ["event: end"] * 25
    assert told[::2] == [None] * 25


def test_a_listener_that_leaves_is_forgotten_while_the_job_runs(quick, parts, draw):
    job = httpx.post(f"{quick.url}/v1/jobs", files=parts([draw("x.png", 1, side=1500)] * 100)).json()

    def metric(name):
        lines = httpx.get(f"{quick.url}/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(name))

    with ExitStack() as listening, httpx.Client(timeout=30) as client:
        url, streams = f"{quick.url}/v1/jobs/{job['id']}/events", []
        for _ in range(8):
            streams.append(listening.enter_context(client.stream("GET", url)).iter_bytes())
            assert next(streams[-1]).startswith(b"retry")
        assert (metric("tumorscope_jobs_listeners"), metric("tumorscope_jobs_open")) == (8, 1)
    deadline = time.monotonic() + 5
    while (left := metric("tumorscope_jobs_listeners")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (left, metric("tumorscope_jobs_open")) == (0, 1)
    httpx.delete(f"{quick.url}/v1/jobs/{job['id']}")
    assert metric("tumorscope_jobs_open") == 0


def test_a_removed_job_is_gone_and_its_listeners_hear_of_it(quick, parts, draw):
    job = httpx.post(f"{quick.url}/v1/jobs", files=parts([draw("x.png", 1, side=1500)] * 100)).json()
    url = f"{quick.url}/v1/jobs/{job['id']}"
    with httpx.stream("GET", f"{url}/events", timeout=30) as listening:
        assert httpx.delete(url).status_code == 204
        last = listening.read().decode().rstrip().rpartition("\n\n")[2]
    assert last.startswith("event: end")
    assert '"status": "cancelled"' in last
    for gone in (httpx.get(url), httpx.delete(url), httpx.get(f"{url}/events")):
        assert gone.status_code == 404
        assert gone.headers["content-type"] == "application/problem+json"
        assert "submit it again" in gone.json()["detail"]
    assert not any(job["id"] in path.name for path in quick.state.rglob("*"))


def test_one_picture_is_answered_soon_while_a_job_runs(quick, parts, draw):
    single = parts([draw("single.png", 0)])
    job = httpx.post(f"{quick.url}/v1/jobs", files=parts([draw("x.png", 1, side=1000)] * 200)).json()
    for _ in range(3):
        assert httpx.post(f"{quick.url}/v1/findings", files=single).json()["findings"][0]["label"] == "glioma"
    assert httpx.get(f"{quick.url}/v1/jobs/{job['id']}").json()["status"] == "running"
    assert httpx.delete(f"{quick.url}/v1/jobs/{job['id']}").status_code == 204


@pytest.mark.parametrize(
    ("arguments", "status", "type_", "says"),
    [
        ({"data": {"a": "1"}}, 415, "wrong-content-type", "multipart"),
        ({"files": [("other", ("x", b"1"))]}, 422, "wrong-input", "'files'"),
        ({"content": b"--x\r\nbroken", "headers": BROKEN}, 400, "bad-body", "send it again"),
        ({"files": [("files", ("x", b"1"))], "params": {"overlay": "gif"}}, 422, "wrong-input", "png"),
    ],
)  # fmt: skip
def test_what_is_no_job_is_refused_and_leaves_nothing(quick, arguments, status, type_, says):
    before = sorted((quick.state / "jobs").iterdir())
    refused = httpx.post(f"{quick.url}/v1/jobs", **arguments)
    problem = refused.json()
    assert (refused.status_code, problem["status"]) == (status, status)
    assert problem["type"].endswith(type_)
    assert says in problem["detail"]
    assert sorted((quick.state / "jobs").iterdir()) == before


def test_a_second_server_on_the_same_folder_says_so_in_one_line(machine, tmp_path):
    machine.arguments += ["--keep", str(tmp_path / "kept")]
    machine.start()
    command = [sys.executable, "-c", "from tumorscope.cli import main; main()", "serve", "--port", "0", "--keep"]
    second = subprocess.run([*command, tmp_path / "kept"], check=False, capture_output=True, text=True, timeout=60)
    assert second.returncode == 2
    assert "another server keeps its jobs here; stop that one" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_a_server_that_stops_lets_its_listeners_go_at_once(machine, draw, parts):
    machine.start()
    job = httpx.post(f"{machine.url}/v1/jobs", files=parts([draw("x.png", 1, side=1200)] * 100)).json()
    with httpx.stream("GET", f"{machine.url}/v1/jobs/{job['id']}/events", timeout=30) as listening:
        pieces = listening.iter_text()
        assert "progress" in next(pieces) + next(pieces)
        start = time.perf_counter()
        machine.process.send_signal(signal.SIGTERM)
        assert "event: end" not in "".join(pieces)
        assert time.perf_counter() - start < 4  # after five seconds the server would cut the line
    machine.end()
