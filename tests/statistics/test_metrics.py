"""Metrics against values derived by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as reference

from tumorscope.statistics import metrics as m

ALL = np.ones(4, bool)


def test_known_auc():
    scores, positive = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    assert m.auc("auc", scores, positive, ALL).value == pytest.approx(0.75)
    tied = m.auc("auc", np.full(4, 0.5), positive, ALL)
    assert (tied.value, tied.n) == (0.5, 4)
    assert np.isnan(m.auc("auc", scores, np.ones(4, bool), ALL).value)
    some = m.auc("auc", scores, positive, np.array([True, False, True, True]))
    assert (some.value, some.n) == (1.0, 3)


@pytest.mark.parametrize("decimals", [1, 8])
def test_rankings_agree_with_scikit_learn_with_weights(decimals):
    rng = np.random.default_rng(0)
    positive = rng.random(300) < 0.3
    scores = np.round(rng.normal(positive, 1.0), decimals)
    rows, weights = np.ones(300, bool), rng.integers(0, 4, (5, 300)).astype(float)
    areas = m.auc("", scores, positive, rows).compute(weights)
    precisions = m.average_precision("", scores, positive, rows).compute(weights)
    for w, area, precision in zip(weights, areas, precisions, strict=True):
        assert area == pytest.approx(reference.roc_auc_score(positive, scores, sample_weight=w))
        assert precision == pytest.approx(reference.average_precision_score(positive, scores, sample_weight=w))


def test_sensitivity_at_a_specificity():
    scores = np.r_[np.arange(20), [17.5, 18.5, 19.5, 25]].astype(float)
    positive = np.arange(24) >= 20
    rows = np.ones(24, bool)
    assert m.sensitivity_at("", scores, positive, rows, 0.95).value == pytest.approx(0.75)  # 18.5 and above
    assert m.sensitivity_at("", scores, positive, rows, 1.0).value == pytest.approx(0.5)
    doubled = np.where(scores == 19, 3.0, 1.0)[None]  # now the one negative weighs 3 of 22: it must not be let through
    assert m.sensitivity_at("", scores, positive, rows, 0.95).compute(doubled)[0] == pytest.approx(0.5)


def test_shares_precision_and_f1():
    called = np.array([True, True, True, False, False])
    positive = np.array([True, True, False, True, False])
    rows = np.ones(5, bool)
    assert m.share("", called, positive).value == pytest.approx(2 / 3)
    assert m.precision("", called, positive, rows).value == pytest.approx(2 / 3)
    assert m.f1("", called, positive, rows).value == pytest.approx(2 / 3)
    assert np.isnan(m.precision("", np.zeros(5, bool), positive, rows).value), "never called: not defined"
    assert m.f1("", np.zeros(5, bool), positive, rows).value == 0


def test_balanced_accuracy_averages_over_labels():
    right = np.array([True, True, True, False])
    strata = [np.array([True, True, True, False]), np.array([False, False, False, True])]
    assert m.balanced_accuracy("", right, strata).value == pytest.approx(0.5)


def test_predictive_values_follow_bayes():
    positive = np.r_[np.ones(10, bool), np.zeros(10, bool)]
    called = np.r_[np.ones(9, bool), False, True, np.zeros(9, bool)]  # sensitivity and specificity 0.9
    rows = np.ones(20, bool)
    assert m.predictive_value("", called, positive, rows, 0.05).value == pytest.approx(0.045 / (0.045 + 0.095))
    assert m.predictive_value("", called, positive, rows, 0.05, of=False).value == pytest.approx(0.855 / 0.86)


def test_calibration_error_of_part_of_the_rows():
    confidence = np.array([0.9] * 10 + [0.6] * 5)
    right = np.array([True] * 8 + [False] * 7)
    rows = np.arange(15) < 10
    assert m.calibration_error("", confidence, right, rows).value == pytest.approx(0.1)
    assert m.calibration_error("", confidence, right, np.ones(15, bool)).value == pytest.approx((1 + 3) / 15)
