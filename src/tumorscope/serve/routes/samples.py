"""The example scans, for who has none at hand."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from tumorscope.samples import example_scans

router = APIRouter(prefix="/v1", tags=["samples"])
SUFFIX = ".png"


class Sample(BaseModel):
    """An example scan.

    Attributes:
        name: of the file.
        title: in words.
        url: where it lies.
    """

    name: str
    title: str
    url: str


class Samples(BaseModel):
    """The example scans that came with the package, and under which terms."""

    samples: list[Sample]
    licence: str


@router.get("/samples", summary="The example scans")
def samples() -> Samples:
    """List the example scans."""
    licence = example_scans() / "LICENSE.txt"
    return Samples(
        samples=[Sample(name=name, title=_title(name), url=f"/v1/samples/{name}") for name in _names()],
        licence=licence.read_text(encoding="utf-8") if licence.is_file() else "",
    )


@router.get("/samples/{name}", summary="One example scan", response_class=FileResponse)
def sample(name: str) -> FileResponse:
    """Return the picture."""
    if name not in _names():  # so that no name leads out of the folder
        raise HTTPException(404, "there is no example of this name; GET /v1/samples lists them")
    return FileResponse(example_scans() / name, media_type="image/png")


def _names() -> list[str]:
    return sorted(path.name for path in example_scans().glob(f"*{SUFFIX}"))


def _title(name: str) -> str:
    """Return ``MNI152 axial 92, ring painted`` for ``mni152_axial_92_ring_painted.png``."""
    words = name.removesuffix(SUFFIX).split("_")
    if words[0] == "phantom":
        return f"Drawn phantom, {words[1].replace('notumor', 'no tumor')}"
    place = f"Template {words[1]} {words[2]}"
    return f"{place}, {' '.join(words[3:])}" if len(words) > 3 else place
