"""``/v1/jobs``: many files at once, answered behind whoever waits, through restarts of the server."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import ConfigDict, Field

from tumorscope.serve.jobs import Job, Jobs
from tumorscope.serve.jobs.document import EXAMPLE, JobDocument
from tumorscope.serve.jobs.events import events_of
from tumorscope.serve.jobs.findings import overlay_path
from tumorscope.serve.routes.documents import EXAMPLE as FINDING
from tumorscope.serve.routes.documents import FILES_BODY, AnswerDocument
from tumorscope.serve.service import Service
from tumorscope.serve.settings import MEBI
from tumorscope.serve.uploads import announced_size, receive_uploads

PAGE, PAGE_WITH_OVERLAYS = 5_000, 100
"""Findings of an answer at most, without and with their pictures."""
PAGE_BYTES = 64 * MEBI
"""Of the pictures of an answer."""
LARGEST = 2**31
EVENTS = "text/event-stream"
router = APIRouter(tags=["jobs"])
JobId = Annotated[str, PathParameter(max_length=64, description="As `POST /v1/jobs` gave it.")]


class JobFindings(JobDocument):
    """How far a job is, and what it has found."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [EXAMPLE | {"findings": [FINDING], "next": 1, "more": True}]}
    )

    findings: list[AnswerDocument] = Field(description="In the order of the files, from `since` on.")
    next: int = Field(description="The `since` to ask with for what follows these findings.")
    more: bool = Field(description="Whether more findings than these stand already.")


@router.post(
    "/v1/jobs",
    status_code=202,
    response_model=JobDocument,
    summary="Submit many files",
    openapi_extra={"requestBody": FILES_BODY},
)
async def submit_job(
    request: Request,
    overlay: Annotated[Literal["png"] | None, Query(description="Draw each finding's heatmap over it.")] = None,
    channels: Annotated[Literal["one", "all"], Query(description="Of a picture of three sequences.")] = "one",
) -> Response:
    """Take files in and answer once they are safe; they are worked on in their order, behind single requests.

    A job outlives the server: one that was stopped or killed goes on where it was. It is removed an hour after its
    end, or by `DELETE`.
    """
    jobs: Jobs = _jobs(request)
    service: Service = request.app.state.service
    options = {"model": service.model.file.sha256, "channels": channels, "overlay": overlay is not None}
    with service.gate.counted():
        async with jobs.accepting("findings", size=announced_size(request)) as draft:
            uploads = await receive_uploads(request, draft.files, files=service.settings.limits.job_files)
            job = await draft.submit(uploads, options=options)
    document = jobs.document(job)
    return JSONResponse(document, 202, {"Location": document["links"]["self"]})


@router.get("/v1/jobs/{job_id}", response_model=JobFindings, summary="How far a job is, and its findings")
async def read_job(
    request: Request,
    job_id: JobId,
    since: Annotated[int, Query(ge=0, le=LARGEST, description="Leave out the findings before this one.")] = 0,
    overlay: Annotated[Literal["png"] | None, Query(description="With the pictures that the job drew.")] = None,
) -> Response:
    """Tell how far a job is, with its findings so far; where there are many, ask again with `since` = `next`."""
    jobs = _jobs(request)
    job = await jobs.get(job_id)
    limit = PAGE if overlay is None else PAGE_WITH_OVERLAYS
    entries = await jobs.entries(job_id, since, limit + 1)
    results = None if overlay is None else jobs.results(job_id)
    body = await to_thread.run_sync(_body, jobs, job, entries, since, limit, results)
    return Response(body, media_type="application/json")


@router.get(
    "/v1/jobs/{job_id}/events",
    response_class=StreamingResponse,
    summary="A job's progress as it comes",
    responses={200: {"content": {EVENTS: {"schema": {"type": "string"}}}}, 204: {"description": "All was told."}},
)
async def read_events(
    request: Request,
    job_id: JobId,
    last_event_id: Annotated[str, Header(description="The newest event that was seen.")] = "",
) -> Response:
    """Send server-sent events: `progress` with the whole state at every change, at last `end`."""
    jobs = _jobs(request)
    job = await jobs.get(job_id)
    seen = int(last_event_id) if last_event_id.isascii() and last_event_id.isdecimal() else -1
    if not job.is_open and seen >= job.revision:
        return Response(status_code=204)  # with which a browser stops asking
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events_of(jobs, job, seen), media_type=EVENTS, headers=headers)


@router.delete("/v1/jobs/{job_id}", status_code=204, summary="Cancel and remove a job")
async def remove_job(request: Request, job_id: JobId) -> Response:
    """Cancel a job if it is open, and remove it with its files and findings."""
    await _jobs(request).remove(job_id)
    return Response(status_code=204)


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


def _body(jobs: Jobs, job: Job, entries: Sequence[str], since: int, limit: int, results: Path | None) -> bytes:
    """Write the document around the findings, which stand as text already."""
    page = entries[:limit]
    if results is not None:
        page = page[: _fitting(results, since, len(page))]
    findings = ", ".join(_finding(entry, since + offset, results) for offset, entry in enumerate(page))
    document = jobs.document(job) | {"next": since + len(page), "more": len(entries) > len(page)}
    return f'{json.dumps(document)[:-1]}, "findings": [{findings}]}}'.encode()


def _fitting(results: Path, since: int, most: int) -> int:
    """Return of how many findings the pictures go into one answer; the first always does."""
    left = PAGE_BYTES
    for offset in range(most):
        path = overlay_path(results, since + offset)
        left -= path.stat().st_size if path.exists() else 0
        if left < 0:
            return max(1, offset)
    return most


def _finding(entry: str, position: int, results: Path | None) -> str:
    overlay = "null"
    if results is not None:
        path = overlay_path(results, position)
        overlay = f'"{base64.b64encode(path.read_bytes()).decode()}"' if path.exists() else "null"
    return f'{entry[:-1]}, "overlay": {overlay}, "layers": null}}'
