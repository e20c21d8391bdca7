"""``/v1/audits``: an audit of a folder under a data root, or of a zip; ``/v1/roots``: what may be named."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from tumorscope.errors import ScanError
from tumorscope.jobs import Job, JobService
from tumorscope.serve.audits.document import DOWNLOADS, MOST, PAGE, audit_document, twins_document
from tumorscope.serve.audits.order import FILES, TWINS
from tumorscope.serve.audits.schema import AuditDocument, RootsDocument, TwinsDocument
from tumorscope.serve.audits.twins import Kind, Part, Sorting, TwinQuery, TwinStore
from tumorscope.serve.audits.unpack import ZipLimits, check_zip
from tumorscope.serve.jobs.document import job_document
from tumorscope.serve.problems import ProblemError
from tumorscope.serve.reading import ascii_json, file_answer, not_found, sent_as
from tumorscope.serve.roots import (
    LONGEST,
    NotThereError,
    PathRefusedError,
    Root,
    find_folder,
    inside,
    list_folder,
    named_roots,
)
from tumorscope.serve.service import Serving
from tumorscope.serve.thumbnails import MEDIA_TYPE, thumbnail
from tumorscope.serve.uploads import announced_size, receive_uploads

KIND = "audit"
FIELD = "file"
LONGEST_NAME = 255
MOST_JSON_BYTES = 20_000
router = APIRouter(prefix="/v1", tags=["audits"])

RootName = Annotated[str | None, Query(max_length=LONGEST_NAME, description="A data root, by name.")]
FolderPath = Annotated[str, Query(max_length=LONGEST, description="A folder in it, with forward slashes.")]


class AuditOfFolder(BaseModel):
    """A folder that is to be audited.

    Attributes:
        path: relative to a data root, with forward slashes; '' is the root itself.
        root: the data root, by name; without it the first in which the folder is.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"path": "masoud_7023"}]})

    path: str = Field(max_length=LONGEST)
    root: str | None = Field(None, max_length=LONGEST_NAME)


ZIP_SCHEMA = {
    "type": "object",
    "required": [FIELD],
    "additionalProperties": False,
    "properties": {FIELD: {"type": "string", "format": "binary", "description": "A zip of a data set."}},
}
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": AuditOfFolder.model_json_schema()},
        "multipart/form-data": {"schema": ZIP_SCHEMA},
    },
}


@router.get("/roots", response_model=RootsDocument, summary="Which folders may be audited")
async def roots(service: Serving, root: RootName = None, path: FolderPath = "") -> Response:
    """List the data roots; with `root`, list what a folder of it holds."""
    known = named_roots(service.settings.data_root)
    names = [found.name for found in known]
    if root is None:
        return ascii_json({"roots": names, "folder": None})
    try:
        return ascii_json({"roots": names, "folder": asdict(await to_thread.run_sync(list_folder, known, path, root))})
    except (NotThereError, PathRefusedError) as error:
        raise not_found(error) from error


@router.post(
    "/audits", status_code=202, response_model=AuditDocument, summary="Start an audit",
    openapi_extra={"requestBody": BODY},
)  # fmt: skip
async def start_audit(request: Request, service: Serving) -> Response:
    """Audit a folder under a data root (JSON), or a zip of a data set (multipart, field `file`)."""
    jobs: JobService = request.app.state.jobs
    is_json = request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"
    job = await (_of_folder(request, service, jobs) if is_json else _of_zip(request, service, jobs))
    document = _document(jobs, job)
    answer = ascii_json(document, 202)
    answer.headers["location"] = document["links"]["self"]
    return answer


@router.get("/audits/{audit_id}", response_model=AuditDocument, summary="How far an audit is, and what it found")
async def audit(request: Request, audit_id: str) -> Response:
    """Say how far an audit is; once it is done, with the whole of ``audit.json`` and the first twins."""
    jobs: JobService = request.app.state.jobs
    job = await _audit(jobs, audit_id)
    document = _document(jobs, job)
    if job.status == "done":
        document |= await to_thread.run_sync(audit_document, jobs.results(job.id), document["links"]["self"])
    return ascii_json(document)


@router.delete("/audits/{audit_id}", status_code=204, summary="Remove an audit")
async def remove_audit(request: Request, audit_id: str) -> Response:
    """Stop an audit if it runs, and remove it with all that was uploaded for it."""
    jobs: JobService = request.app.state.jobs
    await jobs.remove((await _audit(jobs, audit_id)).id)
    return Response(status_code=204)


