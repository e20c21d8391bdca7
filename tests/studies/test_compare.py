"""Statistics against values known by hand, by scipy, or by simulation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tumorscope.errors import StudyError
from tumorscope.statistics import mcnemar
from tumorscope.studies.answers import Answers, read_answers
from tumorscope.studies.compare import (
    class_figures,
    difference,
    figure,
    mean_difference,
    seed_values,
)


def answers(right, *, labels=None, clusters=None, tumor=None, answered=None, seeds=None, called=None):
    """Answers with slices in rows and seeds in columns."""
    right = np.asarray(right, bool)
    right = right[:, None] if right.ndim == 1 else right
    n, columns = right.shape
    labels = np.array(labels if labels is not None else ["glioma"] * n)
    answered = np.ones_like(right) if answered is None else np.asarray(answered, bool)
    other = np.where(labels == "notumor", "glioma", "notumor")
    return Answers(
        keys=np.array([f"{i:05d}" for i in range(n)]),
        labels=labels,
        clusters=np.array(clusters if clusters is not None else [f"c{i}" for i in range(n)]),
        seeds=tuple(range(columns)) if seeds is None else seeds,
        answered=answered,
        right=right,
        called=np.where(right, labels[:, None], other[:, None]) if called is None else np.array(called),
        tumor=np.full(right.shape, 0.5) if tumor is None else np.asarray(tumor, float),
    )


def test_accuracy_over_seeds_is_the_mean_over_slices_of_how_often_each_was_right():
    found = answers([[1, 1], [1, 0], [0, 0], [1, 1], [0, 1], [1, 1]])
    assert figure("accuracy", found).value == pytest.approx((1 + 0.5 + 0 + 1 + 0.5 + 1) / 6)
    assert seed_values("accuracy", found) == {0: pytest.approx(4 / 6), 1: pytest.approx(4 / 6)}
    np.testing.assert_allclose(found.share_right, [1, 0.5, 0, 1, 0.5, 1])


def test_recall_and_precision_of_each_class_are_means_over_seeds():
    found = answers(
        [[1, 1], [0, 1], [1, 0], [1, 1], [1, 1]],
        labels=["glioma", "glioma", "notumor", "notumor", "tumor"],
        called=[["glioma", "glioma"], ["notumor", "glioma"], ["notumor", "pituitary"], ["notumor"] * 2, ["glioma"] * 2],
    )
    said = {
        (name, what): (value.value, value.n)
        for name, figures in class_figures(found).items()
        for what, value in figures.items()
    }
    assert said == {
        ("glioma", "recall"): (pytest.approx((1 / 2 + 1) / 2), 2),
        ("glioma", "precision"): (1, 3),  # a coarse label covers what was called
        ("notumor", "recall"): (pytest.approx((1 + 1 / 2) / 2), 2),
        ("notumor", "precision"): (pytest.approx((2 / 3 + 1) / 2), 3),
        ("pituitary", "precision"): (0, 1),
        ("tumor", "recall"): (1, 1),
    }


def test_seeds_that_measured_other_slices_are_averaged_as_seeds():
    found = answers([[1, 0], [0, 1], [1, 0]], answered=[[1, 0], [1, 1], [0, 1]])
    assert found.n == 3
    assert figure("accuracy", found).value == pytest.approx((1 / 2 + 1 / 2) / 2)


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "sensitivity"])
def test_a_seed_of_which_no_slice_is_left_is_left_out(metric):
    found = answers([[1, 0], [0, 0], [1, 0], [1, 0]], answered=[[1, 0]] * 4)
    assert figure(metric, found).value == pytest.approx(3 / 4)
    assert figure(metric, answers([1, 0], answered=[[0], [0]])) is None


def test_metrics_of_tumor_against_none_by_hand():
    labels = ["glioma", "glioma", "glioma", "notumor", "notumor"]
    found = answers([1, 1, 0, 1, 0], labels=labels, tumor=[[0.9], [0.8], [0.3], [0.2], [0.6]])
    assert figure("sensitivity", found).value == pytest.approx(2 / 3)
    assert figure("specificity", found).value == pytest.approx(1 / 2)
    assert figure("balanced_accuracy", found).value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert figure("auc", found).value == pytest.approx(5 / 6), "one of six pairs is the wrong way round"
    assert figure("auc", answers([1, 0])) is None, "no tumor-free slice, no AUC"


def test_a_run_that_can_call_nothing_but_tumors_has_no_sensitivity():
    found = replace(answers([1, 1, 0, 1, 1, 1]), tells_tumors=False)
    assert figure("sensitivity", found) is None
    assert figure("accuracy", found).n == 6


@pytest.mark.parametrize(("first_only", "second_only"), [(0, 0), (1, 9), (7, 7), (30, 12), (0, 4)])
def test_mcnemar_is_the_binomial_test_of_the_discordant_slices(first_only, second_only):
    total = first_only + second_only
    wanted = binomtest(first_only, total, 0.5).pvalue if total else 1.0
    assert mcnemar(first_only, second_only) == pytest.approx(wanted)


def test_a_difference_counts_only_what_both_answered():
    first = answers([1, 1, 1, 0, 0, 1], answered=np.array([[1], [1], [1], [1], [0], [1]]))
    second = answers([1, 0, 0, 1, 1, 1], answered=np.array([[1], [1], [1], [1], [1], [0]]))
    found = difference("accuracy", first, second)
    assert (found.n, found.first_only, found.second_only) == (4, 2, 1)
    assert found.value == pytest.approx(1 / 4)
    assert found.p == pytest.approx(1.0)


def test_equal_runs_do_not_differ_and_better_ones_do():
    rng = np.random.default_rng(0)
    right = rng.random(200) < 0.7
    better = right | (rng.random(200) < 0.4)
    assert not difference("accuracy", answers(right), answers(right)).is_real
    found = difference("accuracy", answers(better), answers(right))
    assert found.is_real
    assert found.value > 0
    assert found.p < 0.001


def test_runs_without_a_common_slice_have_no_difference():
    first, second = answers([1, 0], answered=[[1], [0]]), answers([1, 0], answered=[[0], [1]])
    assert difference("accuracy", first, second) is None
    assert mean_difference("accuracy", [(first, second)]) is None
    other_seed = answers([1, 0], seeds=(7,))
    assert difference("accuracy", answers([1, 0]), other_seed) is None


def test_the_interval_of_a_difference_covers_the_true_one_though_slices_of_a_patient_agree():
    rng, patients, slices, hits, narrow = np.random.default_rng(1), 60, 5, 0, 0
    clusters = np.repeat([f"p{i}" for i in range(patients)], slices)
    trials = 120
    for _ in range(trials):
        hardness = np.repeat(rng.normal(0, 1.2, patients), slices)
        gain = np.repeat(rng.normal(0.6, 0.8, patients), slices)
        second = hardness + rng.normal(size=patients * slices) < 0.5
        first = hardness - gain + rng.normal(size=patients * slices) < 0.5
        found = difference("accuracy", answers(first, clusters=clusters), answers(second, clusters=clusters))
        alone = difference("accuracy", answers(first), answers(second))
        true = _true_difference()
        hits += found.interval[0] <= true <= found.interval[1]
        narrow += alone.interval[0] <= true <= alone.interval[1]
    assert 0.88 <= hits / trials <= 0.995
    assert narrow < hits, "resampling slices instead of patients covers less"


def _true_difference():
    from scipy.stats import norm

    second = norm.cdf(0.5 / np.sqrt(1 + 1.2**2))
    first = norm.cdf((0.5 + 0.6) / np.sqrt(1 + 1.2**2 + 0.8**2))
    return first - second


def test_the_mean_difference_over_pairs_of_runs_is_the_mean_of_their_differences():
    rng = np.random.default_rng(2)
    runs = [answers(rng.random(80) < share) for share in (0.9, 0.6, 0.8, 0.7)]
    found = mean_difference("accuracy", [(runs[0], runs[1]), (runs[2], runs[3])])
    single = [difference("accuracy", *pair).value for pair in (runs[:2], runs[2:])]
    assert found.value == pytest.approx(np.mean(single))
    assert found.interval[0] < found.value < found.interval[1]


def test_findings_of_folds_are_pooled_and_left_out_slices_stay_out(tmp_path):
    files = [(0, findings(tmp_path, "a", ["x", "y"], seen=[False, True])), (0, findings(tmp_path, "b", ["z"]))]
    full, twin_free = read_answers(files, "full"), read_answers(files, "twin_free")
    assert list(full.keys) == ["set/x##", "set/y##", "set/z##"]
    assert list(twin_free.keys) == ["set/x##", "set/z##"]
    assert list(read_answers(files, "copies").keys) == ["set/y##"]
    with pytest.raises(StudyError, match="answered twice"):
        read_answers([files[0], files[0]], "full")
    two = read_answers([files[0], (1, files[0][1])], "full")
    assert two.answered.shape == (2, 2)


def test_a_call_is_the_likeliest_class_and_a_coarse_label_covers_every_kind(tmp_path):
    path = findings(tmp_path, "a", ["x", "y", "z"])
    table = pd.read_csv(path).assign(p_glioma=[0.3, 0.5, 0.2], label=["glioma", "tumor", "notumor"])
    kinds = table.assign(label=["notumor", "astrocytoma", "schwannoma"], p_glioma=[0.3, 0.5, 0.5])
    kinds.to_csv(path, index=False)
    assert read_answers([(0, path)], "full").right[:, 0].all(), "a kind is met by its class, or by any tumor"
    table.to_csv(path, index=False)
    found = read_answers([(0, path)], "full")
    assert found.called[:, 0].tolist() == ["notumor", "glioma", "notumor"]
    assert found.right[:, 0].tolist() == [False, True, True]
    table.drop(columns=["p_glioma", "p_notumor", "p_pituitary"]).to_csv(path, index=False)
    with pytest.raises(StudyError, match="not a readable table of findings"):
        read_answers([(0, path)], "full")


def findings(folder, name, paths, seen=None):
    count = len(paths)
    table = pd.DataFrame(
        {"dataset": "set", "path": paths, "channel": "", "patient": "", "label": "glioma", "cluster": paths,
         "p_glioma": 0.3, "p_notumor": 0.4, "p_pituitary": 0.3, "tumor_probability": 0.6, "counted": True,
         "twin_seen": seen or [False] * count, "group_seen": False}
    )  # fmt: skip
    path = folder / f"{name}.csv"
    table.to_csv(path, index=False)
    return path
