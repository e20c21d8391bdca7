"""Too much, too large, too slow: each is refused for what it is, and the others are answered."""

import io
import json
import shutil
import socket
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import numpy as np
import pytest
from PIL import Image

from tumorscope.jobs.folders import RESERVE

BOUNDARY = "limit"
HEAD = f"POST /v1/findings HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"


MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
PART = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'.encode()


def ask(server):
    return httpx.Client(base_url=server.address, timeout=30)


def raw(server, timeout=10.0):
    host, port = server.address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=timeout)


def until_told(server, line):
    """Wait until the metrics of a server have a line."""
    deadline = time.monotonic() + 20
    with ask(server) as client:
        while line not in (told := client.get("/metrics").text):
            assert time.monotonic() < deadline, told
            time.sleep(0.01)


def send_until_refused(connection):
    for _ in range(5000):
        connection.sendall(b"x" * 1000)
        time.sleep(0.002)


def answer_of(connection):
    """Read one answer whole: its status, headers and document."""
    file = connection.makefile("rb")
    status = int(file.readline().split()[1])
    headers = {}
    while line := file.readline().strip():
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    return status, headers, json.loads(file.read(int(headers["content-length"])))


def form(*contents):
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{i}.png"\r\n\r\n'.encode() + data
        for i, data in enumerate(contents)
    ]
    return b"\r\n".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def name_of(document):
    return document["type"].rpartition(":")[2]


def bomb(width, height):
    """A PNG of a few bytes that says that it has so many pixels."""
    image = Image.new("1", (8, 8))
    file = io.BytesIO()
    image.save(file, "PNG")
    data = bytearray(file.getvalue())
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def test_a_body_that_says_that_it_is_too_large_is_refused_before_it_is_sent(here):
    with raw(here({"body_bytes": 1000})) as connection:
        connection.sendall(f"{HEAD}Content-Length: 1001\r\n\r\n".encode())
        status, headers, document = answer_of(connection)
    assert (status, name_of(document), headers["connection"]) == (413, "too-large", "close")


def test_a_body_of_unsaid_size_is_refused_where_it_gets_too_large(here):
    server = here({"body_bytes": 100_000})
    with raw(server) as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{len(PART):x}\r\n".encode() + PART + b"\r\n")
        chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
        try:
            for _ in range(20):
                connection.sendall(chunk)
        except OSError:
            pytest.fail("the connection was cut before the answer could be read")
        status, _, document = answer_of(connection)
    assert (status, name_of(document)) == (413, "too-large")


def test_a_refusal_can_be_read_by_who_goes_on_sending(here, draw):
    with ask(here({"body_bytes": 300_000})) as client:
        answer = client.post("/v1/findings", files={"files": ("a.png", b"x" * 2_000_000)})
        assert answer.status_code == 413
        assert client.post("/v1/findings", files={"files": draw("a.png", 0).read_bytes()}).status_code == 200


def test_a_body_that_stands_still_is_given_up(here):
    with raw(here({"idle_seconds": 0.3})) as connection:
        start = time.monotonic()
        connection.sendall(f"{HEAD}Content-Length: 500\r\n\r\n--lim".encode())
        status, headers, document = answer_of(connection)
    assert (status, name_of(document), headers["connection"]) == (408, "too-slow", "close")
    assert 0.25 < time.monotonic() - start < 5


def test_a_body_that_drips_is_given_up(here):
    server = here({"idle_seconds": 1.0, "receive_seconds": 0.5, "slowest_bytes": 1_000_000})
    with raw(server) as connection:
        connection.sendall(f"{HEAD}Content-Length: 500\r\n\r\n".encode() + PART)
        said = threading.Thread(target=lambda: drip(connection))
        said.start()
        status, _, document = answer_of(connection)
    said.join()
    assert (status, name_of(document)) == (408, "too-slow")


def drip(connection):
    try:
        for _ in range(100):
            connection.sendall(b"-")
            time.sleep(0.05)
    except OSError:
        return


@pytest.mark.parametrize("start", [b"", b"POST /v1/fin", b"GET / HTTP/1.1\r\nHost: localh"])
def test_a_head_that_does_not_come_is_given_up(here, start):
    with raw(here({"head_seconds": 0.3})) as connection:
        connection.sendall(start)
        assert connection.recv(100) == b""


def test_a_head_that_does_not_end_is_refused(here):
    with raw(here({"head_bytes": 10_000})) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000)
        status, _, document = answer_of(connection)
        assert (status, name_of(document)) == (400, "bad-body")
        assert connection.recv(100) == b""


def test_what_comes_behind_a_body_without_end_is_given_up(here):
    with raw(here({"head_bytes": 10_000})) as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n--lim\r\n0\r\nX: ".encode())
        with pytest.raises(ConnectionError):
            send_until_refused(connection)


