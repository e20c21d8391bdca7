"""Calibration against values derived by hand."""

import numpy as np
import pytest

from tumorscope.evaluation import calibration as cal
from tumorscope.statistics.metrics import calibration_error, confidence_bins

CLASSES = ("glioma", "meningioma", "notumor", "pituitary")
COARSE = [True, True, False, True]


def one_hot(labels, count=4):
    return np.eye(count, dtype=bool)[labels]


def test_temperature_is_recovered_from_logits_that_were_scaled():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20000, 4))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (p.cumsum(1) > rng.random((20000, 1))).argmax(1)
    assert cal.fit_temperature(3 * logits, one_hot(labels)) == pytest.approx(3, rel=0.05)
    assert cal.fit_temperature(logits.astype(np.float32), one_hot(labels)) == pytest.approx(1, rel=0.05)
    coarse = one_hot(labels)
    coarse[labels != 2] = COARSE
    assert cal.fit_temperature(3 * logits, coarse) == pytest.approx(3, rel=0.1)


def test_temperature_of_nothing_is_one_and_of_a_perfect_model_is_bounded():
    assert cal.fit_temperature(np.zeros((0, 4)), np.zeros((0, 4), bool)) == 1
    assert cal.fit_temperature(np.ones((3, 2)), np.ones((3, 2), bool)) == 1
    assert cal.fit_temperature(50 * np.eye(4), np.eye(4, dtype=bool)) >= cal.TEMPERATURES[0]
    assert cal.fit_temperature(-50 * np.eye(4), np.eye(4, dtype=bool)) == pytest.approx(10, rel=1e-3)


def test_known_ece_and_brier():
    confidence, right = np.array([0.9] * 10), np.array([True] * 8 + [False] * 2)
    assert calibration_error("", confidence, right, np.ones(10, bool)).value == pytest.approx(0.1)
    two_bins = calibration_error("", np.array([0.6, 0.8]), np.array([True, False]), np.ones(2, bool))
    assert two_bins.value == pytest.approx((0.4 + 0.8) / 2)
    assert confidence_bins(np.array([0.0, 0.1, 0.1001, 1.0]), 10).tolist() == [0, 0, 1, 9]
    p = np.array([[0.5, 0.2, 0.2, 0.1]])
    assert cal.brier_scores(p, one_hot([0]))[0] == pytest.approx(0.25 + 0.04 + 0.04 + 0.01)
    assert cal.brier_scores(p, np.array([COARSE]))[0] == pytest.approx(0.2**2 + 0.2**2)


def test_a_coarse_answer_is_summed():
    p = np.array([[0.3, 0.2, 0.4, 0.1]])
    confidence, right = cal.answers(p, np.array([COARSE]))
    assert (confidence[0], right[0]) == (pytest.approx(0.6), True)
    confidence, right = cal.answers(p, one_hot([0]))
    assert (confidence[0], right[0]) == (pytest.approx(0.4), False)
    assert cal.tumor_probability(p, CLASSES)[0] == pytest.approx(0.6)
    truth = cal.tumor_truth(np.array([COARSE, [0, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]], bool), CLASSES)
    np.testing.assert_array_equal(truth, [1, 0, np.nan, np.nan])


def test_the_tumor_threshold_keeps_specificity_and_stands_in_the_middle_of_a_gap():
    rng = np.random.default_rng(1)
    truth = np.arange(4000) % 2 == 0
    scores = 1 / (1 + np.exp(-rng.normal(np.where(truth, 2.5, -2.0), 1.5)))
    threshold = cal.choose_tumor_threshold(scores, truth)
    assert (scores[~truth] < threshold).mean() >= 0.95
    assert (scores[truth] >= threshold).mean() > 0.8
    weak = 1 / (1 + np.exp(-rng.normal(np.where(truth, 1.0, -1.0), 1.5)))
    assert cal.choose_tumor_threshold(weak, truth) == pytest.approx(0.5, abs=0.05), "too weak for it: balanced"
    apart = np.where(truth, 0.999, 0.001)
    assert cal.choose_tumor_threshold(apart, truth) == pytest.approx(0.5, abs=0.02)
    low = np.where(truth, 0.4, 0.01)
    assert 0.1 <= cal.choose_tumor_threshold(low, truth) < 0.3
    assert cal.choose_tumor_threshold(np.array([0.2]), np.array([True])) == 0.5


def test_abstaining_pays_and_has_a_limit():
    truth = np.ones(100, bool)
    scores = np.r_[np.full(4, 0.35), np.full(96, 0.8)]  # the four answer none at 0.65, wrong
    assert cal.choose_abstain(scores, truth, 0.5) == pytest.approx(0.8)
    half_wrong = np.r_[np.full(50, 0.3), np.full(50, 0.97)]
    assert cal.choose_abstain(half_wrong, truth, 0.5) == pytest.approx(0.7), "a tenth is not enough: its limit"
    assert cal.choose_abstain(np.full(100, 0.97), truth, 0.5) == 0.6, "no error, no reason"
    assert cal.choose_abstain(np.r_[np.full(4, 0.01), np.full(96, 0.995)], truth, 0.5) == 0.9
    assert cal.choose_abstain(np.zeros(0), np.zeros(0, bool), 0.5) == 0.6


def test_conformal_sets_hold_the_truth():
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.full(4, 0.7), 6000)
    labels = (p.cumsum(1) > rng.random((6000, 1))).argmax(1)
    fitted = cal.choose_conformal(p[:3000], one_hot(labels[:3000]))
    held = p[np.arange(3000, 6000), labels[3000:]] >= fitted
    assert held.mean() == pytest.approx(0.95, abs=0.015)
    assert cal.choose_conformal(np.eye(4), np.eye(4, dtype=bool)) == 0.0, "four slices prove no 95%"
    sure = np.tile([0.97, 0.01, 0.01, 0.01], (100, 1))
    assert cal.choose_conformal(sure, one_hot([0] * 100)) == cal.MAX_CONFORMAL


def test_thresholds_together():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, 500)
    p = 0.05 + 0.8 * np.eye(4)[labels]
    found = cal.fit_thresholds(p, np.arange(500.0), one_hot(labels), CLASSES)
    assert found.outlier == 495  # rank ceil(501 * 0.99) = 496 of 0..499
    assert 0.15 < found.tumor < 0.95
    assert found.coverage == 0.95
    assert cal.fit_thresholds(p[:0], np.zeros(0), one_hot(labels[:0]), CLASSES).tumor == 0.5


def test_temperature_can_be_undone():
    logits = np.random.default_rng(4).normal(0, 2, (10, 4))
    soft = lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True)  # noqa: E731
    np.testing.assert_allclose(cal.before_temperature(soft(logits / 2.5), 2.5), soft(logits), atol=1e-12)
