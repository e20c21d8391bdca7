"""Audits over HTTP from a real server: what was planted is what is told; nothing else is read; nothing stays."""

import contextlib
import csv
import io
import json
import time
import zipfile
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from tumorscope.audits.audit import run_audit


@pytest.fixture(scope="module")
def root(planted, tmp_path_factory):
    """The data root: the planted set, a set that names files outside, one with a link outside."""
    root = planted[0].parent
    outside = tmp_path_factory.mktemp("outside")
    for name in ("yes/1.png", "no/2.png"):
        (outside / name).parent.mkdir(exist_ok=True)
        (outside / name).write_bytes(_png(1))
    (root / "names-others").mkdir()
    (root / "names-others" / "index.csv").write_text(
        f"path,label\n{outside}/yes/1.png,glioma\n{outside}/no/2.png,notumor\n"
    )
    (root / "climbs").mkdir()
    (root / "climbs" / "index.csv").write_text(f"path,label\n../../../{outside.name}/yes/1.png,glioma\n")
    (root / "links").mkdir()
    (root / "links" / "yes").symlink_to(outside / "yes")
    (root / "links" / "no").mkdir()
    (root / "links" / "no" / "2.png").write_bytes(_png(2))
    (root / "outside").symlink_to(outside)
    (root / "nothing").mkdir()
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("audit-cache")


@pytest.fixture(scope="module")
def client(served, root, quadrant_model, cache):
    address = served("--data-root", root, "--model", quadrant_model, TUMORSCOPE_CACHE=str(cache))
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def done(client):
    return _finished(client, client.post("/v1/audits", json={"path": "phantom-set"}))


@pytest.fixture(scope="module")
def expected(planted):
    return run_audit(planted[0], seed=0)


def test_the_roots_are_listed_and_so_are_their_folders_but_not_links_that_lead_out(client):
    assert client.get("/v1/roots").json() == {"roots": ["data"], "folder": None}
    folder = client.get("/v1/roots", params={"root": "data"}).json()["folder"]
    assert folder["folders"] == ["climbs", "links", "names-others", "nothing", "phantom-set"]
    inner = client.get("/v1/roots", params={"root": "data", "path": "phantom-set"}).json()["folder"]
    assert (inner["path"], inner["folders"], inner["files"]) == ("phantom-set", ["Testing", "Training"], 1)


def test_an_audit_tells_what_the_command_line_tells(done, expected):
    told = done["audit"]
    assert told.pop("data") == ["phantom-set"]
    assert told == json.loads(json.dumps({key: value for key, value in expected.summary.items() if key != "data"}))
    assert (done["name"], done["root"], done["path"], done["kind"]) == ("phantom-set", "data", "phantom-set", "audit")


def test_what_was_planted_is_found(client, done, planted):
    leaks = done["audit"]["leaks"]
    assert (leaks["near"], leaks["exact"], len(planted[1])) == (12, 2, 12)
    pairs = _twins(client, done, leaks="true", limit=100)
    found = {tuple(sorted((pair["a"]["path"], pair["b"]["path"]))) for pair in pairs["pairs"]}
    assert found == {tuple(sorted(line.split(","))) for line in planted[1]}
    assert pairs["count"] == done["choices"]["flag"]["leaks"] == 12


@pytest.mark.parametrize(
    ("query", "count"),
    [({"kind": "exact"}, 2), ({"kind": "near"}, 10), ({"conflict": "true"}, 1), ({"transform": "mirror"}, 2),
     ({"part": "train"}, 12), ({"part": "val"}, 0), ({"label": "nothing"}, 0), ({"leaks": "false"}, 0)],
)  # fmt: skip
def test_twins_are_filtered(client, done, query, count):
    assert _twins(client, done, **query)["count"] == count


def test_twins_come_page_by_page_in_order(client, done):
    whole = _twins(client, done, order="least_alike", limit=100)["pairs"]
    similarity = [pair["similarity"] for pair in whole]
    assert similarity == sorted(similarity)
    pages = [_twins(client, done, order="least_alike", limit=5, offset=offset)["pairs"] for offset in (0, 5, 10)]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert [pair for page in pages for pair in page] == whole


