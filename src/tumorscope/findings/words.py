"""The words of findings, once: states, verdicts, flags."""

from typing import Literal

Status = Literal["ok", "refused", "error"]
Verdict = Literal["tumor", "unsure", "refused", "error", "notumor"]

VERDICTS: dict[Verdict, str] = {
    "tumor": "a tumor is called",
    "unsure": "the model abstains, or calls no tumor but cannot rule one out or holds one likelier than none",
    "refused": "no answer: what there would be should not be used",
    "error": "could not be read",
    "notumor": "no tumor is called, and none is left in question",
}
"""Every verdict and what it means, the gravest first: what needs a look comes before what does not."""
FLAGS = {
    "out_of_distribution": "unlike anything the model was trained on",
    "empty_slice": "holds no picture, only one gray level",
    "low_resolution": "has too few pixels to show a small tumor",
    "abstain": "too close to call",
    "kind_unsure": "a tumor whose kind is not sure",
}
"""Every flag that a finding may carry, and what it means."""
REFUSING = ("out_of_distribution", "empty_slice")
"""Flags with which no answer should be used; the status is then 'refused'."""


def capital(text: str) -> str:
    """Return a text with its first letter large."""
    return text[:1].upper() + text[1:]