@router.get("/audits/{audit_id}/twins", response_model=TwinsDocument, summary="The twins of an audit, page by page")
async def twins(
    request: Request,
    audit_id: str,
    kind: Annotated[Kind | None, Query(description="Exact copies or near twins alone.")] = None,
    leaks: Annotated[bool | None, Query(description="One of the two trained on, the other tested.")] = None,
    conflict: Annotated[bool | None, Query(description="Labels that contradict each other.")] = None,
    label: Annotated[str | None, Query(max_length=LONGEST_NAME, description="The class of either.")] = None,
    part: Annotated[Part | None, Query(description="The part of either.")] = None,
    transform: Annotated[str | None, Query(max_length=40, description="What makes one of the other.")] = None,
    order: Annotated[Sorting, Query(description="Leaks first, or by similarity.")] = "leaks",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE,
) -> Response:
    """Return the pairs that match, each side with the address of its picture."""
    jobs: JobService = request.app.state.jobs
    job = await _finished(jobs, audit_id)
    query = TwinQuery(kind, leaks, conflict, label, part, transform, order)
    link = _document(jobs, job)["links"]["self"]
    return ascii_json(await to_thread.run_sync(twins_document, jobs.results(job.id), link, query, offset, limit))


@router.get(
    "/audits/{audit_id}/pictures/{picture_id}", summary="A slice of a pair", response_class=Response,
    responses=sent_as(MEDIA_TYPE),
)  # fmt: skip
async def picture(request: Request, service: Serving, audit_id: str, picture_id: str) -> Response:
    """Return a slice of a pair of twins as a small JPEG."""
    jobs: JobService = request.app.state.jobs
    job = await _finished(jobs, audit_id)
    base = _base(service, jobs, job)
    if base is None:
        data = None
    else:
        results, turns = jobs.results(job.id), service.thumbnailers
        data = await to_thread.run_sync(_read_picture, results, base, picture_id, limiter=turns)
    if data is None:
        raise HTTPException(404, "there is no such picture, or its file has gone")
    return Response(data, media_type=MEDIA_TYPE)


@router.get(
    "/audits/{audit_id}/{name}", summary="A file of an audit", response_class=Response,
    responses=sent_as(*DOWNLOADS.values()),
)  # fmt: skip
async def audit_file(request: Request, audit_id: str, name: str) -> Response:
    """Return ``catalog.csv`` (with the split), ``pairs.csv``, ``audit.json`` or ``audit.html``."""
    if name not in DOWNLOADS:
        raise HTTPException(404, f"an audit has no such file; it has {', '.join(DOWNLOADS)}")
    jobs: JobService = request.app.state.jobs
    job = await _finished(jobs, audit_id)
    saved_as = None if name.endswith(".html") else name
    return file_answer(jobs.results(job.id) / name, DOWNLOADS[name], saved_as=saved_as)


async def _of_folder(request: Request, service: Serving, jobs: JobService) -> Job:
    try:
        wanted = AuditOfFolder.model_validate_json(await _small_body(request))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}" for fault in error.errors())
        raise ProblemError("wrong-input", faults) from error
    known = named_roots(service.settings.data_root)
    try:
        root, folder = await to_thread.run_sync(find_folder, known, wanted.path, wanted.root)
    except (NotThereError, PathRefusedError) as error:
        raise not_found(error) from error
    where = folder.relative_to(root.path).as_posix().removeprefix(".")
    async with jobs.accepting(KIND) as draft:
        return await draft.submit([], options={"root": root.name, "path": where, "name": folder.name}, total=0)


async def _small_body(request: Request) -> bytes:
    """Return a body that names a folder; this route lets bodies of gigabytes in, which must not lie in memory."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_JSON_BYTES:
            raise ProblemError("too-large", f"a body that names a folder may have {MOST_JSON_BYTES:,} bytes")
    return bytes(body)


async def _of_zip(request: Request, service: Serving, jobs: JobService) -> Job:
    with service.admission.counted():
        async with jobs.accepting(KIND, size=announced_size(request)) as draft:
            uploads = await receive_uploads(request, draft.files, files=1, field=FIELD)
            await to_thread.run_sync(check_zip, uploads[0].path, ZipLimits())
            return await draft.submit(uploads, options={"name": uploads[0].name}, total=0)


async def _audit(jobs: JobService, audit_id: str) -> Job:
    job = await jobs.get(audit_id)
    if job.kind != KIND:
        raise HTTPException(404, "there is no such audit; its time was over, or it was removed")
    return job


async def _finished(jobs: JobService, audit_id: str) -> Job:
    job = await _audit(jobs, audit_id)
    if job.status != "done":
        raise HTTPException(404, "the audit is not done; ask for it itself to see how far it is")
    return job


def _document(jobs: JobService, job: Job) -> dict[str, Any]:
    options = job.options
    return {
        **job_document(job, jobs.lifetime),
        "name": options["name"],
        "root": options.get("root"),
        "path": options.get("path"),
    }


def _base(service: Serving, jobs: JobService, job: Job) -> Path | None:
    """Return the folder below which the files of an audit lie."""
    name = job.options.get("root")
    if name is None:
        return (jobs.results(job.id) / FILES).resolve()
    known: dict[str, Root] = {root.name: root for root in named_roots(service.settings.data_root)}
    return known[name].path if name in known else None


def _read_picture(results: Path, base: Path, picture_id: str) -> bytes | None:
    found = TwinStore(results / TWINS).picture(picture_id)
    file = None if found is None else inside(base, found.file)
    if found is None or file is None:
        return None
    try:
        return thumbnail(file, found.index, found.channel)
    except ScanError:
        return None
