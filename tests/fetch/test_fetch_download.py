"""Downloads from a server on this machine: whole, broken off, resumed, refused, wrong, and onto a full disk."""

import hashlib
import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tumorscope.errors import OutputError, UsageError
from tumorscope.fetch.addresses import credentials, mirrored, stated_hash
from tumorscope.fetch.download import CHUNK, PATIENCE, download

DATA = np.random.default_rng(0).bytes(700_000)
SHA256 = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
PATH = "/a.zip"
FIRST, SECOND = 5 * CHUNK, 2 * CHUNK


@pytest.fixture
def get(server, tmp_path):
    """Return a function that downloads the file without pausing between attempts."""
    return lambda **named: download(f"{server.url}{PATH}", tmp_path, "a.zip", pause=0, **named)


def _left(folder):
    return sorted(path.name for path in folder.iterdir())


def _ranges(server):
    return [headers.get("Range") for _, headers in server.asked]


def test_download_writes_the_file_and_nothing_else_and_tells_megabytes(server, get, tmp_path):
    server.put(PATH, DATA)
    told = []
    path = get(known_hash=SHA256, progress=lambda *said: told.append(said))
    assert path == tmp_path / "a.zip"
    assert path.read_bytes() == DATA
    assert _left(tmp_path) == ["a.zip"]
    assert told[-1] == ("downloading a.zip, MB", 0, 1)


def test_download_of_what_is_there_already_asks_nobody(server, get, tmp_path):
    (tmp_path / "a.zip").write_bytes(DATA)
    assert get(known_hash=SHA256).read_bytes() == DATA
    assert server.asked == []


def test_download_resumes_with_a_range_where_the_connection_broke(server, get):
    server.put(PATH, DATA, cuts=[FIRST, SECOND])
    assert get(known_hash=SHA256).read_bytes() == DATA
    assert _ranges(server) == [None, f"bytes={FIRST}-", f"bytes={FIRST + SECOND}-"]


def test_download_starts_anew_where_the_server_has_no_ranges(server, get):
    server.put(PATH, DATA, ranges=False, cuts=[FIRST])
    assert get(known_hash=SHA256).read_bytes() == DATA
    assert _ranges(server) == [None, f"bytes={FIRST}-"]


def test_download_starts_anew_where_the_server_does_not_name_the_version(server, get):
    server.put(PATH, DATA, tag="", cuts=[FIRST])
    assert get().read_bytes() == DATA
    assert _ranges(server) == [None, None]


def test_a_connection_that_breaks_for_good_keeps_a_part_and_a_later_call_goes_on(server, get, tmp_path):
    server.put(PATH, DATA, cuts=[FIRST, *[0] * PATIENCE])
    with pytest.raises(
        OutputError, match=r"a\.zip: cannot be reached any more .*0\.3 MB are kept\); check the network"
    ):
        get(known_hash=SHA256)
    assert _left(tmp_path) == ["a.zip.part", "a.zip.part.json"]
    server.asked.clear()
    assert get(known_hash=SHA256).read_bytes() == DATA
    assert _ranges(server) == [f"bytes={FIRST}-"]
    assert _left(tmp_path) == ["a.zip"]


def test_a_part_of_another_version_is_not_gone_on_with(server, get, tmp_path):
    server.put(PATH, DATA[::-1], tag='"old"', cuts=[FIRST, *[0] * PATIENCE])
    with pytest.raises(OutputError):
        get()
    server.put(PATH, DATA)
    assert get(known_hash=SHA256).read_bytes() == DATA


def test_a_whole_part_is_taken_without_asking_for_more_bytes(server, get, tmp_path):
    server.put(PATH, DATA)
    (tmp_path / "a.zip.part").write_bytes(DATA)
    (tmp_path / "a.zip.part.json").write_text(json.dumps('"v1"'))
    assert get(known_hash=SHA256).read_bytes() == DATA


