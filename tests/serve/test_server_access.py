"""Who may ask: hosts, origins, keys, and what a browser is told."""

import socket

import httpx
import pytest

from tumorscope.errors import UsageError
from tumorscope.serve.settings import ServeSettings

KEY = "a-key-of-24-characters-x"
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def client(served, quadrant_model):
    with httpx.Client(base_url=served("--model", quadrant_model), timeout=30) as client:
        yield client


def of_kind(answer, status, name):
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    document = answer.json()
    assert document["type"] == (f"urn:tumorscope:problem:{name}" if name else "about:blank")
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "10.0.0.1", "", "[::"])
def test_a_foreign_host_name_is_refused(client, host):
    of_kind(client.get("/v1/models", headers={"host": host}), 400, "bad-host")


@pytest.mark.parametrize("host", ["localhost:1234", "127.0.0.1", "[::1]:80", "127.9.9.9", "LOCALHOST"])
def test_names_of_this_machine_are_taken(client, host):
    assert client.get("/v1/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "not an origin ["},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_what_another_site_asks_for_is_refused(client, headers):
    files = {"files": ("a.png", b"x")}
    of_kind(client.post("/v1/findings", files=files, headers=headers), 403, "foreign-origin")
    of_kind(client.delete("/v1/jobs/x", headers=headers), 403, "foreign-origin")
    assert client.get("/healthz", headers=headers).status_code == 200, "reading changes nothing"


@pytest.fixture(scope="module")
def behind(served, quadrant_model):
    """A server behind a gateway of the name scans.example."""
    with httpx.Client(
        base_url=served("--model", quadrant_model, "--allow-host", "Scans.example"), timeout=30
    ) as client:
        yield client


@pytest.mark.parametrize("host", ["scans.example", "SCANS.example:443", "127.0.0.1"])
def test_the_page_of_a_gateway_may_ask_whatever_host_the_gateway_names(behind, host):
    headers = {"host": host, "origin": "https://scans.example"}
    assert behind.post("/v1/findings", files={"files": ("a.png", b"x")}, headers=headers).status_code == 200


def test_no_other_name_and_no_other_origin_comes_in_by_a_gateway(behind, client):
    files = {"files": ("a.png", b"x")}
    of_kind(behind.get("/v1/models", headers={"host": "evil.example"}), 400, "bad-host")
    of_kind(behind.post("/v1/findings", files=files, headers={"origin": "https://evil.example"}), 403, "foreign-origin")
    gateway = {"host": "scans.example", "origin": "https://scans.example"}
    of_kind(client.post("/v1/findings", files=files, headers=gateway), 400, "bad-host")


def test_the_own_page_may_ask(client):
    origin = str(client.base_url).rstrip("/")
    answer = client.post("/v1/findings", files={"files": ("a.png", b"x")}, headers={"origin": origin})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/models", "/metrics", "/openapi.json"])
def test_every_answer_binds_the_browser(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "server" not in headers


@pytest.fixture(scope="module")
def guarded(served, quadrant_model):
    with httpx.Client(base_url=served("--model", quadrant_model, TUMORSCOPE_API_KEY=KEY), timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/v1/jobs/x"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"x-api-key": KEY[:-1]}, {"x-api-key": KEY + "x"}, {"authorization": f"Basic {KEY}"}, {"x-api-key": "\xe9"}],
)
def test_without_the_key_nothing_is_told(guarded, path, headers):
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = guarded.get(path, headers=encoded)
    of_kind(answer, 401, "no-key")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("headers", [{"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}])
def test_with_the_key_it_is(guarded, headers):
    assert guarded.get("/v1/models", headers=headers).status_code == 200


def test_the_probes_need_no_key(guarded):
    assert [guarded.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_errors_are_problem_documents(client):
    of_kind(client.get("/nowhere"), 404, None)
    answer = client.put("/v1/models")
    of_kind(answer, 405, None)
    assert answer.headers["allow"] == "GET"
    document = of_kind(client.post("/v1/findings?channels=two", files={"files": b"x"}), 422, "wrong-input")
    assert document["errors"][0]["where"] == "query.channels"


def test_what_is_no_http_is_told_so(client):
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=5) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        said = raw.makefile("rb").read().decode()
    assert said.startswith("HTTP/1.1 400 Bad Request")
    assert PROBLEM in said


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_another_host_needs_a_key_or_trust(host):
    with pytest.raises(UsageError, match="lets other machines in; give --api-key"):
        ServeSettings(host=host).check()
    ServeSettings(host=host, api_key=KEY).check()
    ServeSettings(host=host, trust_network=True).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.3.2.1"])
def test_this_machine_needs_none(host):
    ServeSettings(host=host).check()


@pytest.mark.parametrize("key", ["short", "\u00e9" * 20, ""])
def test_a_key_that_can_be_guessed_is_refused(key):
    with pytest.raises(UsageError, match="the API key is shorter than 16"):
        ServeSettings(api_key=key).check()


def test_the_key_is_not_shown_with_the_settings():
    assert KEY not in repr(ServeSettings(api_key=KEY))
