"""The shipped model on the set that it was never shown, and its card."""

import pytest

from tumorscope.evaluation import evaluate_data
from tumorscope.inference import load

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def evaluation(data_root):
    return evaluate_data(load(), data_root / "navoneel_253", split="all")


def test_the_outside_test_gives_what_the_card_says(evaluation):
    figures, card = evaluation.figures["twin_free"], load().card
    assert card.metrics["navoneel_253, never shown"]["auc"].n == figures["auc"].n
    for name in ("auc", "sensitivity", "specificity"):
        assert figures[name].value == pytest.approx(card.metrics["navoneel_253, never shown"][name].value, abs=0.005)


def test_what_the_model_was_trained_on_is_taken_out_of_the_headline(evaluation):
    assert evaluation.headline != "full" or evaluation.rows["twin_free"].all()
    assert evaluation.rows["twin_free"].mean() > 0.8


def test_the_card_says_what_was_never_shown_and_that_the_weights_are_not_for_commerce():
    card = load().card
    assert "non-commercial" in card.licence
    assert any("navoneel" in line for line in card.never_shown)
    assert all(figure.interval is not None for found in card.metrics.values() for figure in found.values())