def test_a_wrong_hash_names_the_address_and_leaves_nothing(server, get, tmp_path):
    server.put(PATH, DATA[:-1] + b"?")
    with pytest.raises(OutputError, match=r"a\.zip: is not the file that was published \(sha256 differs\)"):
        get(known_hash=SHA256)
    assert _left(tmp_path) == []


@pytest.mark.parametrize("size", [600_000, 800_000])
def test_another_size_than_published_leaves_nothing(server, get, tmp_path, size):
    server.put(PATH, DATA)
    with pytest.raises(OutputError, match=f"has 700,000 bytes, and {size:,} were published"):
        get(size=size)
    assert _left(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "path", "message"),
    [
        (404, PATH, r"is not there \(404\); look at the set's page"),
        (403, PATH, r"is refused \(403\); check the mirror"),
        (418, PATH, r"cannot be had \(HTTP 418\)"),
        (403, "/api/v1/datasets/download/a/b", r"Kaggle wants to know who asks \(403\); put your kaggle\.json"),
        (401, "/api/v1/datasets/download/a/b", "or set KAGGLE_API_TOKEN, and accept the set"),
    ],
)
def test_a_refusal_says_what_to_do_and_leaves_nothing(server, tmp_path, status, path, message):
    server.put(path, b"no", status=status)
    with pytest.raises(OutputError, match=message):
        download(f"{server.url}{path}", tmp_path, "a.zip", pause=0)
    assert _left(tmp_path) == []
    assert len(server.asked) == 1


def test_a_server_that_is_busy_is_asked_again_and_then_given_up(server, get, tmp_path):
    server.put(PATH, b"later", status=503)
    with pytest.raises(OutputError, match=r"cannot be reached any more \(HTTP 503;"):
        get()
    assert len(server.asked) == PATIENCE
    assert _left(tmp_path) == []


def test_nobody_at_the_address_is_an_error_of_one_line(tmp_path):
    with pytest.raises(OutputError, match="cannot be reached any more") as raised:
        download("http://127.0.0.1:9/a.zip", tmp_path, "a.zip", pause=0)
    assert "\n" not in str(raised.value)
    assert "HTTPConnectionPool" not in str(raised.value)


def test_a_full_disk_is_an_error_of_one_line_and_leaves_no_file_under_its_name(server, tmp_path):
    """The kernel's limit on the size of files stops the writing as a full disk does, with a real error."""
    server.put(PATH, DATA)
    script = (
        "import resource, sys, pathlib; from tumorscope.fetch.download import download;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000));"
        "download(sys.argv[1], pathlib.Path(sys.argv[2]), 'a.zip', pause=0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, f"{server.url}{PATH}", tmp_path], capture_output=True, text=True, check=False
    )
    assert "OutputError" in done.stderr
    assert "cannot be written (file too large); free some space" in done.stderr
    assert "a.zip" not in _left(tmp_path)


def test_a_killed_download_is_gone_on_with(server, get, tmp_path):
    hang = threading.Event()
    server.put(PATH, DATA, cuts=[FIRST], hang=hang)
    script = "import sys, pathlib; from tumorscope.fetch.download import download;"
    script += "download(sys.argv[1], pathlib.Path(sys.argv[2]), 'a.zip')"
    with subprocess.Popen([sys.executable, "-c", script, f"{server.url}{PATH}", tmp_path]) as process:
        part = tmp_path / "a.zip.part"
        until = time.monotonic() + 30
        while not (part.is_file() and part.stat().st_size) and time.monotonic() < until:
            time.sleep(0.02)
        process.kill()
    hang.set()
    kept = part.stat().st_size
    assert 0 < kept <= FIRST
    server.put(PATH, DATA)
    server.asked.clear()
    assert get(known_hash=SHA256).read_bytes() == DATA
    assert _ranges(server) == [f"bytes={kept}-"]


def test_what_does_not_fit_on_the_disk_is_not_begun(server, get, tmp_path):
    server.put(PATH, DATA, length=10**18)
    with pytest.raises(OutputError, match=r"needs 1,000,000,000,000 MB, and .* MB are free"):
        get()
    assert _left(tmp_path) == []