def test_the_second_head_of_a_connection_is_given_up_too(here):
    with raw(here({"head_seconds": 0.3})) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer_of(connection)[0] == 200
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        assert connection.recv(100) == b""


def test_a_connection_too_many_is_told_so(here):
    server = here({"connections": 2})
    with raw(server) as first, raw(server) as second, raw(server) as third:
        status, _, document = answer_of(third)
        assert (status, name_of(document)) == (429, "busy")
        for connection in (first, second):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answer_of(connection)[0] == 200


def test_a_client_that_does_not_read_is_cut_off(here, caplog):
    server = here({"idle_seconds": 2.0})
    with raw(server) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
        deadline = time.monotonic() + 30
        while not any(one.flow and one.flow.write_paused for one in list(server.server_state.connections)):
            assert time.monotonic() < deadline, "the server does not write"
            time.sleep(0.01)
        while server.server_state.connections:
            assert time.monotonic() < deadline, "the server goes on waiting"
            time.sleep(0.01)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_files_too_many_are_refused(here, draw):
    data = draw("a.png", 0).read_bytes()
    with ask(here({"files": 3})) as client:
        assert client.post("/v1/findings", files=[("files", data)] * 3).status_code == 200
        answer = client.post("/v1/findings", files=[("files", data)] * 4)
    assert (answer.status_code, name_of(answer.json())) == (413, "too-many-files")


def test_a_file_of_too_many_pixels_fails_alone(here, draw):
    wide = io.BytesIO()
    Image.fromarray(np.zeros((1500, 1600), np.uint8)).save(wide, "PNG")
    contents = [draw("a.png", 0).read_bytes(), wide.getvalue(), bomb(60_000, 60_000), bomb(2**31 - 1, 2**31 - 1)]
    with ask(here({"pixels": 2_000_000})) as client:
        answer = client.post("/v1/findings", files=[("files", data) for data in contents])
    assert answer.status_code == 200
    good, *bad = answer.json()["findings"]
    assert good["label"] == "glioma"
    assert bad[0]["message"] == "has 1600 x 1500 pixels; shrink it below 2 megapixels"
    assert [finding["status"] for finding in bad] == ["error"] * 3
    assert all(finding["probabilities"] is None for finding in bad)


def test_a_message_names_no_path_of_the_server(here, inbox):
    with ask(here()) as client:
        broken = [
            b"\x89PNG\r\n\x1a\n" + b"x" * 50,
            b"II*\x00" + b"\xff" * 40,
            b"GIF89a",
            b"BM",
            b"RIFF",
            b"\xff\xd8\xff",
        ]
        said = client.post("/v1/findings", files=[("files", data) for data in broken]).json()["findings"]
    assert [finding["status"] for finding in said] == ["error"] * len(broken)
    assert str(inbox) not in json.dumps(said)


@pytest.mark.parametrize(
    ("headers", "body", "status", "name"),
    [
        ({"content-type": "application/json"}, b"{}", 415, "wrong-content-type"),
        ({}, b"x", 415, "wrong-content-type"),
        ({"content-type": "multipart/mixed; boundary=limit"}, form(b"x"), 415, "wrong-content-type"),
        ({"content-type": "multipart/form-data"}, form(b"x"), 400, "bad-body"),
        ({"content-type": f"multipart/form-data; boundary={'x' * 71}"}, b"x", 400, "bad-body"),
        (MULTIPART, b"", 400, "bad-body"),
        (MULTIPART, form(b"x")[:-8], 400, "bad-body"),
        (MULTIPART, b"rubbish" * 100, 400, "bad-body"),
        (MULTIPART, b"--limit--\r\n", 422, "wrong-input"),
        (MULTIPART, form(b"x").replace(b'"files"', b'"f"'), 422, "wrong-input"),
        (MULTIPART, b"--limit\r\n\r\nx\r\n--limit--\r\n", 422, "wrong-input"),
    ],
)  # fmt: skip
def test_bodies_that_are_none(here, inbox, headers, body, status, name):
    with ask(here()) as client:
        answer = client.post("/v1/findings", content=body, headers=headers)
    assert (answer.status_code, name_of(answer.json())) == (status, name)
    assert [path for path in inbox.rglob("*") if path.is_file()] == []


def test_a_refusal_of_a_body_that_was_read_frees_the_connection_at_once(here):
    with ask(here()) as client:
        start = time.monotonic()
        for _ in range(10):
            answer = client.post("/v1/findings", content=form(b"x")[:-8], headers=MULTIPART)
            assert (answer.status_code, name_of(answer.json())) == (400, "bad-body")
        assert time.monotonic() - start < 8  # each would linger for a second


