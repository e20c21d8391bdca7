"""What is written is read; what is none of ours, damaged or altered is told in one line."""

import json
import os

import numpy as np
import pytest
from pydantic import ValidationError

from tumorscope.errors import ModelFileError
from tumorscope.model_file import CARD_KEY, SEAL_KEY, Card, parse_card, read_model, write_model
from tumorscope.preprocess import Spec

onnx = pytest.importorskip("onnx")


def _reseal(source, target, **metadata):
    """Write a model file again with other metadata and no seal of ours."""
    proto = onnx.load(source)
    values = {entry.key: entry.value for entry in proto.metadata_props} | metadata
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, {key: value for key, value in values.items() if value is not None})
    target.write_bytes(proto.SerializeToString())
    return target


def test_the_card_comes_back_and_the_graph_runs(quadrant_model, quadrant_card):
    file = read_model(quadrant_model, threads=1)
    assert file.card == quadrant_card
    images = np.zeros((3, 32, 32, 1), np.uint8)
    images[1, :16, :16] = 255
    out = file.run(images)
    assert out["probabilities"].shape == (3, 4)
    np.testing.assert_allclose(out["probabilities"][[0, 2]], 0.25, atol=1e-6)
    odds = np.exp(8.0)
    np.testing.assert_allclose(out["probabilities"][1], np.array([odds, 1, 1, 1]) / (odds + 3), atol=1e-6)


def test_another_card_on_the_same_graph(quadrant_model, quadrant_card, tmp_path):
    other = quadrant_card.model_copy(update={"name": "other"})
    write_model(quadrant_model, other, tmp_path / "other.onnx", prints="a text of prints")
    file = read_model(tmp_path / "other.onnx")
    assert (file.card.name, file.prints) == ("other", "a text of prints")
    assert file.sha256 != read_model(quadrant_model).sha256
    assert os.listdir(tmp_path) == ["other.onnx"]


def test_one_model_gives_one_file(quadrant_model, quadrant_card, tmp_path):
    write_model(quadrant_model, quadrant_card, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == quadrant_model.read_bytes()


def test_every_flipped_byte_is_noticed(quadrant_model, tmp_path):
    content = quadrant_model.read_bytes()
    path = tmp_path / "altered.onnx"
    for at in range(0, len(content), max(1, len(content) // 60)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(ModelFileError) as caught:
            read_model(path)
        assert caught.value.file == str(path)
        assert caught.value.remedy


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_file_is_told(quadrant_model, tmp_path, share):
    content = quadrant_model.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFileError, match=r"cut\.onnx: (has 0 bytes|is not a readable ONNX model|has)"):
        read_model(path)


def test_a_graph_without_a_card_and_one_without_a_seal_are_told(quadrant_model, tmp_path):
    with pytest.raises(ModelFileError, match="has no tumorscope card; give a model that tumorscope train wrote"):
        read_model(_reseal(quadrant_model, tmp_path / "plain.onnx", **{CARD_KEY: None}))
    with pytest.raises(ModelFileError, match="was altered"):
        read_model(_reseal(quadrant_model, tmp_path / "unsealed.onnx", **{SEAL_KEY: None}))


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    for path in (tmp_path / "gone.onnx", tmp_path):
        with pytest.raises(ModelFileError, match=r"is not a file; give the path of a \.onnx model file"):
            read_model(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"classes": ("glioma", "notumor")}, r"does not fit its card \(4 outputs for 2 classes\)"),
        ({"spec": Spec(side=64)}, r"does not fit its card \(input"),
        ({"spec": Spec(side=32, channels="lgg")}, r"does not fit its card \(input"),
    ],
)
def test_a_card_of_another_graph_is_refused_and_nothing_is_written(
    quadrant_model, quadrant_card, tmp_path, change, said
):
    with pytest.raises(ModelFileError, match=said):
        write_model(quadrant_model, quadrant_card.model_copy(update=change), tmp_path / "wrong.onnx")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("no json", "has a damaged card"),
        ("[1]", "has a damaged card"),
        ({"format": 2}, "is of format 2, this tumorscope reads 1; use the tumorscope that wrote it, or a newer one"),
        ({"secret": 1}, r"has a wrong card \(secret: extra inputs are not permitted\)"),
        ({"classes": ["glioma"]}, r"has a wrong card \(classes: "),
        ({"temperature": 0}, r"has a wrong card \(temperature: "),
    ],
)
def test_a_card_that_cannot_be_understood_is_told(quadrant_card, tmp_path, change, said):
    text = change if isinstance(change, str) else json.dumps(json.loads(quadrant_card.model_dump_json()) | change)
    with pytest.raises(ModelFileError, match=said):
        parse_card(text, tmp_path / "model.onnx")


def test_all_classes_but_notumor_are_a_tumor():
    card = Card(name="any", classes=("notumor", "abscess", "glioma"), spec=Spec())
    assert card.tumor_classes == (1, 2)
    with pytest.raises(ValidationError):
        card.name = "other"  # type: ignore[misc]
