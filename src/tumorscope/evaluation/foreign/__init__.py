"""Models that are not ours: any ONNX classifier, or a Python function, described by a few lines of YAML."""

from tumorscope.evaluation.foreign.description import is_description
from tumorscope.evaluation.foreign.model import ForeignModel, load_foreign

__all__ = ["ForeignModel", "is_description", "load_foreign"]
