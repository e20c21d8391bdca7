"""The page of the demo: what an audit found of the planted leaks, and what the model says of the examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tumorscope.audits.audit import Audited
from tumorscope.findings import Findings, SliceFinding
from tumorscope.pages.audit import audit_page
from tumorscope.pages.frame import data_uri, render


def demo_page(audit: Audited, findings: Findings, planted: int) -> str:
    """Return the page as HTML text.

    Args:
        audit: of the phantom with planted leaks.
        findings: of the example scans, with heatmaps.
        planted: how many leaks were planted.
    """
    return render(
        "demo.html.j2",
        findings=[_shown(finding) for finding in findings if finding.kind == "slice"],
        model=findings[0].model,
        planted=planted,
        leaks=audit.summary["leaks"],
        slices=audit.summary["images"],
        version=audit.summary["version"],
        audit=audit_page(audit),
    )


def _shown(finding: SliceFinding) -> dict[str, Any]:
    picture = b"" if finding.heatmap is None else Path(finding.heatmap).read_bytes()
    return {
        "name": Path(finding.file).name,
        "picture": data_uri(picture, "png"),
        "verdict": finding.verdict,
        "tumor": finding.tumor_probability,
        "sentence": finding.sentence,
    }
