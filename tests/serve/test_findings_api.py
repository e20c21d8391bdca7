"""Pictures over HTTP: the findings of `predict`, pictures of them, and nothing left behind."""

import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image

from tumorscope.inference import load
from tumorscope.preprocess import Spec, place
from tumorscope.samples import example_scans

EXAMPLES = sorted(example_scans().glob("*.png"))


@pytest.fixture(scope="module")
def examples(served):
    """A client of a real server with the shipped model."""
    with httpx.Client(base_url=served(), timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def client(served, quadrant_model):
    with httpx.Client(base_url=served("--model", quadrant_model), timeout=60) as client:
        yield client


def send(client, *contents, field="files", **query):
    files = [(field, (name, data)) for name, data in contents]
    return client.post("/v1/findings", files=files, params=query)


def picture(data):
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_api_and_predict_give_the_same_findings(examples, tmp_path):
    broken = tmp_path / "cut.png"
    broken.write_bytes(EXAMPLES[0].read_bytes()[:900])
    letter = tmp_path / "letter.png"
    letter.write_text("Dear doctor,")
    (tmp_path / "no_pixels.png").write_bytes(EXAMPLES[0].read_bytes()[:60])
    empty = tmp_path / "empty.jpg"
    empty.write_bytes(b"")
    files = [*EXAMPLES, broken, letter, tmp_path / "no_pixels.png", empty]
    expected = json.loads(load().predict(files).to_json())
    answer = send(examples, *((path.name, path.read_bytes()) for path in files))
    assert answer.status_code == 200
    said = answer.json()["findings"]
    assert [finding.pop("overlay") for finding in said] == [None] * len(files)
    assert [finding.pop("layers") for finding in said] == [None] * len(files)
    for finding, path in zip(expected, files, strict=True):
        assert finding.pop("file") == str(path)
    assert [finding.pop("file") for finding in said] == [path.name for path in files]
    assert said == expected
    assert [finding["status"] for finding in said[-4:]] == ["error"] * 4


def test_a_file_alone_and_among_others_gives_the_same_numbers(examples):
    together = send(examples, *((path.name, path.read_bytes()) for path in EXAMPLES)).json()["findings"]
    with ThreadPoolExecutor(8) as threads:
        alone = list(threads.map(lambda path: send(examples, (path.name, path.read_bytes())).json(), EXAMPLES * 2))
    for answer, expected in zip(alone, together * 2, strict=True):
        assert len(answer["findings"]) == 1
        assert answer["findings"][0] == expected


def test_the_overlay_is_the_picture_that_predict_writes(examples, tmp_path):
    path = next(path for path in EXAMPLES if "mass" in path.name)
    finding = load().predict(path, out=tmp_path / "out")[0]
    said = send(examples, (path.name, path.read_bytes()), overlay="png").json()["findings"][0]
    np.testing.assert_array_equal(picture(said["overlay"]), cv2.imread(finding.heatmap, cv2.IMREAD_UNCHANGED))
    assert said["layers"] is None


def test_the_layers_hold_the_slice_and_where_the_model_looks(client, draw):
    data = draw("glioma.png", 0, side=64).read_bytes()
    layers = send(client, ("glioma.png", data), layers=True).json()["findings"][0]["layers"]
    assert (layers["width"], layers["height"], layers["class"]) == (64, 64, "glioma")
    np.testing.assert_array_equal(picture(layers["picture"]), cv2.imdecode(np.frombuffer(data, np.uint8), -1))
    heatmap = picture(layers["heatmap"])
    assert heatmap.shape == (64, 64)
    assert heatmap[2:29, 2:29].min() >= 253, "the bright quadrant, as strong as the tumor is probable"
    assert heatmap[36:].max() == 0
    (outline,) = layers["outlines"]
    assert max(max(point) for point in outline) in (31, 32)
    assert min(min(point) for point in outline) == 0


def test_no_outline_is_drawn_where_no_tumor_is_called(client, draw):
    layers = send(client, ("clear.png", draw("clear.png", 2).read_bytes()), layers=True).json()["findings"][0]["layers"]
    assert layers["outlines"] == []
    assert picture(layers["heatmap"]).max() <= 1


def test_a_deep_picture_keeps_its_depth(client):
    values = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64) * 21
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    layers = send(client, ("deep.png", file.getvalue()), layers=True).json()["findings"][0]["layers"]
    sent = picture(layers["picture"])
    assert sent.dtype == np.uint16
    np.testing.assert_array_equal(sent, values)


def test_a_large_picture_has_a_smaller_heatmap(client):
    file = io.BytesIO()
    Image.fromarray(np.tile(np.arange(200, dtype=np.uint8), (700, 6))[:, :1100]).save(file, "PNG")
    layers = send(client, ("large.png", file.getvalue()), layers=True).json()["findings"][0]["layers"]
    assert (layers["width"], layers["height"]) == (1100, 700)
    assert picture(layers["picture"]).shape == (700, 1100)
    assert picture(layers["heatmap"]).shape == (326, 512)


