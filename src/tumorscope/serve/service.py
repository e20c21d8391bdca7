"""What the routes work with: one service an app, under ``app.state.service``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from tumorscope.inference import Model
from tumorscope.serve.engine import Engine
from tumorscope.serve.keeping import Keeper
from tumorscope.serve.limits import Gate
from tumorscope.serve.settings import ServeSettings
from tumorscope.serve.telemetry import Telemetry


@dataclass(frozen=True)
class Service:
    """The parts of a running server.

    Attributes:
        settings: as given.
        model: loaded.
        engine: answers for files.
        gate: counts who is inside; ``gate.stopping`` is set once the server was asked to stop.
        telemetry: what is measured.
        inbox: the private folder of uploads.
        keeper: keeps uploads and findings where that was asked for.
    """

    settings: ServeSettings
    model: Model
    engine: Engine
    gate: Gate
    telemetry: Telemetry
    inbox: Path
    keeper: Keeper | None


async def _service(request: Request) -> Service:  # a plain function would be called in a thread
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]
"""Write ``service: Serving`` in a route."""
