"""The documents of audits as OpenAPI describes them; what is sent is plain data of these shapes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tumorscope.serve.jobs.document import JobDocument

EXAMPLE: dict[str, Any] = {
    "id": "Qm3rT8wLk5nXc1ZbVd7yHs2JfPg9aEuR",
    "kind": "audit",
    "status": "running",
    "stage": "reading",
    "total": 7023,
    "done": 2100,
    "created": "2026-03-02T09:30:00Z",
    "ended": None,
    "expires": None,
    "error": None,
    "links": {
        "self": "/v1/audits/Qm3rT8wLk5nXc1ZbVd7yHs2JfPg9aEuR",
        "events": "/v1/jobs/Qm3rT8wLk5nXc1ZbVd7yHs2JfPg9aEuR/events",
    },
    "name": "masoud_7023",
    "root": "data",
    "path": "masoud_7023",
}


class FolderDocument(BaseModel):
    """A folder below a data root."""

    root: str = Field(examples=["data"])
    path: str = Field(description="Relative to the root; '' is the root itself.", examples=["masoud_7023"])
    folders: list[str] = Field(description="The folders in it.", examples=[["Testing", "Training"]])
    files: int = Field(description="How many files it holds itself.")
    left_out: int = Field(description="How many links out of the root it holds, which are not followed.")
    more: bool = Field(description="Whether there is more than was listed or counted.")


class RootsDocument(BaseModel):
    """What may be audited."""

    roots: list[str] = Field(description="The data roots, by name.", examples=[["data"]])
    folder: FolderDocument | None = Field(None, description="The folder that was asked for.")


class TwinSide(BaseModel):
    """One slice of a pair."""

    path: str = Field(examples=["Testing/glioma/Te-gl_0010.jpg"])
    label: str = Field(examples=["glioma"])
    part: str = Field(description="train, val, test or empty: as published, else as a random split had it.")
    split: str = Field(description="train, val, test or empty: in the split that cuts no group.")
    width: int
    height: int
    mode: str = Field(description="The color mode of the file.", examples=["RGB"])
    picture: str = Field(description="The address of the slice as a small JPEG.")


class TwinPair(BaseModel):
    """Two slices that are copies of one picture."""

    kind: str = Field(description="exact or near.")
    similarity: float = Field(examples=[0.9871])
    transform: str = Field(description="What makes b of a.", examples=["mirror"])
    leaks: bool = Field(description="Whether one is trained on and the other tested.")
    conflict: bool = Field(description="Whether the labels contradict each other.")
    a: TwinSide
    b: TwinSide


class TwinsDocument(BaseModel):
    """Some of the pairs that match."""

    count: int = Field(description="How many pairs match in all.")
    offset: int
    pairs: list[TwinPair]


class AuditDocument(JobDocument):
    """How far an audit is; once it is done, what it found."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    name: str = Field(description="Of the folder, or of the zip as the client named it.", examples=["masoud_7023"])
    root: str | None = Field(description="The data root; null of a zip.")
    path: str | None = Field(description="The folder below it; null of a zip.")
    audit: dict[str, Any] | None = Field(None, description="The whole of audit.json; docs/audit.md names its keys.")
    split: dict[str, int] | None = Field(None, description="Slices in train, val and test of the split in catalog.csv.")
    why_no_split: str | None = None
    choices: dict[str, dict[str, int]] | None = Field(None, description="What twins can be filtered by, and how many.")
    twins: TwinsDocument | None = Field(None, description="The first pairs.")
    downloads: dict[str, str] | None = Field(None, description="The files of the audit, by name.")