def test_a_slice_that_cannot_be_drawn_keeps_its_finding_and_harms_no_other(client, draw):
    wide = io.BytesIO()
    Image.new("L", (1_500_000, 1)).save(wide, "PNG")
    files = ("wide.png", wide.getvalue()), ("a.png", draw("a.png", 0).read_bytes())
    found = send(client, *files, overlay="png", layers=True).json()["findings"]
    assert [entry["status"] for entry in found] == ["refused", "ok"]
    assert [entry["overlay"] is None for entry in found] == [True, False]
    assert [entry["layers"] is None for entry in found] == [True, False]


def test_a_picture_of_three_sequences_is_answered_once_or_thrice(client):
    planes = np.zeros((32, 32, 3), np.uint8)
    planes[:16, :16, 0], planes[:16, 16:, 1], planes[16:, 16:, 2] = 255, 255, 255
    planes[0, 0] = 0
    data = cv2.imencode(".png", planes[..., ::-1])[1].tobytes()
    one = send(client, ("three.png", data)).json()["findings"]
    each = send(client, ("three.png", data), ("again.png", data), channels="all").json()["findings"]
    assert [(f["slice"], f["label"]) for f in one] == [(None, "meningioma")]
    sequences = ("T1", "FLAIR", "T1ce")
    assert [(f["file"], f["sequence"]) for f in each] == [(n, s) for n in ("three.png", "again.png") for s in sequences]
    assert {(f["slice"], f["kind"]) for f in each} == {(None, "slice")}


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "patient Müller, 脳.png", "a" * 400, "%00.png", "C:\\scans\\a.png"]
)
def test_a_name_is_shown_and_never_opened(client, draw, name):
    (finding,) = send(client, (name, draw("a.png", 0).read_bytes())).json()["findings"]
    assert finding["label"] == "glioma"
    assert finding["file"] == ("a.png" if name.startswith("C:") else name[:255])


def test_files_of_one_name_keep_their_order(client, draw):
    labels = ["glioma", "meningioma", "notumor", "pituitary"] * 8
    contents = [("scan.png", draw(f"{i}.png", i % 4).read_bytes()) for i in range(32)]
    said = send(client, *contents).json()["findings"]
    assert [finding["label"] for finding in said] == labels
    assert {finding["file"] for finding in said} == {"scan.png"}


def test_a_large_file_goes_over_the_disk_and_comes_out_whole(client):
    rows = np.random.default_rng(0).integers(0, 255, (1800, 1700), np.uint8)
    data = cv2.imencode(".png", rows)[1].tobytes()
    assert len(data) > 2_000_000
    layers = send(client, ("noise.png", data), layers=True).json()["findings"][0]["layers"]
    np.testing.assert_array_equal(picture(layers["picture"]), rows)
    assert placed_whole(rows)


def placed_whole(rows):
    return place(rows.astype(np.float32), Spec(side=32)).box[2:] == rows.shape


def test_nothing_is_left_on_the_disk(here, draw, inbox):
    data = draw("a.png", 0).read_bytes()
    with httpx.Client(base_url=here().address, timeout=30) as client:
        send(client, *[("a.png", data)] * 5, ("broken.png", b"\x89PNG\r\n\x1a\n"), layers=True)
        send(client, ("a.png", data), field="other")
        send(client, *[("a.png", data)] * 65)
    assert [path.name for path in inbox.rglob("*") if path.is_file()] == []


def test_keep_keeps_uploads_and_findings_under_names_of_our_own(here, draw, tmp_path):
    data = {name: draw(f"{name}.png", i).read_bytes() for i, name in enumerate(("glioma", "meningioma"))}
    with httpx.Client(base_url=here(keep=tmp_path / "kept").address) as client:
        send(client, *((f"Erika Muster {name}.png", content) for name, content in data.items()))
    text = (tmp_path / "kept" / "findings.jsonl").read_text()
    assert "Erika" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["label"] for line in lines] == list(data)
    assert [(tmp_path / "kept" / line["file"]).read_bytes() for line in lines] == list(data.values())
    assert (tmp_path / "kept" / "uploads").stat().st_mode & 0o077 == 0


def test_what_cannot_be_kept_is_told_and_leaves_no_upload(here, draw, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / "kept").mkdir()
    with httpx.Client(base_url=here(keep=tmp_path / "kept").address) as client:
        assert (tmp_path / "kept" / "findings.jsonl").stat().st_mode & 0o077 == 0
        monkeypatch.setattr("tumorscope.serve.keeping.copyfile", full)
        answer = client.post("/v1/findings", files={"files": ("a.png", draw("a.png", 0).read_bytes())})
    assert (answer.status_code, answer.json()["type"]) == (507, "urn:tumorscope:problem:no-room")
    assert list((tmp_path / "kept" / "uploads").iterdir()) == []
