"""Model file + scans -> findings. Needs no torch."""

from tumorscope.inference.decide import Decision, decide
from tumorscope.inference.finding import FLAGS, Finding, Findings
from tumorscope.inference.model import Model, Slice, SliceOutputs, load, shipped_model

__all__ = [
    "FLAGS",
    "Decision",
    "Finding",
    "Findings",
    "Model",
    "Slice",
    "SliceOutputs",
    "decide",
    "load",
    "shipped_model",
]
