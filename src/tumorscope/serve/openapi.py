"""The OpenAPI document: what FastAPI knows of the routes, with the problems and the key that they share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tumorscope.serve.access import GUARDED, SAFE_METHODS
from tumorscope.serve.problems import BLANK, MEDIA_TYPE, PREFIX, PROBLEMS

KEYS = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}
ANYWHERE = (400, 500, 503)
CHANGING = (403, 408, 413, 429)
WITH_BODY = (415, 422, 507)
NAMING = ("/v1/roots", "/v1/audits")
"""Routes that are told the name of a folder, which may not be there."""
FRAMEWORK = ("HTTPValidationError", "ValidationError")
"""Schemas of FastAPI's own errors, which are never sent."""


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Which kind of problem; programs compare this.", examples=[f"{PREFIX}too-large"])
    title: str = Field(description="The kind in words.", examples=["The body is too large"])
    status: int = Field(ge=400, le=599, description="The status of the answer.", examples=[413])
    detail: str = Field(description="What is wrong with this request, and what to do.")


def add_document(app: FastAPI, *, needs_key: bool) -> None:
    """Serve the document of an app under ``/openapi.json``.

    Args:
        app: with all of its routes, and without a document of FastAPI's own.
        needs_key: whether the server asks for a key; else one that is sent is not looked at.
    """
    made = cache(lambda: json.dumps(_document(app, needs_key)))

    @app.get("/openapi.json", include_in_schema=False)
    async def document() -> Response:
        return Response(await to_thread.run_sync(made), media_type="application/json")  # it takes a while to make


def _document(app: FastAPI, needs_key: bool) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    parts = document.setdefault("components", {})
    schemas = {name: schema for name, schema in parts.get("schemas", {}).items() if name not in FRAMEWORK}
    parts["schemas"] = schemas | {"Problem": Problem.model_json_schema()}
    parts["securitySchemes"] = KEYS
    keys: list[dict[str, list[str]]] = [{name: []} for name in KEYS]
    for path, method, operation in _operations(document):
        is_guarded = path.startswith(GUARDED)
        if is_guarded:
            operation["security"] = keys if needs_key else [{}, *keys]
        for status in _statuses(path, method, operation, is_guarded=is_guarded):
            operation["responses"][str(status)] = _problem(status)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _statuses(path: str, method: str, operation: dict[str, Any], *, is_guarded: bool) -> Iterator[int]:
    yield from ANYWHERE
    if is_guarded:
        yield 401
    if "{" in path or path in NAMING:
        yield 404
    if operation.get("parameters"):
        yield 422
    if method not in SAFE_METHODS:
        yield from CHANGING
    if "requestBody" in operation:
        yield from WITH_BODY


def _problem(status: int) -> dict[str, Any]:
    titles = [title for code, title in PROBLEMS.values() if code == status]
    examples = {
        name: {"value": {"type": PREFIX + name, "title": title, "status": code, "detail": f"{title.lower()}"}}
        for name, (code, title) in PROBLEMS.items()
        if code == status
    } or {"blank": {"value": {"type": BLANK, "title": "Not Found", "status": status, "detail": "Not Found"}}}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    answer: dict[str, Any] = {"description": "; ".join(titles) or "Not found", "content": {MEDIA_TYPE: content}}
    if status == 429:
        answer["headers"] = {
            "Retry-After": {"description": "Seconds after which to ask again.", "schema": {"type": "integer"}}
        }
    return answer
