"""Multipart bodies in pieces of any size: the files come out whole, under names of ours."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from tumorscope.serve.problems import ProblemError
from tumorscope.serve.uploads import SPOOL_BYTES, receive_uploads, received

BOUNDARY = "b0undary"
PLAIN = st.binary(max_size=3000).filter(lambda data: b"\r\n--" + BOUNDARY.encode() not in data)


def body_of(contents):
    parts = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{i}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for i, data in enumerate(contents)
    )
    return parts + f"--{BOUNDARY}--\r\n".encode()


def request_of(body, piece):
    pieces = [body[start : start + piece] for start in range(0, len(body), piece)]
    messages = [{"type": "http.request", "body": data, "more_body": True} for data in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0)

    kind = f"multipart/form-data; boundary={BOUNDARY}".encode()
    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind)]}, receive)


def receive_into(folder, body, piece, files=64):
    return asyncio.run(receive_uploads(request_of(body, piece), folder, files=files))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(PLAIN, min_size=1, max_size=5), piece=st.integers(1, 900))
def test_files_come_out_whole(tmp_path, contents, piece):
    uploads = receive_into(tmp_path, body_of(contents), piece)
    assert [upload.path.read_bytes() for upload in uploads] == contents
    assert [upload.name for upload in uploads] == [str(i) for i in range(len(contents))]
    assert all(upload.path.parent == tmp_path and len(upload.path.name) == 32 for upload in uploads)
    for upload in uploads:
        upload.path.unlink()


def test_large_files_are_written_as_they_come(tmp_path):
    contents = [bytes([i]) * (SPOOL_BYTES + 7 * i) for i in range(4)]
    uploads = receive_into(tmp_path, body_of(contents), 300_000)
    assert [upload.path.read_bytes() for upload in uploads] == contents


@pytest.mark.parametrize("cut", [3, 10, 60, 2_000_000])
def test_a_body_that_ends_early_leaves_nothing(tmp_path, cut):
    body = body_of([b"x" * 3_000_000, b"y" * 10])
    with pytest.raises(ProblemError) as problem:
        receive_into(tmp_path, body[:-cut], 100_000)
    assert problem.value.name == "bad-body"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_problem_of_the_server(tmp_path):
    with pytest.raises(ProblemError) as problem:
        receive_into(tmp_path / "not there", body_of([b"x"]), 1000)
    assert (problem.value.status_code, problem.value.name) == (507, "no-room")


def test_uploads_go_with_the_block_however_it_ends(tmp_path):
    async def use(fails):
        async with received(request_of(body_of([b"a", b"b"]), 50), tmp_path, files=2) as uploads:
            assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"a", b"b"]
            assert uploads[0].path.stat().st_mode & 0o077 == 0 or tmp_path.stat().st_mode & 0o077 == 0
            if fails:
                raise RuntimeError("no")

    asyncio.run(use(fails=False))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError):
        asyncio.run(use(fails=True))
    assert list(tmp_path.iterdir()) == []
