"""Model file + scans -> findings. Needs no torch."""

from tumorscope.inference.decide import Decision, Decisions, decide
from tumorscope.inference.model import Model, Slice, load, shipped_model
from tumorscope.inference.outputs import SliceOutputs

__all__ = ["Decision", "Decisions", "Model", "Slice", "SliceOutputs", "decide", "load", "shipped_model"]
