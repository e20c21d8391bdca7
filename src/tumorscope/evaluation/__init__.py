"""Findings against the truth: metrics with intervals, calibration and figures."""

from tumorscope.evaluation.card import card_metrics
from tumorscope.evaluation.evaluate import evaluate
from tumorscope.evaluation.measured import Measured
from tumorscope.evaluation.runs import evaluate_data, evaluate_run, open_model

__all__ = ["Measured", "card_metrics", "evaluate", "evaluate_data", "evaluate_run", "open_model"]
