"""Model file + scans -> findings. Needs no torch."""

from tumorscope.inference.decide import Decision, Decisions, decide
from tumorscope.inference.model import Model, Slice, SliceOutputs, load, shipped_model

__all__ = ["Decision", "Decisions", "Model", "Slice", "SliceOutputs", "decide", "load", "shipped_model"]
