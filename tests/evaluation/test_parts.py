"""Overlap, pointing, curves and charts against values derived by hand."""

import numpy as np
import pandas as pd
import pytest

from tumorscope.catalog import Catalog
from tumorscope.evaluation import curves
from tumorscope.evaluation.overlap import find_overlap
from tumorscope.evaluation.pointing import peak, points_inside
from tumorscope.pages import charts
from tumorscope.preprocess import Placement


def rows(*given):
    columns = ("dataset", "path", "sha256", "twin_of", "group", "split")
    unknown = pd.array([pd.NA] * len(given), dtype="Int64")
    return pd.DataFrame(given, columns=columns).assign(series="", slice=unknown, channel=unknown)


def test_overlap_follows_twins_and_groups():
    table = rows(
        ("a", "1", "s1", "", "g1", "train"),
        ("a", "2", "s2", "1", "g1", "test"),  # a twin of a training slice
        ("a", "3", "s3", "", "g1", "test"),  # its patient
        ("a", "4", "s4", "", "g2", "test"),  # nothing
        ("a", "5", "s5", "4", "g2", "val"),  # makes 4 a twin of validation
        ("b", "1", "s6", "", "g3", "test"),  # same path, another set: no twin
        ("b", "7", "s7", "", "g4", ""),
    )
    found = find_overlap(Catalog(table, {}), trained_on=table)
    assert found.seen.tolist() == [True, False, False, False, True, False, False]
    assert found.twin.tolist() == [True, True, False, True, True, False, False]
    assert found.group.tolist() == [True, True, True, True, True, False, False]
    assert found.groups_known
    other = rows(("c", "x", "s1", "", "h1", ""), ("c", "y", "t1", "x", "h1", ""), ("c", "z", "t2", "", "h2", ""))
    found = find_overlap(Catalog(other, {}), trained_on=table)
    assert found.twin.tolist() == [True, True, False]
    assert not found.groups_known
    moved = rows(("c", "q", "s3", "", "h9", ""))
    assert find_overlap(Catalog(moved, {}), trained_on=table).group.tolist() == [True], "the run knows its group"


def test_a_twin_of_another_set_is_not_that_of_the_file_with_its_name_here():
    table = rows(
        ("a", "1", "s1", "", "g1", "train"),
        ("b", "1", "s2", "", "g2", "test"),
        ("b", "2", "s3", "a/1", "g1", "test"),
        ("b", "3", "s4", "1", "g2", "test"),
    )
    assert find_overlap(Catalog(table, {}), trained_on=table).twin.tolist() == [True, False, True, False]


def test_a_peak_is_brought_back_to_the_slice():
    placement = Placement(box=(20, 40, 100, 50), frame=(0, 16, 64, 32), side=64)
    heatmap = np.full((8, 8), -3.0, np.float32)
    heatmap[2, 4] = -1.0  # middle of the cell: input (20, 36), hence slice (20 + 20 * 100 / 64, 40 + 20 * 50 / 32)
    row, column = peak(heatmap, placement, (200, 200))
    assert abs(row - 51) <= 2
    assert abs(column - 71) <= 2


def test_a_heatmap_points_inside_or_beside_the_mask():
    placement = Placement((0, 0, 32, 32), (0, 0, 32, 32), 32)
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[0, 0] = 1
    inside, outside = (np.zeros((32, 32), bool) for _ in range(2))
    inside[:8, :8], outside[20:, 20:] = True, True
    assert points_inside(heatmap, inside, placement)
    assert not points_inside(heatmap, outside, placement)


def test_curves_have_the_points_of_the_textbook():
    scores, positive = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    roc = curves.roc_curve(scores, positive)
    assert list(zip(roc.x, roc.y, strict=True)) == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]
    recall = curves.precision_recall_curve(scores, positive)
    assert recall.x.tolist() == [0, 0.5, 0.5, 1]
    assert recall.y.tolist() == pytest.approx([1, 1, 0.5, 2 / 3])
    coverage = curves.coverage_curve(scores, positive)
    assert coverage.x.tolist() == [0.25, 0.5, 0.75, 1]
    assert coverage.y.tolist() == pytest.approx([1, 0.5, 2 / 3, 0.5])
    many = curves.roc_curve(np.random.default_rng(0).random(20000), np.arange(20000) % 2 == 0)
    assert len(many.x) <= curves.MOST_POINTS + 2
    assert (many.x[-1], many.y[-1]) == (1, 1)


def test_reliability_bins_tell_what_was_said_and_what_was_right():
    bins = curves.reliability(np.array([0.95, 0.97, 0.5]), np.array([True, False, True]))
    assert [(cell["n"], cell["accuracy"]) for cell in bins] == [(1, 1.0), (2, 0.5)]
    assert bins[1]["confidence"] == pytest.approx(0.96)


def test_axes_have_round_ticks():
    assert charts.ticks(0.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert charts.ticks(0.9) == [0.9, 0.92, 0.94, 0.96, 0.98, 1.0]
    assert charts.nice_start(0.93) == 0.9
    assert charts.nice_start(0.3) == 0.0
    svg = charts.Chart(
        "A < B", charts.share_axis("x"), charts.share_axis("y"), [charts.Line([0, 1], [0, 1], "diagonal")]
    ).svg()
    assert 'd="M52.0 284.0L406.0 14.0"' in svg