def test_a_redirect_to_another_host_is_followed(server, get, tmp_path):
    server.put(PATH, to=f"http://localhost:{server.server_port}/storage?signature=1")
    server.put("/storage?signature=1", DATA, cuts=[FIRST])
    assert get(known_hash=SHA256).read_bytes() == DATA
    assert [path for path, _ in server.asked] == [PATH, "/storage?signature=1"] * 2
    assert _ranges(server)[-1] == f"bytes={FIRST}-"


@pytest.fixture
def no_kaggle(tmp_path, monkeypatch):
    """Return a folder for Kaggle's files where nothing of the user's own is seen."""
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_kaggle_credentials_are_read_and_go_to_kaggle_alone(no_kaggle, monkeypatch):
    kaggle = "https://www.kaggle.com/api/v1/datasets/download/a/b"
    assert credentials(kaggle) is None
    (no_kaggle / "kaggle.json").write_text('{"username": "ann", "key": "k1"}')
    assert credentials(kaggle) == "Basic YW5uOmsx"
    monkeypatch.setenv("KAGGLE_USERNAME", "bob")
    monkeypatch.setenv("KAGGLE_KEY", "k2")
    assert credentials(kaggle) == "Basic Ym9iOmsy"
    (no_kaggle / "access_token").write_text("token1\n")
    assert credentials(kaggle) == "Bearer token1"
    monkeypatch.setenv("KAGGLE_API_TOKEN", "token2")
    assert credentials(kaggle) == "Bearer token2"
    monkeypatch.setenv("KAGGLE_API_TOKEN", " token2\n")
    assert credentials(kaggle) == "Bearer token2"
    monkeypatch.setenv("KAGGLE_API_TOKEN", "tok\nen2")
    with pytest.raises(UsageError, match="not one line") as caught:
        credentials(kaggle)
    assert "en2" not in str(caught.value)
    monkeypatch.setenv("KAGGLE_API_TOKEN", "token2")
    assert credentials(mirrored(kaggle, "http://mirror.local")) is None
    assert credentials("https://zenodo.org/records/1") is None


def test_credentials_are_sent_but_not_to_the_host_of_a_redirect(server, get, no_kaggle, monkeypatch):
    """The server stands for Kaggle; where it redirects to is another host, as Kaggle's storage is."""
    monkeypatch.setattr("tumorscope.fetch.addresses.KAGGLE_HOST", "127.0.0.1")
    monkeypatch.setenv("KAGGLE_API_TOKEN", "token")
    server.put(PATH, to=f"http://localhost:{server.server_port}/storage")
    server.put("/storage", DATA)
    assert get(known_hash=SHA256).read_bytes() == DATA
    assert [headers.get("Authorization") for _, headers in server.asked] == ["Bearer token", None]


def test_a_damaged_kaggle_json_is_named(no_kaggle):
    (no_kaggle / "kaggle.json").write_text("{}")
    with pytest.raises(UsageError, match="has no credentials that can be read; download kaggle"):
        credentials("https://www.kaggle.com/x")


def test_a_mirror_that_is_no_address_is_refused(monkeypatch):
    monkeypatch.setenv("TUMORSCOPE_MIRROR", "ftp://old")
    with pytest.raises(UsageError, match="'ftp://old' is no address of a mirror"):
        mirrored("https://zenodo.org/a", None)


def test_the_hash_that_a_record_states_is_read(server):
    record = {"files": [{"key": "a.zip", "checksum": "md5:0123"}, {"key": "b", "checksum": "md5:4567"}]}
    server.put("/api/records/1", json.dumps(record).encode())
    server.put("/api/records/2", b"<html>")
    assert stated_hash(f"{server.url}/api/records/1", "a.zip") == "md5:0123"
    assert stated_hash(f"{server.url}/api/records/1", "c.zip") is None
    assert stated_hash(f"{server.url}/api/records/2", "a.zip") is None
    assert stated_hash(f"{server.url}/api/records/3", "a.zip") is None
