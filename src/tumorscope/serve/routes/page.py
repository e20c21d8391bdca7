"""The page: static files, served as they are committed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

router = APIRouter(include_in_schema=False)
PAGE = Path(str(files("tumorscope.serve") / "page"))
INDEX = "index.html"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""By ending; what an operating system thinks of them differs, and browsers are told not to guess."""


@router.api_route("/", methods=["GET", "HEAD"], response_class=FileResponse)
async def index() -> FileResponse:
    """Return the page."""
    return _file(INDEX)


@router.api_route("/assets/{name:path}", methods=["GET", "HEAD"], response_class=FileResponse)
async def asset(name: str) -> FileResponse:
    """Return a file of the page."""
    if name not in ASSETS:  # so that no name leads out of the folder
        raise HTTPException(404, "the page has no such file")
    return _file(name)


def _file(name: str) -> FileResponse:
    return FileResponse(PAGE / name, media_type=MEDIA_TYPES[Path(name).suffix])


def _assets() -> frozenset[str]:
    found = (path for path in PAGE.rglob("*") if path.suffix in MEDIA_TYPES and path.is_file())
    return frozenset(path.relative_to(PAGE).as_posix() for path in found)


ASSETS = _assets()
