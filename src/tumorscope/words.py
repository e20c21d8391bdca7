"""The one table of names: what data sets in the wild call our classes, kinds, sequences, planes and splits."""

from __future__ import annotations

import re

NOTUMOR, TUMOR, LESION = "notumor", "tumor", "lesion"
"""No tumor; a tumor whose kind is unknown or none of ours (a coarse label); a finding that is no neoplasm."""

CLASSES = {
    "glioma": ("glioma", "gliomas", "gl"),
    "meningioma": ("meningioma", "meningiomas", "me", "menin"),
    "pituitary": ("pituitary", "pituitary_adenoma", "pi", "pit", "adenoma"),
    NOTUMOR: ("notumor", "no", "no_tumor", "nontumor", "non_tumor", "without_tumor", "normal", "healthy", "negative",
              "none", "control"),
    TUMOR: ("tumor", "yes", "positive", "with_tumor", "brain_tumor", "tumorous"),
    LESION: ("lesion", "non_neoplastic"),
}  # fmt: skip
KINDS = {
    "glioma": ("astrocytoma", "glioblastoma", "gbm", "oligodendroglioma", "ependymoma", "ganglioglioma", "hgg", "lgg"),
    TUMOR: ("schwannoma", "neurocytoma", "metastasis", "metastases", "carcinoma", "metastasis of a carcinoma",
            "germinoma", "choroid plexus papilloma", "medulloblastoma", "lymphoma", "craniopharyngioma",
            "hemangioblastoma"),
    LESION: ("tuberculoma", "granuloma", "abscess"),
}  # fmt: skip
SEQUENCES = {
    "T1": ("t1", "t1w", "t1pre", "t1native", "t1n"),
    "T1ce": ("t1ce", "t1c", "t1c+", "t1+c", "t1gd", "t1wce", "t1post", "t1postcontrast", "t1contrast", "ce-t1", "cet1"),
    "T2": ("t2", "t2w"),
    "FLAIR": ("flair", "t2flair", "t2f", "fl"),
}
PLANES = {
    "axial": ("axial", "ax", "transverse", "transversal", "tra"),
    "coronal": ("coronal", "co", "cor"),
    "sagittal": ("sagittal", "sa", "sag"),
}
SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}

_Table = dict[str, tuple[str, ...]]


def class_name(text: str) -> str:
    """Return our name of a class, or the text itself where it is none of ours (any folder names train).

    >>> class_name("Glioma_Tumor"), class_name("no"), class_name("Cats")
    ('glioma', 'notumor', 'Cats')
    """
    word = _word(text).replace("tumour", "tumor")
    return _find(CLASSES, word) or _find(CLASSES, word.removesuffix("_tumor")) or text.strip()


def kind_class(label: str) -> str:
    """Return the class of a finer kind: 'glioma' for an astrocytoma, 'tumor' for a kind that is none of ours, or ''."""
    return _find(KINDS, label.strip().lower()) or _find(KINDS, _word(label))


def sequence_name(text: str) -> str:
    """Return our name of a sequence, or the text itself where it is unknown.

    >>> sequence_name("T1C+"), sequence_name("t2-flair"), sequence_name("")
    ('T1ce', 'FLAIR', '')
    """
    word = re.sub(r"[^a-z0-9+]", "", text.lower())
    return _find(SEQUENCES, word) or text.strip()


def plane_name(text: str) -> str:
    """Return 'axial', 'coronal' or 'sagittal', or '' where the text names none of them."""
    return _find(PLANES, _word(text))


def split_name(text: str) -> str:
    """Return 'train', 'val' or 'test', or '' where the text names none of them."""
    return _find(SPLITS, _word(text))


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _find(table: _Table, word: str) -> str:
    return next((name for name, synonyms in table.items() if word in synonyms), "")
