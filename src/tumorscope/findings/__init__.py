"""What a model says, as data: read by the client, the page, the reports and the sinks."""

from tumorscope.findings.finding import FLAGS, REFUSING, Finding, Findings, ModelName

__all__ = ["FLAGS", "REFUSING", "Finding", "Findings", "ModelName"]
