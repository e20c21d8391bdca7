"""Thresholds, flags and labels from numbers that are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorscope.findings import FLAGS
from tumorscope.inference.decide import decide as decide_all
from tumorscope.model_file import Card, Thresholds
from tumorscope.preprocess import Spec

LIMITS = Thresholds(tumor=0.4, outlier=3.0, abstain=0.7, conformal=0.15)
CARD = Card(name="card", classes=("glioma", "meningioma", "notumor", "pituitary"), spec=Spec(), thresholds=LIMITS)


def decide(card, values, outlier, *, pixels=None, is_empty=False):
    sides = None if pixels is None else [pixels]
    return decide_all(card, values[None], [outlier], pixels=sides, is_empty=[is_empty])[0]


@pytest.mark.parametrize(
    ("values", "label", "flags", "prediction_set"),
    [
        ((0.9, 0.05, 0.03, 0.02), "glioma", [], ["glioma"]),
        ((0.02, 0.03, 0.9, 0.05), "notumor", [], ["notumor"]),
        ((0.2, 0.16, 0.59, 0.05), "glioma", ["abstain", "kind_unsure"], ["notumor", "glioma", "meningioma"]),
        ((0.45, 0.4, 0.05, 0.1), "glioma", ["kind_unsure"], ["glioma", "meningioma"]),
        ((0.13, 0.13, 0.61, 0.13), "notumor", ["abstain"], ["notumor"]),
        ((0.1, 0.1, 0.1, 0.7), "pituitary", [], ["pituitary"]),
    ],
)
def test_the_tumor_threshold_chooses_between_none_and_the_likeliest_kind(values, label, flags, prediction_set):
    said = decide(CARD, np.array(values, np.float32), 0.0)
    assert said.label == label
    assert said.flags == flags
    assert said.status == "ok"
    assert said.message is None
    assert said.prediction_set == prediction_set


def test_a_tumor_at_the_threshold_is_a_tumor_though_no_tumor_is_likelier():
    said = decide(CARD, np.array([0.3, 0.06, 0.6, 0.04], np.float32), 0.0)
    assert said.tumor_probability == 0.4
    assert said.label == "glioma"


def test_a_stranger_is_refused_and_keeps_its_numbers():
    said = decide(CARD, np.array([0.9, 0.05, 0.03, 0.02], np.float32), 3.1)
    assert (said.status, said.flags) == ("refused", ["out_of_distribution"])
    assert said.message == FLAGS["out_of_distribution"]
    assert said.label == "glioma"
    assert said.probabilities["glioma"] == 0.9


def test_without_a_fitted_outlier_limit_nothing_is_refused():
    card = CARD.model_copy(update={"thresholds": Thresholds(outlier=None)})
    assert decide(card, np.array([1, 0, 0, 0], np.float32), 1e9).status == "ok"


@pytest.mark.parametrize(("pixels", "flags"), [(63, ["low_resolution"]), (64, []), (None, [])])
def test_a_small_head_is_flagged_but_answered(pixels, flags):
    said = decide(CARD, np.array([1, 0, 0, 0], np.float32), 0.0, pixels=pixels)
    assert (said.flags, said.status) == (flags, "ok")


def test_an_empty_slice_is_refused():
    assert decide(CARD, np.array([0, 0, 1, 0], np.float32), 0.0, is_empty=True).status == "refused"


def test_a_model_without_the_class_notumor_always_names_a_kind():
    card = Card(name="kinds", classes=("glioma", "meningioma"), spec=Spec(), thresholds=LIMITS)
    said = decide(card, np.array([0.4, 0.6], np.float32), 0.0)
    assert (said.label, said.tumor_probability, said.flags) == ("meningioma", 1.0, ["kind_unsure"])


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 1), min_size=4, max_size=4), st.floats(0, 1))
def test_the_label_agrees_with_the_numbers_that_are_shown(weights, threshold):
    card = CARD.model_copy(update={"thresholds": Thresholds(tumor=threshold)})
    values = np.array(weights) / sum(weights)
    said = decide(card, values.astype(np.float32), 0.0)
    assert (said.label == "notumor") == (said.tumor_probability < threshold)
    tumors = {name: p for name, p in said.probabilities.items() if name != "notumor"}
    assert math.isclose(sum(tumors.values()), said.tumor_probability, abs_tol=1e-9)
    if said.label != "notumor":
        assert tumors[said.label] == max(tumors.values())
    assert max(said.probabilities, key=said.probabilities.get) in said.prediction_set


def test_slices_are_decided_together_as_alone():
    values = np.array([[0.9, 0.05, 0.03, 0.02], [0.2, 0.16, 0.59, 0.05], [0.0, 0.0, 1.0, 0.0]])
    said = decide_all(CARD, values, [3.1, np.nan, 0.0], pixels=[63, np.nan, 200], is_empty=[False, False, True])
    assert len(said) == 3
    assert said.labels.tolist() == [0, 0, 2]
    assert said.refused.tolist() == [True, False, True]
    assert said.prediction_sets.tolist() == [
        [True, False, False, False],
        [True, True, True, False],
        [False, False, True, False],
    ]
    assert {name: raised.tolist() for name, raised in said.flags.items()} == {
        "out_of_distribution": [True, False, False],
        "empty_slice": [False, False, True],
        "low_resolution": [True, False, False],
        "abstain": [False, True, False],
        "kind_unsure": [False, True, False],
    }
    assert [said[row].flags for row in range(3)] == [
        ["out_of_distribution", "low_resolution"],
        ["abstain", "kind_unsure"],
        ["empty_slice"],
    ]
    assert said[2].message == FLAGS["empty_slice"]
    assert len(decide_all(CARD, np.zeros((0, 4)))) == 0


@pytest.mark.parametrize(
    ("values", "change", "verdict"),
    [
        ((0.9, 0.05, 0.03, 0.02), {}, "tumor"),
        ((0.02, 0.03, 0.93, 0.02), {}, "notumor"),
        ((0.2, 0.16, 0.59, 0.05), {}, "unsure"),  # abstains
        ((0.02, 0.02, 0.81, 0.15), {}, "unsure"),  # a kind of tumor cannot be ruled out
        ((0.9, 0.05, 0.03, 0.02), {"outlier": 3.1}, "refused"),
        ((0.9, 0.05, 0.03, 0.02), {"is_empty": True}, "refused"),
    ],
)
def test_a_decision_is_one_word(values, change, verdict):
    assert decide(CARD, np.array(values), **{"outlier": 0.0} | change).verdict == verdict


def test_a_tumor_that_is_likelier_than_none_but_not_called_is_suspected_and_none_at_exactly_even():
    card = CARD.model_copy(update={"thresholds": Thresholds(tumor=0.9, conformal=0.3)})
    likelier = decide(card, np.array([0.2, 0.2, 0.4, 0.2]), 0.0)
    assert (likelier.label, likelier.is_suspected, likelier.verdict) == ("notumor", True, "unsure")
    even = decide(card, np.array([0.2, 0.2, 0.5, 0.1]), 0.0)
    assert (even.label, even.is_suspected, even.verdict) == ("notumor", False, "notumor")
