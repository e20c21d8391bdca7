"""The app: one model, its routes, and the layers that every request passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import gettempdir

import numpy as np
from fastapi import FastAPI

from tumorscope.files.atomic import clear_leftovers, passing_folder
from tumorscope.inference import Model, load
from tumorscope.serve.access import Access
from tumorscope.serve.engine import Engine
from tumorscope.serve.error_middleware import ErrorMiddleware
from tumorscope.serve.jobs.serving import serving_jobs
from tumorscope.serve.keeping import Keeper
from tumorscope.serve.limits import AdmissionControl, BodyLimits
from tumorscope.serve.openapi import add_document
from tumorscope.serve.problems import add_problem_handlers
from tumorscope.serve.routes import audits, findings, health, jobs, models, page, runs, samples
from tumorscope.serve.service import Service
from tumorscope.serve.settings import ServeSettings
from tumorscope.serve.telemetry import Telemetry
from tumorscope.version import __version__

__all__ = ["Service", "create_app"]
TITLE = "tumorscope"
DESCRIPTION = (
    "Reads brain MRI: is there a tumor, which kind, where, and how far to trust it. Research use only, not a medical "
    "device."
)


def create_app(settings: ServeSettings | None = None) -> FastAPI:
    """Load the model and return the app; its service stands under ``app.state.service`` while the app runs.

    Raises:
        UsageError: the settings open the server to others unasked.
        ModelFileError: the model cannot be loaded.
    """
    settings = settings or ServeSettings()
    settings.check()
    app = FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        version=__version__,
        lifespan=partial(_lifespan, settings=settings, model=load(settings.model)),
        openapi_url=None,  # ours names the problems too; and no page of documentation, which loads scripts from afar
    )
    add_problem_handlers(app)
    for routes in (findings, jobs, audits, runs, models, health, samples, page):
        app.include_router(routes.router)
    add_document(app, needs_key=settings.api_key is not None)
    app.add_middleware(BodyLimits, limits=settings.limits)  # the last one added is the outermost
    app.add_middleware(Access, settings=settings)
    app.add_middleware(ErrorMiddleware)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI, *, settings: ServeSettings, model: Model) -> AsyncIterator[None]:
    clear_leftovers(gettempdir())
    with passing_folder(gettempdir()) as inbox:
        app.state.service = service = _service(settings, model, inbox)
        side = model.card.spec.side
        model.predict_slices([np.eye(side, dtype=np.float32)] * model.workers)  # the first run is slow
        try:
            async with serving_jobs(service) as app.state.jobs:
                yield
        finally:
            service.admission.stopping.set()
            service.engine.close()


def _service(settings: ServeSettings, model: Model, inbox: Path) -> Service:
    telemetry = Telemetry()
    engine = Engine(model, settings.limits, on_batch=telemetry.count_batch)
    admission = AdmissionControl(
        settings.limits, waiting=lambda: engine.waiting, seconds_a_file=lambda: engine.seconds_a_file
    )
    telemetry.watch(waiting=lambda: engine.waiting, inside=lambda: admission.inside)
    keeper = None if settings.keep is None else Keeper(settings.keep)
    return Service(settings, model, engine, admission, telemetry, inbox, keeper)
