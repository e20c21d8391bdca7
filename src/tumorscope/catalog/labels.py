"""Which of a model's classes a label covers: itself, or several where the label is coarse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tumorscope.words import CLASSES, LESION, NOTUMOR, TUMOR, kind_class


def cover_matrix(labels: Iterable[str], classes: Sequence[str]) -> NDArray[np.bool_]:
    """Say which classes each label covers.

    A label covers the class of its name, else the class that its kind belongs to, else 'tumor' where that is a class.
    'tumor' itself, and a kind of tumor that is none of ours, covers all tumor classes.

    Returns:
        bool ``(n, classes)``; a row of False is a label that the classes cannot express, such as 'lesion', or 'glioma'
        where they name other tumors alone.
    """
    labels = list(labels)
    known = {label: _covered(label, tuple(classes)) for label in set(labels)}
    return np.array([known[label] for label in labels], bool).reshape(len(labels), len(classes))


def _covered(label: str, classes: tuple[str, ...]) -> list[bool]:
    wider = label if label in CLASSES else kind_class(label)
    is_tumor = wider not in ("", NOTUMOR, LESION)
    for name in (label, wider, *([TUMOR] if is_tumor else [])):
        if name in classes:
            return [one == name for one in classes]
    return [wider == TUMOR and one not in (NOTUMOR, LESION) for one in classes]
