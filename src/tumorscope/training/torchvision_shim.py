"""Lets torchvision import beside a torch it was not linked for. Imported before anything that imports torchvision.

A CUDA build of torchvision cannot load its compiled part next to a CPU build of torch. Its Python part then fails at
import, because it registers fake kernels for two operators that the compiled part would have defined. Declaring their
schemas is enough: nothing here calls them.
"""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_library: torch.library.Library | None = None


def compiled_part_loads() -> bool:
    """Whether torchvision's compiled operators can be loaded beside this torch."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True  # nothing to mend; the import itself will say what is missing
    compiled = Path(spec.origin).parent / "_C.so"
    try:
        ctypes.CDLL(str(compiled))
    except OSError:
        return False
    return True


def declare_operators() -> bool:
    """Declare the two operators where torchvision cannot do so itself; return whether that was needed."""
    global _library  # noqa: PLW0603  the library's registrations live as long as this object
    if _library is not None or compiled_part_loads():
        return _library is not None
    _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in SCHEMAS:
        _library.define(schema)  # type: ignore[no-untyped-call]
    return True


declare_operators()
