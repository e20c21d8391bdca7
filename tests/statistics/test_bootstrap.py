"""Intervals against what statistics promises."""

import numpy as np
import pytest

from tumorscope.statistics import bootstrap as b
from tumorscope.statistics import metrics as m
from tumorscope.statistics import paired_difference


def accuracy(right):
    return m.share("accuracy", right, np.ones(len(right), bool))


def test_the_interval_of_a_known_binomial():
    right = np.arange(400) < 320
    figure = b.estimate([accuracy(right)], np.arange(400))["accuracy"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert figure.value == 0.8
    assert figure.n == 400
    assert figure.interval == pytest.approx((0.8 - half, 0.8 + half), abs=0.006)


def test_copies_do_not_narrow_the_interval():
    right = np.arange(200) < 160
    alone = b.estimate([accuracy(right)], np.arange(200))["accuracy"].interval
    copied = b.estimate([accuracy(np.repeat(right, 9))], np.repeat(np.arange(200), 9))["accuracy"].interval
    assert copied == pytest.approx(alone, abs=1e-9)


def test_clusters_widen_the_interval_as_theory_says():
    right = np.repeat(np.arange(100) < 70, 10)
    low, high = b.estimate([accuracy(right)], np.repeat(np.arange(100), 10))["accuracy"].interval
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / 100), rel=0.1)


def test_intervals_cover_the_truth_about_as_often_as_promised():
    rng = np.random.default_rng(5)
    held = 0
    for trial in range(120):
        chance = np.repeat(rng.beta(8, 2, 60), 4)
        low, high = b.estimate([accuracy(rng.random(240) < chance)], np.repeat(np.arange(60), 4), seed=trial)[
            "accuracy"
        ].interval
        held += low <= 0.8 <= high
    assert held / 120 == pytest.approx(0.95, abs=0.055)


def test_degenerate_sets():
    perfect = b.estimate([accuracy(np.ones(100, bool))], np.arange(100))["accuracy"]
    assert perfect.interval == pytest.approx((0.025 ** (1 / 100), 1.0))
    none = b.estimate([accuracy(np.zeros(100, bool))], np.arange(100) // 2)["accuracy"]
    assert none.interval == pytest.approx((0.0, 1 - 0.025 ** (1 / 50)))
    few = b.estimate([accuracy(np.arange(40) < 30)], np.arange(40) % 4)["accuracy"]
    assert few.interval is None
    assert b.estimate([accuracy(np.zeros(0, bool))], np.zeros(0)) == {}
    one_side = m.auc("auc", np.arange(9.0), np.ones(9, bool), np.ones(9, bool))
    assert b.estimate([one_side], np.arange(9)) == {}
    apart = m.auc("auc", np.arange(40.0), np.arange(40) >= 30, np.ones(40, bool))
    assert b.estimate([apart], np.arange(40))["auc"].interval == pytest.approx((0.025**0.1, 1.0))


def test_a_paired_difference_sees_what_two_intervals_do_not():
    rng = np.random.default_rng(1)
    first = rng.random(1000) < 0.8
    second = first | (rng.random(1000) < 0.1)
    figure = paired_difference(accuracy(first), accuracy(second), np.arange(1000))
    assert figure.value == pytest.approx(second.mean() - first.mean())
    assert 0 < figure.interval[0] < figure.value < figure.interval[1] < 0.04
    same = paired_difference(accuracy(first), accuracy(first), np.arange(1000))
    assert (same.value, same.interval) == (0.0, (0.0, 0.0))


def test_the_seed_decides():
    rng = np.random.default_rng(2)
    positive, scores = rng.random(7000) < 0.5, rng.random(7000)
    measures = [accuracy(positive), m.auc("auc", scores, positive, np.ones(7000, bool))]
    first = b.estimate(measures, np.arange(7000), seed=3)
    assert first == b.estimate(measures, np.arange(7000), seed=3)
    assert first != b.estimate(measures, np.arange(7000), seed=4)
