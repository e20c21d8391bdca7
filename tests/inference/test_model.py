"""Paths in, findings out, with a model whose answers are known by hand."""

import json
import math
import os
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from tumorscope.errors import ModelFileError, OutputError, UsageError
from tumorscope.inference import load
from tumorscope.inference.model import BATCH


@pytest.fixture(scope="module")
def model(quadrant_model):
    return load(quadrant_model, threads=2)


def test_probabilities_are_those_of_the_graph(model, draw):
    (finding,) = model.predict(draw("glioma.png", 0))
    odds = math.exp(8)
    assert finding.probabilities["glioma"] == pytest.approx(odds / (odds + 3), abs=1e-6)
    assert finding.label == "glioma"
    assert finding.prediction_set == ["glioma"]
    assert finding.model.sha256 == model.file.sha256
    assert finding.slice is None
    assert finding.flags == ["low_resolution"]


def test_findings_stand_in_the_order_of_the_files_over_many_batches(model, draw, tmp_path):
    labels = ["glioma", "meningioma", "notumor", "pituitary"]
    for number in range(2 * BATCH + 5):
        draw(f"many/{number:03d}.png", number % 4)
    told = []
    findings = model.predict(tmp_path / "many", progress=lambda *step: told.append(step))
    assert [finding.label for finding in findings] == [labels[i % 4] for i in range(2 * BATCH + 5)]
    assert [finding.file for finding in findings] == sorted(str(path) for path in (tmp_path / "many").iterdir())
    assert told[-1] == ("predicting", 2 * BATCH + 5, 2 * BATCH + 5)


