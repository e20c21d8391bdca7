"""Findings of a call, together: as JSON, as a table, and as a notebook shows them."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tumorscope.findings.finding import Finding, full_name, to_json

if TYPE_CHECKING:
    import pandas as pd

NESTED = {"probabilities", "prediction_set", "flags", "outline", "geometry", "slices", "model"}
"""What has no cell of its own in a table, or one in another form."""


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
        return to_json([finding.model_dump() for finding in self], 2)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("file", "verdict", "tumor", "answer"))
        rows = "".join(_html_row(finding) for finding in self)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(finding: Finding) -> dict[str, Any]:
    values = finding.model_dump(exclude=NESTED)
    values["prediction_set"] = " ".join(finding.prediction_set or [])
    values["flags"] = " ".join(finding.flags)
    probabilities = finding.probabilities if finding.kind == "slice" else None
    return values | {f"p_{name}": value for name, value in (probabilities or {}).items()}


def _html_row(finding: Finding) -> str:
    tumor = "" if finding.tumor_probability is None else f"{finding.tumor_probability:.1%}"
    cells = (full_name(finding), finding.verdict, tumor, finding.sentence)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
