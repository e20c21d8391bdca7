"""Verdict and sentence of a slice, from numbers that are known."""

import numpy as np
import pytest

from tumorscope.findings import ModelName
from tumorscope.inference import decide
from tumorscope.inference.sentences import FEW_PIXELS, listed, slice_finding
from tumorscope.model_file import Card, Thresholds
from tumorscope.preprocess import Spec

CLASSES = ("glioma", "meningioma", "notumor", "pituitary")
MODEL = ModelName(name="m", version="1", sha256="ab")


def finding(*values, classes=CLASSES, outlier=0.0, pixels=200, is_empty=False, **limits):
    chosen = {"tumor": 0.8724, "outlier": 3.0, "abstain": 0.0, "conformal": 0.15} | limits
    card = Card(name="card", classes=classes, spec=Spec(), thresholds=Thresholds(**chosen))
    said = decide(card, [values], [outlier], pixels=[pixels], is_empty=[is_empty])[0]
    return slice_finding(card, said, file="a.png", index=None, sequence="FLAIR", model=MODEL)


@pytest.mark.parametrize(
    ("values", "change", "verdict", "sentence"),
    [
        (
            (0.02, 0.03, 0.93, 0.02),
            {},
            "notumor",
            "No tumor seen. No kind of tumor that the model knows is left in question on this slice.",
        ),
        ((0.95, 0.02, 0.02, 0.01), {}, "tumor", "Tumor likely: glioma."),
        (
            (0.3, 0.02, 0.02, 0.66),
            {},
            "tumor",
            "Tumor likely: pituitary tumor or glioma. The kind is not sure. Pituitary tumor fits best; glioma cannot "
            "be ruled out.",
        ),
        (
            (0.5, 0.0, 0.5, 0.0),
            {"abstain": 0.7},
            "unsure",
            "Too close to call. The model abstains: it would be wrong too often either way. Look for yourself.",
        ),
        (
            (0.4, 0.4, 0.2, 0.0),
            {},
            "unsure",
            "Tumor suspected, not called. A tumor is likelier than none; the probability lies under the model's limit "
            "of 87.2%, but glioma and meningioma cannot be ruled out.",
        ),
        (
            (0.2, 0.1, 0.6, 0.1),
            {},
            "unsure",
            "No tumor called, not ruled out. The probability lies under the model's limit of 87.2%, but glioma cannot "
            "be ruled out.",
        ),
        (
            (0.14, 0.14, 0.44, 0.28),
            {"conformal": 0.3, "tumor": 0.95},
            "unsure",
            "Tumor suspected, not called. A tumor is likelier than none; the probability lies under the model's limit "
            "of 95%.",
        ),
        (
            (0.95, 0.02, 0.02, 0.01),
            {"is_empty": True},
            "refused",
            "No answer: refused. This picture is empty: it holds only one gray level. What the model would have said "
            "is not to be used.",
        ),
    ],
)
def test_a_finding_says_in_words_what_its_numbers_amount_to(values, change, verdict, sentence):
    found = finding(*values, **change)
    assert (found.verdict, found.sentence) == (verdict, sentence)
    assert (found.file, found.slice, found.sequence, found.kind) == ("a.png", None, "FLAIR", "slice")


def test_a_stranger_is_refused_in_words():
    found = finding(0.95, 0.02, 0.02, 0.01, outlier=3.1, pixels=20)
    assert found.sentence.startswith("No answer: refused. This does not look like a brain MRI the model knows:")
    assert FEW_PIXELS not in found.sentence


def test_few_pixels_are_told_of_behind_an_answer():
    found = finding(0.95, 0.02, 0.02, 0.01, pixels=20)
    assert (found.verdict, found.sentence) == ("tumor", f"Tumor likely: glioma. {FEW_PIXELS}.")


def test_a_tumor_of_an_unknown_kind_is_not_named_twice():
    assert finding(0.95, 0.05, classes=("tumor", "notumor")).sentence == "Tumor likely."


def test_exactly_at_the_limit_a_tumor_is_called():
    assert finding(0.4999997, 0.0, 0.5000003, 0.0, tumor=0.5, conformal=0.51).verdict == "tumor"
    assert np.isclose(finding(0.4999994, 0.0, 0.5000006, 0.0, tumor=0.5).tumor_probability, 0.499999)
    assert finding(0.4999994, 0.0, 0.5000006, 0.0, tumor=0.5, conformal=0.51).verdict == "notumor"


@pytest.mark.parametrize(
    ("words", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")]
)
def test_words_become_a_list(words, said):
    assert listed(words, "or") == said
