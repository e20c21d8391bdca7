"""What a model says, as data: read by the client, the page, the reports and the sinks. A leaf: no numpy, no pandas."""

from tumorscope.findings.collection import Findings
from tumorscope.findings.finding import (
    Finding,
    FindingGeometry,
    ModelName,
    Outline,
    SliceFinding,
    TumorSlice,
    VolumeFinding,
    VolumeOutline,
    failed_finding,
    full_name,
    read_finding,
)
from tumorscope.findings.words import FLAGS, REFUSING, VERDICTS, Status, Verdict, capital

__all__ = [
    "FLAGS",
    "REFUSING",
    "VERDICTS",
    "Finding",
    "FindingGeometry",
    "Findings",
    "ModelName",
    "Outline",
    "SliceFinding",
    "Status",
    "TumorSlice",
    "Verdict",
    "VolumeFinding",
    "VolumeOutline",
    "capital",
    "failed_finding",
    "full_name",
    "read_finding",
]
