"""Figures follow what findings say: one rule for calls, refusals, abstentions and prediction sets."""

import numpy as np
import pytest

from tumorscope.evaluation.outcome import Outcome, figures
from tumorscope.inference import decide
from tumorscope.model_file import Card, Thresholds
from tumorscope.preprocess import Spec

LIMITS = Thresholds(tumor=0.5, outlier=3.0, abstain=0.7, conformal=0.15)
CARD = Card(name="card", classes=("glioma", "meningioma", "notumor", "pituitary"), spec=Spec(), thresholds=LIMITS)
SURE, CLEAR, NEAR = [0.9, 0.05, 0.03, 0.02], [0.02, 0.03, 0.93, 0.02], [0.4999997, 0.0, 0.5000003, 0.0]


def outcome(probabilities, *, labels, outlier=0.0, is_empty=False, is_plain=False):
    n = len(probabilities)
    return Outcome(
        card=CARD,
        labels=np.array(labels),
        cover=np.array([[name == label for name in CARD.classes] for label in labels]),
        probabilities=np.array(probabilities, np.float64),
        outlier=np.broadcast_to(np.float64(outlier), n),
        pixels=np.full(n, 200.0),
        is_empty=np.broadcast_to(is_empty, n),
        pointing=np.full(n, np.nan),
        clusters=np.arange(n).astype(str),
        is_plain=is_plain,
    )


def test_a_call_is_that_of_the_finding_to_the_last_digit():
    said = decide(CARD, [NEAR])[0]
    measured = outcome([NEAR], labels=["glioma"])
    assert (said.label, said.tumor_probability) == ("glioma", 0.5)
    assert CARD.classes[measured.called[0]] == said.label


def test_a_plain_model_calls_the_likeliest_class():
    assert outcome([NEAR], labels=["glioma"], is_plain=True).called.tolist() == [2]


def test_an_empty_slice_counts_as_refused():
    measured = outcome([SURE, CLEAR, CLEAR], labels=["glioma", "notumor", "notumor"], is_empty=[False, False, True])
    found = figures(measured, only=("refused", "answered", "accuracy_answered"))
    assert found["refused"].value == pytest.approx(1 / 3)
    assert found["answered"].value == pytest.approx(2 / 3)
    assert found["accuracy_answered"].n == 2


def test_caution_is_counted_from_the_flags_of_findings():
    rows = [SURE, [0.2, 0.16, 0.59, 0.05], CLEAR]
    measured = outcome(rows, labels=["glioma", "meningioma", "notumor"], outlier=[0.0, 0.0, 3.1])
    found = figures(measured, only=("refused", "answered", "prediction_set_size", "prediction_set_coverage"))
    assert {name: round(figure.value, 3) for name, figure in found.items()} == {
        "refused": 0.333,
        "answered": 0.333,
        "prediction_set_size": 1.667,  # glioma; glioma, meningioma and notumor; notumor
        "prediction_set_coverage": 1.0,
    }


def test_parts_keep_what_is_known_of_their_slices():
    measured = outcome([SURE, CLEAR], labels=["glioma", "notumor"], is_empty=[True, False])
    assert measured.take(np.array([False, True])).decisions.refused.tolist() == [False]
    assert measured.take(np.array([True, False])).decisions.refused.tolist() == [True]