def test_a_picture_of_a_twin_is_that_slice(client, done, planted):
    pair = _twins(client, done, transform="mirror", limit=1)["pairs"][0]
    answers = [client.get(side["picture"]) for side in (pair["a"], pair["b"])]
    assert {answer.headers["content-type"] for answer in answers} == {"image/jpeg"}
    first, second = (cv2.imdecode(np.frombuffer(a.content, np.uint8), cv2.IMREAD_GRAYSCALE) for a in answers)
    own = cv2.imread(str(planted[0] / pair["a"]["path"]), cv2.IMREAD_GRAYSCALE)
    assert first.shape == (320, 320)
    assert np.abs(first.astype(float) - cv2.resize(own, (320, 320))).mean() < 3
    assert np.abs(first.astype(float) - second[:, ::-1]).mean() < 3


def test_a_picture_has_no_path_and_no_id_of_another_audit(client, done):
    link = done["links"]["self"]
    for name in ("nothing", "..%2F..%2Faudit.json", "phantom-set%2FTesting", "%00", "1"):
        assert client.get(f"{link}/pictures/{name}").status_code == 404
    assert "/data/" not in json.dumps(done["twins"])


def test_the_files_of_an_audit_are_those_of_the_command_line_with_the_split(client, done, expected):
    answers = {name: client.get(address) for name, address in done["downloads"].items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert answers["pairs.csv"].text == expected.pairs.to_csv(index=False, lineterminator="\n")
    rows = list(csv.DictReader(io.StringIO(answers["catalog.csv"].text)))
    parts = [row["split"] for row in rows]
    assert {part: parts.count(part) for part in ("train", "val", "test")} == done["split"]
    sides = {}
    for row in rows:
        sides.setdefault(row["group"], set()).add(row["split"])
    assert all(len(found) == 1 for found in sides.values())
    assert json.loads(answers["audit.json"].text)["leaks"] == done["audit"]["leaks"]
    assert "attachment" in answers["catalog.csv"].headers["content-disposition"]


def test_the_report_is_sealed_and_names_no_folder_of_this_machine(client, done, planted):
    answer = client.get(done["downloads"]["audit.html"])
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert str(planted[0].parent) not in answer.text


@pytest.mark.parametrize(
    "path", ["../outside", "/etc", "outside", "outside/yes", "phantom-set/../../x", "phantom-set\0", "a\u202eb",
             "nowhere", "phantom-set/Testing/glioma/copy_0.png", "\\etc", "~", "phantom-set\n", "x" * 900],
)  # fmt: skip
def test_folders_that_may_not_be_read_are_not_found(client, path):
    for answer in (
        client.post("/v1/audits", json={"path": path}),
        client.get("/v1/roots", params={"root": "data", "path": path}),
    ):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(Path.home()) not in answer.text


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"path": 1}', b'{"path": "x", "out": "/tmp"}', b"{" * 5000])
def test_a_body_that_is_no_order_is_refused(client, body):
    answer = client.post("/v1/audits", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (422, 422)


def test_a_large_body_that_names_a_folder_is_not_read(client):
    body = b'{"path": "' + b"x" * 30_000_000 + b'"}'
    answer = client.post("/v1/audits", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:tumorscope:problem:too-large")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("names-others", "outside of the folder"), ("climbs", "outside of the folder"), ("links", "outside of the folder"),
     ("nothing", "is an empty folder")],
)  # fmt: skip
def test_a_data_set_that_names_files_outside_fails_and_says_so(client, root, path, reason):
    failed = _ended(client, client.post("/v1/audits", json={"path": path}))
    assert failed["status"] == "failed"
    assert reason in failed["error"]
    assert str(root) not in failed["error"]
    link = failed["links"]["self"]
    assert client.get(f"{link}/twins").status_code == client.get(f"{link}/audit.json").status_code == 404


