"""The shipped model on the set that it was never shown, and its card."""

import pytest

from tumorscope.evaluation import evaluate_data
from tumorscope.inference import load

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def evaluation(data_root):
    return evaluate_data(load(), data_root / "navoneel_253", split="all")


def test_the_outside_test_reaches_what_the_card_says(evaluation):
    figures = evaluation.figures["full"]
    assert figures["auc"].value >= 0.97
    assert figures["sensitivity_at_95_specificity"].value >= 0.92


def test_no_twin_of_the_outside_test_was_trained_on(evaluation):
    assert evaluation.rows["twin_free"].all()


def test_the_card_says_what_was_never_shown_and_that_the_weights_are_not_for_commerce():
    card = load().card
    assert "non-commercial" in card.licence
    assert any("navoneel" in line for line in card.never_shown)
    assert all(figure.interval is not None for found in card.metrics.values() for figure in found.values())