def test_requests_too_many_are_told_when_to_come_back(here, draw):
    data = draw("a.png", 0).read_bytes()
    server = here({"requests": 2})
    with ThreadPoolExecutor(16) as threads, ask(server) as client:
        answers = list(threads.map(lambda _: client.post("/v1/findings", files=[("files", data)] * 20), range(48)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    for answer in answers:
        if answer.status_code == 429:
            assert name_of(answer.json()) == "busy"
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        else:
            assert [finding["label"] for finding in answer.json()["findings"]] == ["glioma"] * 20


def test_bodies_that_drip_take_nobodys_place(here, draw):
    server = here({"requests": 2})
    with ExitStack() as open_ones:
        for _ in range(5):
            open_ones.enter_context(raw(server)).sendall(f"{HEAD}Content-Length: 500\r\n\r\n".encode() + PART)
        until_told(server, "tumorscope_requests_inside 5.0")
        with ask(server) as client:
            assert client.post("/v1/findings", files=[("files", draw("a.png", 0).read_bytes())]).status_code == 200


def test_refused_bodies_make_no_room_for_others(here):
    server = here({"body_bytes": 60_000, "inbox_bytes": 100_000, "idle_seconds": 3.0})
    for _ in range(3):
        with raw(server) as refused:
            chunk = b"ea61\r\n" + form(b"x" * 59_900)[:60_001].ljust(60_001, b"x") + b"\r\n"
            refused.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk)
            assert answer_of(refused)[0] == 413
    with raw(server) as first, raw(server) as second:
        first.sendall(f"{HEAD}Content-Length: 59000\r\n\r\n".encode() + b"--limit\r\n" + b"x" * 55_000)
        time.sleep(0.2)
        second.sendall(f"{HEAD}Content-Length: 59000\r\n\r\n".encode() + PART + b"x" * 55_000)
        assert answer_of(second)[0] == 429


def test_a_job_that_is_sent_while_the_server_stops_is_taken(here, monkeypatch):
    monkeypatch.setattr("tumorscope.serve.server.GIVE_UP_SECONDS", 1)
    server, body = here(), form(b"x" * 2000)
    head = f"{HEAD.replace('/v1/findings', '/v1/jobs')}Content-Length: {len(body)}\r\n\r\n"
    with raw(server) as connection:
        connection.sendall(head.encode() + body[:1000])
        until_told(server, "tumorscope_jobs_open 1.0")
        server.stop()
        time.sleep(2)
        connection.sendall(body[1000:])
        assert answer_of(connection)[0] == 202


@pytest.mark.parametrize(("path", "field"), [("/v1/jobs", "files"), ("/v1/audits", "file")])
def test_what_has_no_room_on_the_disk_is_refused_before_it_is_sent(here, monkeypatch, path, field):
    server, room = here(), shutil._ntuple_diskusage(2**40, 2**40, RESERVE + 100_000)
    monkeypatch.setattr("tumorscope.jobs.folders.shutil.disk_usage", lambda _: room)
    with ask(server) as client:
        answer = client.post(path, files={field: ("a.zip", b"x" * 200_000)})
    assert (answer.status_code, name_of(answer.json())) == (507, "no-room")


def test_bytes_too_many_are_refused(here):
    server = here({"inbox_bytes": 100_000, "idle_seconds": 3.0})
    with raw(server) as first, raw(server) as second:
        first.sendall(f"{HEAD}Content-Length: 90000\r\n\r\n".encode() + b"--limit\r\n" + b"x" * 70_000)
        time.sleep(0.2)
        second.sendall(f"{HEAD}Content-Length: 60000\r\n\r\n".encode() + form(b"x" * 50_000))
        status, headers, document = answer_of(second)
    assert (status, name_of(document)) == (429, "busy")
    assert headers["retry-after"]


def test_an_answer_that_takes_too_long_is_given_up(here, draw):
    data = draw("a.png", 0).read_bytes()
    with ask(here({"answer_seconds": 0.001})) as client:
        answer = client.post("/v1/findings", files=[("files", data)] * 60)
    assert (answer.status_code, name_of(answer.json())) == (503, "took-too-long")


def test_what_a_client_that_left_had_asked_for_is_dropped(here, draw, inbox):
    data = draw("a.png", 0, side=900).read_bytes()
    server = here()
    body = form(*[data] * 60)
    for _ in range(5):
        with raw(server) as connection:
            connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    with ask(server) as client:
        wanted = ("tumorscope_queue_files 0.0", "tumorscope_requests_inside 0.0")
        deadline = time.monotonic() + 10
        while any(line not in (said := client.get("/metrics").text) for line in wanted):
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
    assert 'status="499"' in said
    assert [path for path in inbox.rglob("*") if path.is_file()] == []
