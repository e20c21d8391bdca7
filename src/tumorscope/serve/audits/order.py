"""What an audit's process is asked for, and the names of what it leaves; imports nothing heavy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tumorscope.serve.audits.unpack import ZipLimits

FACTS = "facts.json"
TWINS = "twins.db"
FILES = "files"
"""The folder of an unpacked zip, among the results."""


@dataclass(frozen=True)
class Order:
    """One audit to be made.

    Attributes:
        out: the folder of the results.
        allowed: nothing outside of this folder is read.
        shown: what the data is called in the results, where the command line shows the path.
        folder: the data set; None where it comes as a zip.
        archive: the zip, which is removed once it is unpacked.
        zip_limits: what a zip may hold.
        most_files: files that the data set's folder may hold.
        seed: of everything random.
    """

    out: Path
    allowed: Path
    shown: str
    folder: Path | None = None
    archive: Path | None = None
    zip_limits: ZipLimits = field(default_factory=ZipLimits)
    most_files: int = 200_000
    seed: int = 0

    def to_json(self) -> str:
        """Return the order as one line."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Order:
        """Read an order that `to_json` wrote."""
        values = json.loads(text)
        for name in ("out", "allowed", "folder", "archive"):
            values[name] = None if values[name] is None else Path(values[name])
        values["zip_limits"] = ZipLimits(**values["zip_limits"])
        return cls(**values)
