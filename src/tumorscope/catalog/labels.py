"""Which of a model's classes a label covers: itself, or several where the label is coarse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog.names import CLASSES, LESION, NOTUMOR, TUMOR, kind_class


def cover_matrix(labels: Iterable[str], classes: Sequence[str]) -> NDArray[np.bool_]:
    """Say which classes each label covers.

    A label covers the class of its name; 'tumor', and a kind of tumor that is not among the classes, covers all tumor
    classes, or the one its kind belongs to. Where 'tumor' is itself a class every other tumor falls under it.

    Returns:
        bool ``(n, classes)``; a row of False is a label that the classes cannot express, such as 'lesion'.
    """
    labels = list(labels)
    known = {label: _covered(label, tuple(classes)) for label in set(labels)}
    return np.array([known[label] for label in labels], bool).reshape(len(labels), len(classes))


def _covered(label: str, classes: tuple[str, ...]) -> list[bool]:
    if label in classes:
        return [name == label for name in classes]
    if label in CLASSES and label not in (NOTUMOR, LESION) and TUMOR in classes:
        return [name == TUMOR for name in classes]
    wider = label if label in (NOTUMOR, TUMOR, LESION) else kind_class(label)
    if wider in classes:
        return [name == wider for name in classes]
    if wider in ("", NOTUMOR, LESION):
        return [False] * len(classes)
    return [name not in (NOTUMOR, LESION) for name in classes]
