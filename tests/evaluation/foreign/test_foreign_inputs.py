"""What foreign models get and give: their own input, their own outputs, in our classes."""

import numpy as np
import pytest
import yaml

from tumorscope.evaluation.foreign import load_foreign
from tumorscope.evaluation.foreign.answers import to_probabilities
from tumorscope.evaluation.foreign.description import InputDescription
from tumorscope.evaluation.foreign.images import make_batch
from tumorscope.scans import read_slice

SIDE = 64


def test_yes_and_no_are_names_and_one_unit_tells_of_the_second(home, fitted, unseen):
    weights = fitted.coef_[1:].mean(axis=0) - fitted.coef_[0]
    home.write_graph("unit.onnx", weights[None], np.zeros(1))
    (home.folder / "unit.yaml").write_text(
        "name: unit\nmodel: unit.onnx\nclasses: [no, yes]\n"
        f"input: {{side: {SIDE}, color: rgb, scale: 0-1, crop: no}}\noutput: sigmoid\n"
    )
    model = load_foreign(home.folder / "unit.yaml")
    assert model.card.classes == ("notumor", "tumor")
    planes = [read_slice(file) for file in sorted(unseen.rglob("*.png"))[:5]]
    pixels = np.stack([plane.ravel() / 255 for plane in planes])
    expected = 1 / (1 + np.exp(-(pixels @ weights)))
    np.testing.assert_allclose(model.predict_slices(planes).probabilities[:, 1], expected, rtol=1e-4)


def test_outputs_of_one_class_are_summed(home):
    path = home.describe("kinds.yaml", classes=["normal", "HGG", "LGG", "pituitary_tumor"])
    model = load_foreign(path)
    assert model.card.classes == ("notumor", "glioma", "pituitary")
    plain = load_foreign(home.describe()).predict_slices([np.full((SIDE, SIDE), 90, np.float32)]).probabilities
    summed = model.predict_slices([np.full((SIDE, SIDE), 90, np.float32)]).probabilities
    np.testing.assert_allclose(summed, [[plain[0, 0], plain[0, 1] + plain[0, 2], plain[0, 3]]], atol=1e-9)


def test_a_graph_of_a_fixed_batch_answers_any_number(home, fitted):
    planes = list(np.random.default_rng(0).uniform(0, 255, (5, SIDE, SIDE)).astype(np.float32))
    home.write_graph("fixed.onnx", fitted.coef_, fitted.intercept_, batch=2)
    fixed = load_foreign(home.describe("fixed.yaml", model="fixed.onnx")).predict_slices(planes).probabilities
    np.testing.assert_allclose(
        fixed, load_foreign(home.describe()).predict_slices(planes).probabilities, rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"scale": "0-255"}, 51.0),
        ({"scale": "0-1"}, 0.2),
        ({"scale": "mean-std", "mean": [0.5], "std": [0.25]}, -1.2),
        ({"scale": "mean-std", "mean": [0.2, 0.1, 0.0], "std": [1, 0.5, 2]}, [0.0, 0.2, 0.1]),
        ({"scale": "0-255", "dtype": "uint8"}, 51),
    ],
)
def test_inputs_are_scaled_as_described(wanted, expected):
    described = InputDescription(side=32, layout="NHWC", **wanted)
    batch = make_batch([np.full((40, 40), 51, np.float32)], described)
    assert batch.dtype == described.dtype
    np.testing.assert_allclose(batch[0, 3, 5], np.broadcast_to(expected, 3), atol=1e-6)
    first = make_batch([np.full((40, 40), 51, np.float32)], described.model_copy(update={"layout": "NCHW"}))
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), batch)


def test_one_number_stands_for_every_channel():
    one = InputDescription(side=32, scale="mean-std", mean=0.5, std=0.25)
    assert (one.mean, one.std) == ((0.5,), (0.25,))


def test_letterbox_pads_and_stretch_does_not():
    wide = np.full((20, 80), 100, np.float32)
    kept = make_batch([wide], InputDescription(side=32, color="gray", scale="0-255", resize="letterbox"))[0, 0]
    assert (kept[:12] == 0).all()
    assert (kept[12:20] == 100).all()
    assert (make_batch([wide], InputDescription(side=32, color="gray", scale="0-255"))[0, 0] == 100).all()


def test_outputs_become_probabilities():
    np.testing.assert_allclose(to_probabilities(np.log([[1.0, 3.0]]), "logits"), [[0.25, 0.75]])
    np.testing.assert_allclose(to_probabilities(np.array([0.3]), "probabilities"), [[0.7, 0.3]])
    np.testing.assert_allclose(to_probabilities(np.array([[0.0], [np.log(3)]]), "logits"), [[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(to_probabilities(np.array([[0.0, 0.0, np.log(3)]]), "sigmoid")[0, 2], 0.75 / 1.75)
    np.testing.assert_allclose(to_probabilities(np.array([[-1e4, 1e4]]), "logits"), [[0, 1]])


def test_two_descriptions_with_a_module_of_one_name_have_each_its_own(tmp_path):
    for name, share in (("one", 0.25), ("other", 0.75)):
        folder = tmp_path / name
        folder.mkdir()
        code = f"import numpy as np\n\ndef predict(batch):\n    return np.full((len(batch), 1), {share})\n"
        (folder / "module_of_one_name.py").write_text(code)
        values = {"name": name, "call": "module_of_one_name:predict", "classes": ["no", "tumor"],
                  "input": {"side": 32}, "output": "probabilities"}  # fmt: skip
        (folder / "described.yaml").write_text(yaml.safe_dump(values))
    plane = np.ones((32, 32), np.float32)
    first, second = (load_foreign(tmp_path / name / "described.yaml") for name in ("one", "other"))
    assert first.predict_slices([plane]).probabilities[0, 1] == 0.25
    assert second.predict_slices([plane]).probabilities[0, 1] == 0.75
    assert first.file.sha256 != second.file.sha256
