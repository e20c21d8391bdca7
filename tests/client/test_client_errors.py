"""What goes wrong between a client and a server: each an error of ours whose line says what to do."""

import http.server
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest

import tumorscope
from tumorscope.client.answers import RemoteFindings, named
from tumorscope.client.events import Event, EventReader
from tumorscope.client.flows import _seconds
from tumorscope.client.multipart import Multipart
from tumorscope.client.sources import Source, list_sources
from tumorscope.errors import (
    AccessError,
    BusyError,
    ConnectionLostError,
    GoneError,
    ScanError,
    ServerError,
    TooLargeError,
    UnreachableError,
    UsageError,
)

KEY = "correct-horse-battery"


@pytest.fixture(scope="module")
def answering():
    """Return a function that starts something that is no tumorscope: it answers every request alike."""
    servers = []

    def start(status, body, **headers):
        class Alike(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Alike)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
        server.server_close()


def test_no_server():
    with tumorscope.Client("http://127.0.0.1:9") as client:
        assert not client.ready()
        start = time.perf_counter()
        with pytest.raises(UnreachableError, match=r"^http://127\.0\.0\.1:9: no server answers .*; start one"):
            client.findings(b"x")
        assert time.perf_counter() - start < 30


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
def test_no_address(url):
    with pytest.raises(UsageError, match="is no address of a server; write it as http://127"):
        tumorscope.Client(url)


def test_a_key_is_asked_for(launch, quadrant_model):
    server = launch(quadrant_model, api_key=KEY)
    with tumorscope.Client(server.url, KEY) as client:
        assert client.ready()
        assert client.models()[0].name == "quadrants"
    for wrong in (None, KEY + "x"):
        with tumorscope.Client(server.url, wrong) as client:
            with pytest.raises(AccessError, match=r"send the key .*; give the key of the server: Client\(") as refused:
                client.models()
            assert refused.value.status == 401


def test_models_come_with_their_cards_and_the_limits_of_the_server(small):
    with tumorscope.Client(small.url) as client:
        (model,) = client.models()
    assert (model.name, model.classes) == ("quadrants", ("glioma", "meningioma", "notumor", "pituitary"))
    assert model.card["metrics"]["squares, test"]["auc"]["interval"] == [0.85, 0.94]
    assert model.flags["abstain"] == "too close to call"
    assert (model.limits["files"], model.limits["job_files"]) == (3, 40)


def test_a_busy_server_is_asked_again(launch, quadrant_model, draw):
    server, picture = launch(quadrant_model, limits={"requests": 1}), draw("x.png", 1, side=1500)
    with tumorscope.Client(server.url, parallel=6) as client, ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(client.findings, picture) for _ in range(18)]
        assert [answer.result()[0].label for answer in asked] == ["meningioma"] * 18
    refused = [line for line in (server.folder / "log.txt").read_text().splitlines() if " 429 " in line]
    assert refused, "the server was never busy: the test shows nothing"


def test_patience_ends(answering):
    busy = answering(429, b'{"detail": "ask again in 1 s"}', **{"Retry-After": "1"})
    with tumorscope.Client(busy, patience=0.5) as client:
        start = time.perf_counter()
        with pytest.raises(BusyError, match="ask again in 1 s; ask again later, or let Client wait longer"):
            client.models()
        assert time.perf_counter() - start < 0.9  # it knows that a second is too long
    with tumorscope.Client(busy, patience=2.0) as client:
        start = time.perf_counter()
        with pytest.raises(BusyError):
            client.models()
        assert 1.0 <= time.perf_counter() - start < 10.0


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (502, b"<html>Bad gateway</html>", ServerError, r"was 502 \(bad gateway\), not one of tumorscope; check"),
        (200, b"<html>Log in</html>", ServerError, "the answer is not one of tumorscope; check the address"),
        (302, b"", ServerError, r"the answer was 302 \(found\)"),
        (413, b'{"detail": "a body may have 9 bytes"}', TooLargeError, "a body may have 9 bytes"),
        (404, b'{"detail": 3}', GoneError, r"the answer was 404 \(not found\)"),
        (499, b"[]", ServerError, r"499 \(unknown\)"),
    ],
)  # fmt: skip
def test_other_answers(answering, status, body, error, says):
    with tumorscope.Client(answering(status, body)) as client, pytest.raises(error, match=says) as refused:
        client.models()
    assert refused.value.status == status


def test_an_answer_that_breaks_off_is_asked_for_again_and_then_told(answering):
    cut_off = answering(200, b"{", **{"Content-Length": "100"})
    with tumorscope.Client(cut_off, patience=1.0) as client:
        start = time.perf_counter()
        with pytest.raises(ConnectionLostError, match=r"the connection broke off .*; ask again"):
            client.models()
        assert time.perf_counter() - start > 0.4


def test_how_long_to_wait():
    assert 7 <= _seconds("7", 1.0) <= 7.5
    assert 28 <= _seconds(formatdate(time.time() + 30, usegmt=True), 1.0) <= 31
    assert 0 <= _seconds(formatdate(time.time() - 30, usegmt=True), 1.0) <= 0.5
    assert 2 <= _seconds(None, 2.0) <= 3
    assert 2 <= _seconds("soon", 2.0) <= 3


def test_events_are_read_from_pieces_of_any_size():
    first = b"event: progress\r\nid: 4\r\ndata: {\r\ndata:  1}\r\n\r\n"
    stream = b": hello\n\nretry: 9\n\n" + first + "id: 5\ndata: 脳\u2028\n\n".encode()
    expected = [Event("progress", "{\n 1}", "4"), Event("message", "脳\u2028", "5")]
    for size in range(1, len(stream) + 1):
        reader = EventReader()
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert [event for piece in pieces for event in reader.feed(piece)] == expected
        assert reader.last_id == "5"


def test_an_event_that_breaks_off_was_not_seen():
    reader = EventReader()
    assert [event.id for event in reader.feed(b"id: 4\ndata: {}\n\nevent: end\nid: 5\nda")] == ["4"]
    assert reader.last_id == "4"


def test_findings_so_far_may_be_none():
    assert named(RemoteFindings(), ["a.png", "b.png"]) == []


def test_a_body_is_as_long_as_its_header_says(tmp_path):
    (tmp_path / 'ü"\n.png').write_bytes(b"\r\n--" * 100_000)
    body = Multipart([*list_sources(tmp_path / 'ü"\n.png'), Source("b", 3, b"abc")])
    assert len(b"".join(body)) == int(body.headers["Content-Length"]) == len(b"".join(body))


def test_a_file_that_changes_while_it_is_sent_is_named(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(bytes(100))
    body = Multipart(list_sources(path))
    path.write_bytes(bytes(50))
    with pytest.raises(ScanError, match=r"x\.png: became shorter while it was sent; send it again"):
        b"".join(body)
    path.unlink()
    with pytest.raises(ScanError, match=r"x\.png: cannot be opened \(no such file"):
        b"".join(body)


def test_clients_are_loaded_only_when_they_are_asked_for():
    code = """if True:
        import sys, tumorscope
        assert not {"httpx", "pydantic", "tumorscope.client"} & set(sys.modules)
        assert tumorscope.Client is tumorscope.client.Client and tumorscope.AsyncClient is tumorscope.client.AsyncClient
        assert "httpx" not in sys.modules
        sys.modules["httpx"] = None
        try:
            tumorscope.Client()
        except tumorscope.errors.MissingExtraError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "the client needs httpx, which is not installed; pip install 'tumorscope[client]'\n"
