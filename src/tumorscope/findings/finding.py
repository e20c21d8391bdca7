"""What a model says of one slice or volume, as plain data."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import pandas as pd

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


class ModelName(BaseModel):
    """Which model spoke."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    sha256: str


class Outline(BaseModel):
    """Where the tumor lies: area in pixels, box (top, left, height, width), path of the mask picture."""

    model_config = ConfigDict(frozen=True)

    area: int
    box: tuple[int, int, int, int]
    mask: str | None = None


class Finding(BaseModel):
    """What a model says of one slice or volume.

    Attributes:
        file: the path as given, or the given folder joined with the path inside it.
        slice: which slice of the file; None where it has one.
        sequence: which sequence of a picture that holds several and is answered for each; else None.
        kind: 'slice' or 'volume'.
        status: 'ok', 'refused' (probabilities stand, but should not be used) or 'error' (there are none).
        label: 'notumor' exactly when `tumor_probability` is under the card's threshold, else the likeliest tumor class.
        probabilities: by class name.
        tumor_probability: of a tumor of any kind.
        prediction_set: the classes that cannot be ruled out at the card's coverage.
        flags: see `FLAGS`.
        outline: where the tumor lies, if the model outlines and there is one.
        heatmap: path of the heatmap picture, if one was written.
        message: why it was refused or failed.
        model: which model spoke.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    slice: int | None = None
    sequence: str | None = None
    kind: Literal["slice", "volume"] = "slice"
    status: Literal["ok", "refused", "error"] = "ok"
    label: str | None = None
    probabilities: dict[str, float] | None = None
    tumor_probability: float | None = None
    prediction_set: list[str] | None = None
    flags: list[str] = []
    outline: Outline | None = None
    heatmap: str | None = None
    message: str | None = None
    model: ModelName

    def to_json(self, indent: int | None = None) -> str:
        """Return the finding as one JSON object."""
        return _json(self.model_dump(), indent)


class Findings(list[Finding]):
    """Findings in the order in which the files were given. Shows itself as a table in a notebook."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        super().__init__(findings)

    @property
    def failed(self) -> list[Finding]:
        """The findings of status 'error'."""
        return [finding for finding in self if finding.status == "error"]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a finding; probabilities become columns ``p_<class>``, lists become text."""
        import pandas as pd

        return pd.DataFrame([_row(finding) for finding in self])

    def to_json(self) -> str:
        """Return the findings as one JSON array."""
        return _json([finding.model_dump() for finding in self], 2)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("file", "label", "tumor", "status", "flags"))
        rows = "".join(_html_row(finding) for finding in self)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _json(value: Any, indent: int | None) -> str:
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # a file name need not be text


def _row(finding: Finding) -> dict[str, Any]:
    values = finding.model_dump(exclude={"probabilities", "prediction_set", "flags", "outline", "model"})
    values["prediction_set"] = " ".join(finding.prediction_set or [])
    values["flags"] = " ".join(finding.flags)
    return values | {f"p_{name}": value for name, value in (finding.probabilities or {}).items()}


def _html_row(finding: Finding) -> str:
    tumor = "" if finding.tumor_probability is None else f"{finding.tumor_probability:.1%}"
    name = finding.file if finding.slice is None else f"{finding.file} [{finding.slice}]"
    cells = (name, finding.label or "", tumor, finding.status, ", ".join(finding.flags) or finding.message or "")
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
