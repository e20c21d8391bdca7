"""Which model answers, and what it says of itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from tumorscope.findings import FLAGS
from tumorscope.model_file import Card
from tumorscope.serve.service import Service, Serving

router = APIRouter(prefix="/v1", tags=["models"])


class LoadedModel(BaseModel):
    """A model that answers here.

    Attributes:
        name: of the model.
        version: of the tumorscope that wrote it.
        sha256: of the model file.
        classes: in the order of the graph's outputs.
        card: what the model says of itself.
        flags: every flag that a finding may carry, and what it means.
        limits: of this server, see `Limits`.
    """

    name: str
    version: str
    sha256: str
    classes: tuple[str, ...]
    card: Card
    flags: dict[str, str]
    limits: dict[str, Any]


class Models(BaseModel):
    """The models that answer here."""

    models: list[LoadedModel]


@router.get("/models", summary="Which model answers, and its card")
async def models(service: Serving) -> Models:
    """Return the loaded model with its card."""
    return Models(models=[loaded_model(service)])


def loaded_model(service: Service) -> LoadedModel:
    """Describe the model of a service."""
    card = service.model.card
    return LoadedModel(
        name=card.name, version=card.version, sha256=service.model.file.sha256, classes=card.classes, card=card,
        flags=FLAGS, limits=asdict(service.settings.limits),
    )  # fmt: skip
