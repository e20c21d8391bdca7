"""What the server tells of itself: counted by our own words, without anything that a client said."""

import logging

import httpx
import pytest

SECRET = "Erika-Muster-1970"


@pytest.fixture
def client(here):
    with httpx.Client(base_url=here().address, timeout=30) as client:
        yield client


def metrics(client):
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_requests_findings_and_refusals_are_counted(client, draw):
    data = draw("a.png", 0).read_bytes()
    client.post("/v1/findings", files=[("files", data), ("files", b"none"), ("files", data)])
    client.post("/v1/findings", files=[("other", data)])
    client.get(f"/{SECRET}")
    said = metrics(client)
    assert said['tumorscope_requests_total{method="POST",route="/v1/findings",status="200"}'] == 1
    assert said['tumorscope_requests_total{method="POST",route="/v1/findings",status="422"}'] == 1
    assert said['tumorscope_requests_total{method="GET",route="none",status="404"}'] == 1
    assert said['tumorscope_findings_total{status="ok"}'] == 2
    assert said['tumorscope_findings_total{status="error"}'] == 1
    assert said['tumorscope_refused_total{problem="wrong-input"}'] == 1
    assert said['tumorscope_request_seconds_count{route="/v1/findings"}'] == 2
    assert said["tumorscope_batch_files_sum"] == 3
    assert said["tumorscope_queue_files"] == 0
    assert said["tumorscope_requests_inside"] == 0


def test_refusals_of_every_layer_are_counted(client):
    client.get("/v1/models", headers={"host": "evil.example"})
    client.post("/v1/findings", headers={"origin": "null"})
    client.post("/v1/findings", headers={"content-type": "text/plain"}, content=b"x")
    said = metrics(client)
    for problem in ("bad-host", "foreign-origin", "wrong-content-type"):
        assert said[f'tumorscope_refused_total{{problem="{problem}"}}'] == 1


def test_nothing_that_a_client_said_is_logged_or_counted(client, draw, caplog):
    caplog.set_level(logging.DEBUG, "tumorscope")
    logging.getLogger("tumorscope.serve").propagate = True
    files = {"files": (f"{SECRET}.png", draw("a.png", 0).read_bytes())}
    client.post(f"/v1/findings?{SECRET}=1&channels={SECRET}", files=files, headers={"x-secret": SECRET})
    client.post("/v1/findings", files=files)
    client.post("/v1/findings", files={SECRET: b"x"}, headers={"user-agent": SECRET})
    client.request("PROPFIND", f"/{SECRET}")
    client.get(f"/v1/jobs/{SECRET}")
    text = caplog.text + client.get("/metrics").text
    assert "POST /v1/findings 200" in caplog.text
    assert "Erika" not in text
    assert 'method="other"' in text
