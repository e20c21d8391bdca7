"""``/v1/runs``: the runs, evaluations and studies of a folder, their figures and their worst mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from tumorscope.errors import ScanError
from tumorscope.files.names import FINDINGS, METRICS
from tumorscope.serve.reading import ascii_json, file_answer, not_found, sent_as
from tumorscope.serve.reports.document import FILES, MOST, PAGE, mistakes_document, run_document, split_of
from tumorscope.serve.reports.files import FileBrokenError, read_json
from tumorscope.serve.reports.listing import Found, file_of, find_run, find_runs, summary_of
from tumorscope.serve.reports.mistakes import Whereabouts, find_mistake
from tumorscope.serve.reports.schema import MistakesDocument, RunDocument, RunsDocument
from tumorscope.serve.roots import NotThereError, PathRefusedError, named_roots
from tumorscope.serve.service import Service, Serving
from tumorscope.serve.thumbnails import MEDIA_TYPE, thumbnail

LONGEST_LABEL = 255
router = APIRouter(prefix="/v1", tags=["runs"])
Label = Annotated[str | None, Query(max_length=LONGEST_LABEL)]


@router.get("/runs", response_model=RunsDocument, summary="The runs, evaluations and studies")
async def runs(service: Serving) -> Response:
    """List what lies under the folder of runs, the newest first, each with its headline and the floors under it."""
    folder = service.settings.runs
    if folder is None:
        return ascii_json({"is_given": False, "runs": []})
    return ascii_json({"is_given": True, "runs": await to_thread.run_sync(_summaries, folder.resolve())})


@router.get("/runs/{name:path}/mistakes", response_model=MistakesDocument, summary="The wrong answers of a run")
async def mistakes(
    service: Serving,
    name: str,
    label: Label = None,
    called: Label = None,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE,
) -> Response:
    """Return wrong answers, the surest first; with `label` and `called`, those of one cell of the confusion matrix."""
    run, folder = await _run(service, name)
    roots = named_roots(service.settings.data_root)

    def read() -> dict[str, object]:
        return mistakes_document(
            run, folder, roots, _link(run), _split(run, folder), label=label, called=called, offset=offset, limit=limit
        )

    return ascii_json(await to_thread.run_sync(read))


@router.get(
    "/runs/{name:path}/pictures/{row}", summary="The slice of a wrong answer", response_class=Response,
    responses=sent_as(MEDIA_TYPE),
)  # fmt: skip
async def picture(service: Serving, name: str, row: int) -> Response:
    """Return the slice of a wrong answer as a small JPEG, if its file lies under a data root and is unchanged."""
    run, folder = await _run(service, name)
    data = await to_thread.run_sync(_picture, service, run, folder, row, limiter=service.thumbnailers)
    if data is None:
        raise HTTPException(404, "there is no such picture, or its file is not under a data root any more")
    return Response(data, media_type=MEDIA_TYPE)


def _add_file(file: str) -> None:
    @router.get(
        f"/runs/{{name:path}}/{file}", summary=f"The {file} of a run", response_class=Response,
        responses=sent_as(FILES[file]),
    )  # fmt: skip
    async def run_file(service: Serving, name: str) -> Response:
        """Return the file as it lies there; a page loads nothing and runs no script."""
        found, folder = await _run(service, name)
        path = await to_thread.run_sync(file_of, found, folder, file)
        if path is None:
            raise HTTPException(404, f"the run has no {file}")
        return file_answer(path, FILES[file], saved_as=None if file.endswith(".html") else file)


for _file in FILES:
    _add_file(_file)


@router.get("/runs/{name:path}", response_model=RunDocument, summary="One run")
async def run(service: Serving, name: str) -> Response:
    """Return the metrics, the learning curves, the worst mistakes, and which of its files are broken."""
    found, folder = await _run(service, name)
    roots = named_roots(service.settings.data_root)
    return ascii_json(await to_thread.run_sync(run_document, found, folder, roots, _link(found)))


async def _run(service: Service, name: str) -> tuple[Found, Path]:
    """Find a run, and return it with the folder of runs."""
    if service.settings.runs is None:
        raise HTTPException(404, "this server shows no runs; start it with --runs DIR")
    folder = service.settings.runs.resolve()
    try:
        return await to_thread.run_sync(find_run, folder, name), folder
    except (NotThereError, PathRefusedError) as error:
        raise not_found(error) from error


def _summaries(folder: Path) -> list[dict[str, object]]:
    return [summary_of(run, folder) for run in find_runs(folder)]


def _picture(service: Service, run: Found, folder: Path, row: int) -> bytes | None:
    findings = file_of(run, folder, FINDINGS)
    try:
        mistake = None if findings is None else find_mistake(findings, _split(run, folder), row)
        file = None if mistake is None else Whereabouts(named_roots(service.settings.data_root)).find(mistake)
        return None if mistake is None or file is None else thumbnail(file, mistake.index, mistake.channel)
    except (FileBrokenError, ScanError):
        return None


def _split(run: Found, folder: Path) -> str:
    metrics = file_of(run, folder, METRICS)
    return "full" if metrics is None else split_of(read_json(metrics))


def _link(run: Found) -> str:
    return f"/v1/runs/{quote(run.name)}"
