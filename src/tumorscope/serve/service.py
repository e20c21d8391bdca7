"""What the routes work with: one service an app, under ``app.state.service``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from tumorscope.inference import Model
from tumorscope.serve.engine import Engine
from tumorscope.serve.keeping import Keeper
from tumorscope.serve.limits import AdmissionControl
from tumorscope.serve.settings import ServeSettings
from tumorscope.serve.telemetry import Telemetry

THUMBNAILS_AT_ONCE = 2


@dataclass(frozen=True)
class Service:
    """The parts of a running server.

    Attributes:
        settings: as given.
        model: loaded.
        engine: answers for files.
        admission: counts who is inside; ``admission.stopping`` is set once the server was asked to stop.
        telemetry: what is measured.
        inbox: the private folder of uploads.
        keeper: keeps uploads and findings where that was asked for.
        thumbnailers: how many pictures of other people's making are decoded at one time; each may take much memory.
        suspects: held by the job that reads a file over which the server may have died, so that no other is blamed.
    """

    settings: ServeSettings
    model: Model
    engine: Engine
    admission: AdmissionControl
    telemetry: Telemetry
    inbox: Path
    keeper: Keeper | None
    thumbnailers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(THUMBNAILS_AT_ONCE))
    suspects: asyncio.Lock = field(default_factory=asyncio.Lock)


async def _service(request: Request) -> Service:  # a plain function would be called in a thread
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]
"""Write ``service: Serving`` in a route."""
