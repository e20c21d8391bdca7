"""Figures with intervals: measures, one cluster bootstrap, one paired comparison, one rule for too few clusters."""

from tumorscope.statistics.bootstrap import MIN_CLUSTERS, estimate
from tumorscope.statistics.figure import TOO_FEW, Figure
from tumorscope.statistics.metrics import Measure
from tumorscope.statistics.paired import mcnemar, paired_difference

__all__ = ["MIN_CLUSTERS", "TOO_FEW", "Figure", "Measure", "estimate", "mcnemar", "paired_difference"]
