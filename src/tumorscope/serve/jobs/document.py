"""A job as the API tells of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tumorscope.jobs import Job, Status
from tumorscope.serve.jobs.kinds import KINDS

EXAMPLE: dict[str, Any] = {
    "id": "p0eXs3Jkq1dC7nVhB2tYwZ8mRfLuG4aK",
    "kind": "findings",
    "status": "running",
    "stage": "",
    "total": 600,
    "done": 128,
    "created": "2026-03-02T09:30:00Z",
    "ended": None,
    "expires": None,
    "error": None,
    "links": {
        "self": "/v1/jobs/p0eXs3Jkq1dC7nVhB2tYwZ8mRfLuG4aK",
        "events": "/v1/jobs/p0eXs3Jkq1dC7nVhB2tYwZ8mRfLuG4aK/events",
    },
}


class JobLinks(BaseModel):
    """Where to ask how far a job is, and where it tells so by itself."""

    model_config = ConfigDict(populate_by_name=True)

    itself: str = Field(alias="self")
    events: str


class JobDocument(BaseModel):
    """How far a job is."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str = Field(description="Whoever knows it may read and remove the job.")
    kind: str = Field(description="What it does: findings, audit.")
    status: Status
    stage: str = Field(description="What it is at, in a word or two; may be empty.")
    total: int = Field(description="How many files, or steps of the stage, there are.")
    done: int = Field(description="How many of them are done.")
    created: str = Field(description="When it was accepted, in UTC.")
    ended: str | None = Field(description="When it ended.")
    expires: str | None = Field(description="When it will be removed; null while it is open, or where jobs are kept.")
    error: str | None = Field(description="Why it failed.")
    links: JobLinks


def job_document(job: Job, lifetime: float | None) -> dict[str, Any]:
    """Return a job as the API tells of it, as plain data of the shape of `JobDocument`.

    Args:
        job: as it stands.
        lifetime: seconds from its end to its removal; None where it is kept.
    """
    document = JobDocument(
        id=job.id,
        kind=job.kind,
        status=job.status,
        stage=job.stage,
        total=job.total,
        done=job.done,
        created=_time(job.created),
        ended=None if job.ended is None else _time(job.ended),
        expires=None if job.ended is None or lifetime is None else _time(job.ended + lifetime),
        error=job.error,
        links=JobLinks(itself=f"{KINDS[job.kind].route}/{job.id}", events=f"/v1/jobs/{job.id}/events"),
    )
    return document.model_dump(by_alias=True)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
