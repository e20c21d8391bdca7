import numpy as np
import pandas as pd
import pytest

from tumorscope.audits import probes
from tumorscope.audits.probes import (
    copy_baseline,
    copy_baseline_folds,
    labels_agree,
    nearest_neighbors,
    score_answers,
    source_probe,
)
from tumorscope.audits.properties import file_properties, properties_by_class
from tumorscope.evaluation.baselines import Baseline


def random_thumbs(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 64), dtype=np.uint8)


def test_nearest_neighbors_agree_with_counting_every_distance() -> None:
    train, test = random_thumbs(40), random_thumbs(700, seed=1)
    exact = ((train[None].astype(np.int64) - test[:, None]) ** 2).sum(axis=(2, 3)).argmin(axis=1)
    np.testing.assert_array_equal(nearest_neighbors(train, test), exact)


def test_of_equal_neighbors_the_first_is_taken() -> None:
    train = random_thumbs(9)
    train[7] = train[3]
    assert nearest_neighbors(train, train[7:8])[0] == 3


def test_copy_baseline_scores_the_share_of_planted_copies() -> None:
    train = random_thumbs(10)
    labels = ["glioma"] * 5 + ["notumor"] * 5
    score = copy_baseline(train, labels, train[[0, 5, 6, 9]], ["glioma", "notumor", "glioma", "notumor"])
    assert score.accuracy == 0.75
    assert score.n == 4
    assert score.majority == 0.5
    np.testing.assert_array_equal(score.right, [True, True, False, True])


def test_part_of_a_score_is_counted_over_the_chosen_slices() -> None:
    train = random_thumbs(4)
    labels = ["a", "a", "b", "b"]
    score = copy_baseline(train, labels, train, ["a", "b", "b", "a"])
    tested = ["a", "b", "b", "a"]
    part = score_answers(score.right, tested, np.arange(4), "first two", np.array([True, True, False, False]))
    assert (part.accuracy, part.n, part.note) == (0.5, 2, "first two")
    assert score_answers(score.right, tested, np.arange(4), "none", np.zeros(4, bool)).accuracy is None


def test_folds_find_copies_of_each_other_whatever_the_seed() -> None:
    thumbs = np.repeat(random_thumbs(10), 12, axis=0)
    labels = np.repeat([f"class {i}" for i in range(10)], 12)
    for seed in range(3):
        assert copy_baseline_folds(thumbs, list(labels), seed=seed).accuracy == 1.0


def test_a_sample_is_taken_where_there_are_too_many_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MAX_COMPARISONS", 200)
    score = copy_baseline(random_thumbs(20), ["a"] * 20, random_thumbs(50), ["a"] * 50)
    assert score.n == 10
    assert "a random 10 of 50 slices" in score.note


def test_nothing_to_compare_is_said_and_not_counted() -> None:
    empty = np.zeros((0, 64, 64), np.uint8)
    assert copy_baseline(empty, [], random_thumbs(2), ["a", "b"]).to_json() == {
        "accuracy": None,
        "n": 0,
        "interval": None,
        "majority": None,
        "note": "no slices to compare",
    }


@pytest.mark.parametrize(
    ("given", "truth", "agree"),
    [
        ("glioma", "glioma", True),
        ("glioma", "tumor", True),
        ("tumor", "meningioma", True),
        ("notumor", "tumor", False),
        ("tumor", "notumor", False),
        ("lesion", "tumor", False),
        ("glioma", "pituitary", False),
    ],
)
def test_a_coarse_label_agrees_with_every_tumor_class(given: str, truth: str, agree: bool) -> None:
    assert labels_agree([given], [truth])[0] == agree