def test_a_zip_is_audited_and_nothing_of_it_stays_once_the_audit_is_removed(client, planted, done, cache):
    given = io.BytesIO()
    with zipfile.ZipFile(given, "w") as opened:
        for file in sorted(planted[0].rglob("*")):
            opened.write(file, Path("wrap") / file.relative_to(planted[0]))
    made = _finished(
        client, client.post("/v1/audits", files={"file": ("my set.zip", given.getvalue(), "application/zip")})
    )
    assert (made["name"], made["audit"]["data"], made["root"]) == ("my set.zip", ["my set.zip"], None)
    for key in ("leaks", "images", "classes", "unreadable", "misnamed", "copy_baseline", "source_probe"):
        assert made["audit"][key] == done["audit"][key]
    side = made["twins"]["pairs"][0]["a"]
    assert client.get(side["picture"]).content[:2] == b"\xff\xd8"
    other = done["links"]["self"] + "/pictures/" + side["picture"].rsplit("/", 1)[1]
    assert client.get(other).status_code == 404
    before = {path for path in cache.rglob("*") if made["id"] in str(path)}
    assert any(path.suffix == ".png" for path in before)
    assert not any(path.read_bytes()[:4] == b"PK\x03\x04" for path in before if path.is_file())
    assert client.delete(made["links"]["self"]).status_code == 204
    assert not [path for path in cache.rglob("*") if made["id"] in str(path)]
    assert client.get(made["links"]["self"]).status_code == client.get(side["picture"]).status_code == 404


def test_a_hostile_zip_is_refused_at_once_and_leaves_nothing(client, cache):
    given = io.BytesIO()
    with zipfile.ZipFile(given, "w") as opened:
        opened.writestr("a/../../../evil.png", b"1")
    before = sorted(cache.rglob("*.png"))
    for data in (given.getvalue(), b"no zip at all", b""):
        answer = client.post("/v1/audits", files={"file": ("x.zip", data)})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
    assert sorted(cache.rglob("*.png")) == before
    assert client.post("/v1/audits", files={"other": ("x.zip", b"1")}).status_code == 422


def test_a_zip_with_an_index_of_files_outside_fails(client, root):
    given = io.BytesIO()
    with zipfile.ZipFile(given, "w") as opened:
        opened.writestr("index.csv", f"path,label\n{root}/phantom-set/Training/glioma/0000.png,glioma\n")
    failed = _ended(client, client.post("/v1/audits", files={"file": ("x.zip", given.getvalue())}))
    assert (failed["status"], "outside of the folder" in failed["error"]) == ("failed", True)


def test_an_audit_that_is_removed_while_it_runs_ends_its_process(client, cache):
    started = client.post("/v1/audits", json={"path": "phantom-set"}).json()
    link = started["links"]["self"]
    end = time.monotonic() + 30
    while client.get(link).json()["stage"] == "" and time.monotonic() < end:
        time.sleep(0.05)
    assert _workers(cache)
    assert client.delete(link).status_code == 204
    assert client.get(link).status_code == 404
    assert not _workers(cache)


def test_a_job_of_findings_is_no_audit(client, draw):
    job = client.post("/v1/jobs", files={"files": ("x.png", draw("x.png", 0).read_bytes())}).json()
    assert client.get(f"/v1/audits/{job['id']}").status_code == 404
    assert client.get("/v1/audits/unknown").status_code == 404


def test_without_a_data_root_there_is_nothing_to_name(served, quadrant_model):
    with httpx.Client(base_url=served("--model", quadrant_model)) as client:
        assert client.get("/v1/roots").json() == {"roots": [], "folder": None}
        assert client.post("/v1/audits", json={"path": ""}).status_code == 404


def _finished(client, answer):
    document = _ended(client, answer)
    assert document["status"] == "done", document["error"]
    return document


def _ended(client, answer, seconds=120):
    assert answer.status_code == 202, answer.text
    link = answer.json()["links"]
    assert answer.headers["location"] == link["self"]
    with client.stream("GET", link["events"], timeout=seconds) as events:
        last = [line for line in events.iter_lines() if line.startswith("event:")][-1]
    assert last == "event: end"
    return client.get(link["self"]).json()


def _twins(client, document, **query):
    answer = client.get(document["links"]["self"] + "/twins", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _workers(cache):
    """The processes of audits that live under the server of this cache, as Linux tells."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_worker = b"audits.worker" in (entry / "cmdline").read_bytes()
            if is_worker and str(cache).encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
    return found


def _png(seed):
    image = np.random.default_rng(seed).integers(0, 255, (64, 64), np.uint8)
    return cv2.imencode(".png", image)[1].tobytes()