def test_broken_files_are_findings_and_the_others_are_done(model, draw, tmp_path):
    good = draw("in/good.png", 1)
    whole = good.read_bytes()
    (tmp_path / "in" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in" / "empty.jpg").write_bytes(b"")
    (tmp_path / "in" / "letter.png").write_text("Dear doctor,")
    (tmp_path / "in" / "notes.txt").write_text("no picture, and not named like one")
    (tmp_path / "in" / ".hidden.png").write_bytes(whole)
    findings = {os.path.basename(f.file): f for f in model.predict([tmp_path / "in", tmp_path / "in" / "notes.txt"])}
    assert {name: finding.status for name, finding in findings.items()} == {
        "cut.png": "error", "empty.jpg": "error", "good.png": "ok", "letter.png": "error", "notes.txt": "error",
    }  # fmt: skip
    assert "truncated" in findings["cut.png"].message
    assert "is empty; " in findings["empty.jpg"].message
    assert "not an image of a known format; give a picture file" in findings["letter.png"].message
    assert findings["cut.png"].probabilities is None


def test_what_is_missing_is_a_finding_beside_others_and_an_error_alone(model, draw, tmp_path):
    (tmp_path / "hollow").mkdir()
    good = draw("good.png", 1)
    findings = model.predict([tmp_path / "gone.png", good, tmp_path / "hollow"])
    assert [finding.status for finding in findings] == ["error", "ok", "error"]
    assert findings[0].message == "is not there; check the path"
    assert findings[2].message.startswith("holds no picture; ")
    with pytest.raises(UsageError, match=r"gone\.png: is not there; check the path"):
        model.predict(tmp_path / "gone.png")
    with pytest.raises(UsageError, match="hollow: holds no picture"):
        model.predict([tmp_path / "hollow"])
    with pytest.raises(UsageError, match="no picture was given"):
        model.predict([])


def test_files_are_named_as_they_were_given(model, draw, tmp_path, monkeypatch):
    draw("set/deep/a.png", 0)
    draw("b.png", 0)
    monkeypatch.chdir(tmp_path)
    findings = model.predict(["./set/", "./b.png", "set/../b.png"])
    assert [finding.file for finding in findings] == ["./set/deep/a.png", "./b.png", "set/../b.png"]


def test_masks_beside_their_pictures_are_no_pictures(model, draw, tmp_path):
    draw("lgg/a.png", 0)
    mask, lonely = draw("lgg/a_mask.png", 0), draw("lgg/b_mask.png", 0)
    assert [finding.file for finding in model.predict(tmp_path / "lgg")] == [
        str(tmp_path / "lgg" / "a.png"),
        str(lonely),
    ]
    assert len(model.predict(mask)) == 1, "a file that was named is read"


def test_overlays_glow_where_the_evidence_lies_and_as_much_as_a_tumor_is_likely(model, draw, tmp_path):
    draw("in/tumor.png", 0, side=64)
    draw("in/clear.png", 2, side=64)
    (tmp_path / "in" / "broken.png").write_bytes(b"")
    findings = model.predict(tmp_path / "in", out=tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"tumor.png", "clear.png", "contact_sheet.png", "findings.json"}
    broken, clear, tumor = findings
    assert broken.heatmap is None
    picture = cv2.imread(tumor.heatmap)
    assert picture.shape == (256, 256, 3)
    color = np.ptp(picture.astype(int), axis=2)
    assert color[20:100, 20:100].min() > 30, "the bright quadrant is colored"
    assert color[140:, 140:].max() == 0, "the far quadrant is gray"
    assert np.ptp(cv2.imread(clear.heatmap).astype(int), axis=2).max() < 3, "without a tumor nothing glows"
    assert json.loads((tmp_path / "out" / "findings.json").read_text()) == json.loads(findings.to_json())


def test_files_of_one_name_do_not_overwrite_each_other(model, draw, tmp_path):
    paths = [draw("a/scan.png", 0), draw("b/scan.png", 1), draw("contact_sheet.png", 1)]
    findings = model.predict(paths, out=tmp_path / "out")
    assert [os.path.basename(f.heatmap) for f in findings] == ["scan.png", "scan-2.png", "contact_sheet-2.png"]


def test_what_lies_in_out_is_not_read_and_pictures_are_never_overwritten(model, draw, tmp_path):
    scan = draw("in/scan.png", 0)
    before = scan.read_bytes()
    for _ in range(2):
        assert len(model.predict(tmp_path / "in", out=tmp_path / "in" / "heatmaps")) == 1
    with pytest.raises(UsageError, match="in: holds pictures that are to be read; choose another --out"):
        model.predict(tmp_path / "in", out=tmp_path / "in")
    with pytest.raises(UsageError, match="holds pictures that are to be read"):
        model.predict(scan, out=tmp_path / "in" / "heatmaps" / "..")
    assert scan.read_bytes() == before


def test_a_name_that_is_no_text_is_answered(model, draw, tmp_path):
    odd = tmp_path / os.fsdecode(b"odd\xff.png")
    shutil.copy(draw("plain.png", 0), odd)
    findings = model.predict(odd, out=tmp_path / "out")
    assert findings[0].label == "glioma"
    assert json.loads((tmp_path / "out" / "findings.json").read_text())[0]["file"] == str(odd)


def test_a_picture_wider_than_a_png_can_be_is_drawn_smaller(model, tmp_path):
    Image.new("L", (1_500_000, 1)).save(tmp_path / "wide.png")
    (finding,) = model.predict(tmp_path / "wide.png", out=tmp_path / "out")
    assert cv2.imread(finding.heatmap).shape == (1, 65_535, 3)


def test_the_output_folder_must_be_writable(model, draw, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        model.predict(draw("a.png", 0), out=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "a file"


def test_a_full_disk_leaves_no_half_written_picture(model, draw, tmp_path, monkeypatch):
    def full(path, data):
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    picture = tmp_path / "a.png"
    with picture.open("wb") as file:
        file.write(cv2.imencode(".png", np.eye(32, dtype=np.uint8) * 255)[1].tobytes())
    with pytest.raises(OutputError, match=r"a\.png: cannot be written \(no space left on device\); free some space"):
        model.predict(picture, out=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_picture_of_three_sequences_is_answered_once_or_thrice(model, tmp_path):
    planes = np.zeros((32, 32, 3), np.uint8)
    planes[:16, :16, 0], planes[:16, 16:, 1], planes[16:, 16:, 2] = 255, 255, 255  # T1, FLAIR, T1ce
    planes[0, 0] = 0
    path = tmp_path / "three.png"
    path.write_bytes(cv2.imencode(".png", planes[..., ::-1])[1].tobytes())
    assert [(f.slice, f.sequence, f.label) for f in model.predict(path)] == [(None, "FLAIR", "meningioma")]
    answers = [(f.slice, f.sequence, f.label) for f in model.predict(path, channels="all")]
    assert answers == [(None, "T1", "glioma"), (None, "FLAIR", "meningioma"), (None, "T1ce", "pituitary")]


def test_a_single_gray_level_and_a_stranger_are_refused(model, draw):
    bright = draw("bright.png", 0, 1, 2, 3)
    image = cv2.imread(str(bright))
    image[:2] = 0
    bright.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    empty, stranger = model.predict([draw("empty.png"), bright])
    assert empty.status == "refused"
    assert empty.flags[0] == "empty_slice"
    assert (stranger.status, stranger.flags[0]) == ("refused", "out_of_distribution")
    assert stranger.message == "unlike anything the model was trained on"
    assert stranger.probabilities is not None


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (700, 3)])
def test_odd_shapes_are_answered(model, tmp_path, shape):
    path = tmp_path / "odd.png"
    path.write_bytes(cv2.imencode(".png", np.arange(np.prod(shape), dtype=np.uint8).reshape(shape))[1].tobytes())
    (finding,) = model.predict(path, out=tmp_path / "out")
    assert finding.status in ("ok", "refused")
    assert finding.probabilities is not None


def test_slices_in_memory_give_arrays(model):
    planes = [np.zeros((32, 32), np.float32) for _ in range(BATCH + 3)]
    for number, plane in enumerate(planes):
        plane[:16, :16] = 1 if number % 2 else 0
        plane[31, 31] = 1
    out = model.predict_slices(planes)
    assert out.probabilities.shape == (BATCH + 3, 4)
    assert out.heatmap.shape == (BATCH + 3, 4, 16, 16)
    assert out.embedding.shape == (BATCH + 3, 256)
    assert out.outlier.shape == (BATCH + 3,)
    assert (out.probabilities.argmax(axis=1)[1::2] == 0).all()
    np.testing.assert_allclose(out.tumor, 1 - out.probabilities[:, 2], atol=1e-6)


def test_no_slices_give_empty_arrays(model):
    out = model.predict_slices([])
    assert out.probabilities.shape == (0, 4)
    assert out.heatmap.shape == (0, 4, 16, 16)


def test_who_stops_listening_is_left_in_peace(model, draw, tmp_path):
    for number in range(8 * BATCH):
        draw(f"many/{number:03d}.png", 0)
    findings = model.iter_findings(tmp_path / "many")
    assert next(findings).label == "glioma"
    findings.close()


def test_an_altered_model_and_a_file_that_is_none_are_errors(quadrant_model, tmp_path):
    content = bytearray(quadrant_model.read_bytes())
    at = content.index(b"quadrants, ") if b"quadrants, " in content else content.index(b"squares")
    content[at] ^= 1
    altered, letter = tmp_path / "altered.onnx", tmp_path / "letter.onnx"
    altered.write_bytes(content)
    letter.write_text("Dear doctor,")
    with pytest.raises(ModelFileError, match=r"altered\.onnx: was altered"):
        load(altered)
    with pytest.raises(ModelFileError, match="is not a readable ONNX model"):
        load(letter)
    with pytest.raises(ModelFileError, match="is not a file"):
        load(tmp_path / "gone.onnx")


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["masoud_7023", "navoneel_253", "lgg_kaggle_3m", "brats_slices", "open_ms"])
def test_pictures_of_the_public_sets_are_read(model, data_root, name):
    pictures = [path for path in sorted((data_root / name).rglob("*")) if path.suffix in (".jpg", ".png", ".tif")]
    sample = pictures[:: max(1, len(pictures) // 60)]
    findings = model.predict(sample)
    assert len(findings) == len(sample) >= 50
    assert not findings.failed
