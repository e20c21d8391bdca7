"""Findings against the truth: metrics with intervals, calibration, figures and the report."""

from tumorscope.evaluation.card import card_metrics
from tumorscope.evaluation.evaluate import Evaluation, evaluate
from tumorscope.evaluation.report import write_evaluation
from tumorscope.evaluation.runs import evaluate_data, evaluate_run, open_model

__all__ = ["Evaluation", "card_metrics", "evaluate", "evaluate_data", "evaluate_run", "open_model", "write_evaluation"]