def test_interval_is_wider_when_slices_come_in_clusters() -> None:
    right, labels = np.tile([1.0, 0.0], 200), ["glioma"] * 400
    alone = score_answers(right, labels, np.arange(400), "").interval
    together = score_answers(np.sort(right), labels, np.arange(400) // 40, "").interval
    assert alone == pytest.approx((0.451, 0.549), abs=0.008)  # 0.5 +- 1.96 * sqrt(0.25 / 400)
    assert together == pytest.approx((0.19, 0.81), abs=0.12)  # ten clusters: 0.5 +- 1.96 * sqrt(0.25 / 10)


def test_interval_of_a_perfect_score_is_not_a_point() -> None:
    labels = ["glioma"] * 10
    assert score_answers(np.ones(10), labels, np.arange(10), "").interval == pytest.approx((0.6915, 1.0), abs=1e-4)
    assert score_answers(np.zeros(10), labels, np.arange(10), "").interval == pytest.approx((0.0, 0.3085), abs=1e-4)


def test_of_four_clusters_no_interval_is_given() -> None:
    train, labels = random_thumbs(40), ["glioma"] * 20 + ["notumor"] * 20
    wrong = np.arange(40) < 10
    told = np.where(wrong, "notumor", labels).tolist()
    score = copy_baseline(train, labels, train, told, np.arange(40) // 10)
    assert (score.accuracy, score.n, score.interval) == (0.75, 40, None)
    assert score.to_json()["interval"] is None


def test_audit_and_evaluation_give_the_copy_baseline_one_interval() -> None:
    train, labels = random_thumbs(60), ["glioma"] * 30 + ["notumor"] * 30
    told, clusters = np.roll(labels, 7).tolist(), np.arange(60) // 3
    audited = copy_baseline(train, labels, train, told, clusters, seed=3)
    evaluated = Baseline(audited.right, audited.note).to_json(np.array(told), clusters.astype(str), seed=3)
    assert evaluated == audited.to_json(digits=6)
    assert evaluated["interval"] is not None


def catalog_rows(count: int, modes: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "path": [f"{i}.jpg" for i in range(count)],
            "file": [__file__] * count,
            "mode": modes,
            "width": [100] * count,
            "height": [50] * count,
        }
    )


def test_properties_hold_size_border_and_histogram() -> None:
    thumbs = np.zeros((1, 64, 64), np.uint8)
    thumbs[0, 10:50, 20:60] = 200
    row = file_properties(catalog_rows(1, ["L"]), thumbs).iloc[0]
    margins = (row["margin_top"], row["margin_bottom"], row["margin_left"], row["margin_right"])
    assert margins == (10, 14, 20, 4)
    assert row["aspect"] == 2.0
    assert row["edge_mean"] == 0.0
    assert row["level_0"] == pytest.approx(1 - 40 * 40 / 64**2)
    assert row["level_12"] == pytest.approx(40 * 40 / 64**2)


def test_probe_sees_that_the_mode_gives_the_label_away() -> None:
    modes = ["L", "RGB"] * 60
    labels = ["glioma", "notumor"] * 60
    properties = file_properties(catalog_rows(120, modes), random_thumbs(120))
    told = source_probe(properties, labels, np.arange(120))
    assert told.accuracy == 1.0
    blind = source_probe(properties.drop(columns="mode"), labels, np.arange(120))
    assert blind.accuracy is not None
    assert 0.25 < blind.accuracy < 0.75
    assert blind.majority == 0.5


def test_probe_cuts_no_group() -> None:
    """Each group has a width of its own and a random label: only a fold that cuts groups could learn it."""
    groups = np.repeat(np.arange(30), 8)
    rows = catalog_rows(240, ["L"] * 240).assign(width=100 + groups)
    labels = np.random.default_rng(0).choice(["glioma", "notumor"], 30)[groups]
    thumbs = np.repeat(random_thumbs(1), 240, axis=0)
    score = source_probe(file_properties(rows, thumbs), list(labels), groups)
    assert score.accuracy is not None
    assert score.accuracy < 0.75


def test_probe_says_when_it_cannot_be_measured() -> None:
    properties = file_properties(catalog_rows(4, ["L"] * 4), random_thumbs(4))
    assert source_probe(properties, ["a", "a", "b", "b"], [0, 1, 2, 2]).accuracy is None
    assert source_probe(properties, ["a"] * 4, range(4)).accuracy is None


def test_probe_says_nothing_where_one_group_holds_nearly_all_of_a_class() -> None:
    """A fold that tests it has next to nothing to learn the class from: its low figure would pass for a clean set."""
    groups = np.concatenate([np.zeros(55, int), np.arange(1, 66)])
    labels = ["glioma"] * 60 + ["notumor"] * 60
    properties = file_properties(catalog_rows(120, ["L"] * 120), random_thumbs(120))
    score = source_probe(properties, labels, groups)
    assert (score.accuracy, score.n) == (None, 0)
    assert "nearly all slices of 'glioma' are of one group" in score.note
    assert source_probe(properties, labels, np.arange(120) // 2).accuracy is not None


def test_a_class_is_described_by_what_is_brighter_than_the_background() -> None:
    thumbs = np.zeros((2, 64, 64), np.uint8)
    thumbs[0, :32], thumbs[1, :16], thumbs[1, 16:32] = 100, 50, 150
    rows = catalog_rows(2, ["L", "RGB"]).assign(label="glioma", sequence=["", "T2"])
    (described,) = properties_by_class(rows, thumbs)
    assert described == {
        "label": "glioma",
        "n": 2,
        "median_width": 100,
        "median_height": 50,
        "sizes": 1,
        "modes": {"L": 0.5, "RGB": 0.5},
        "sequences": {"unknown": 0.5, "T2": 0.5},
        "brightness": 100.0,
        "contrast": 25.0,
    }
