"""Findings against the truth: metrics with intervals, calibration, figures and the report."""
