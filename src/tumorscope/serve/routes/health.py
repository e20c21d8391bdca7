"""Whether the server lives, whether it takes work, and what it has measured."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from tumorscope.serve.problems import ProblemError
from tumorscope.serve.service import Serving
from tumorscope.serve.telemetry import MEDIA_TYPE

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """How the server is."""

    status: str


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> Health:
    """Answer as long as the process lives."""
    return Health(status="ok")


@router.get("/readyz", summary="Whether the server takes work")
async def readyz(service: Serving) -> Health:
    """Answer once the model is loaded, until the server is asked to stop."""
    if service.admission.stopping.is_set():
        raise ProblemError("stopping", "the server finishes what it has begun")
    return Health(status="ready")


@router.get("/metrics", summary="What the server has measured, for Prometheus", response_class=Response)
async def metrics(service: Serving) -> Response:
    """Return the metrics in the text format of Prometheus."""
    return Response(service.telemetry.text(), headers={"content-type": MEDIA_TYPE})
