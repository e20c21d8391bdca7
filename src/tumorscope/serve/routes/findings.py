"""Pictures in, findings out, in one request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any, Literal, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from tumorscope.scans import Channels
from tumorscope.serve.engine import Answer, Pictures
from tumorscope.serve.problems import ProblemError
from tumorscope.serve.routes.documents import FILES_BODY, FindingsDocument, answer_json
from tumorscope.serve.service import Service, Serving
from tumorscope.serve.uploads import Upload, received

Answers = TypeVar("Answers")
router = APIRouter(prefix="/v1", tags=["findings"])


@router.post(
    "/findings",
    summary="Say what pictures show",
    response_class=Response,
    responses={200: {"model": FindingsDocument, "description": "A finding a slice, in the order of the files."}},
    openapi_extra={"requestBody": FILES_BODY},
)
async def findings(
    request: Request,
    service: Serving,
    overlay: Annotated[Literal["png"] | None, Query(description="Send each slice with its heatmap laid over.")] = None,
    layers: Annotated[bool, Query(description="Send what a viewer draws a slice from.")] = False,
    channels: Annotated[Channels, Query(description="Of a picture of three sequences: FLAIR alone, or each.")] = "one",
) -> Response:
    """Answer for every file; one that cannot be read has an entry of status 'error' and the others are done."""
    pictures = _wanted(overlay, layers)
    async with (
        service.admission.entered(),
        received(request, service.inbox, files=service.settings.limits.files) as uploads,
        service.admission.working(),
    ):
        answers = await _unless_gone(request, _answer(service, uploads, channels, pictures))
        if service.keeper is not None:
            await to_thread.run_sync(service.keeper.keep, uploads, answers)
    service.telemetry.count_findings(answer.finding for answer in answers)
    if pictures == "none":
        body = _body(answers)
    else:  # megabytes of text, which would hold up everybody else
        body = await to_thread.run_sync(_body, answers)
    return Response(body, media_type="application/json")


async def _answer(service: Service, uploads: Sequence[Upload], channels: Channels, pictures: Pictures) -> list[Answer]:
    try:
        async with asyncio.timeout(service.settings.limits.answer_seconds):
            return await service.engine.answer(uploads, channels=channels, pictures=pictures)
    except TimeoutError:
        raise ProblemError("took-too-long", "send fewer or smaller files, or start a job") from None


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Answers]) -> Answers:
    """Work until it is done, or until the client has left: nobody would read the answer.

    Raises:
        ClientDisconnect: it has left.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


def _body(answers: Sequence[Answer]) -> bytes:
    text = json.dumps({"findings": [answer_json(answer) for answer in answers]}, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def _wanted(overlay: str | None, layers: bool) -> Pictures:
    if overlay and layers:
        return "both"
    return "overlay" if overlay else "layers" if layers else "none"
