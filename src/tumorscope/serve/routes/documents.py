"""What is sent and answered where findings are asked for, as JSON and as OpenAPI describes it."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tumorscope.findings import SliceFinding, VolumeFinding
from tumorscope.serve.engine import Answer
from tumorscope.serve.pictures import Layers
from tumorscope.serve.uploads import FIELD

FILES_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FIELD],
                "additionalProperties": False,
                "properties": {
                    FIELD: {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "string", "format": "binary"},
                        "description": "Pictures: JPEG, PNG, TIFF, BMP, GIF or WebP. Repeat the field for each.",
                    }
                },
            }
        }
    },
}
"""The request body of whoever takes files."""
EXAMPLE: dict[str, Any] = {
    "file": "scan.png",
    "slice": None,
    "sequence": None,
    "kind": "slice",
    "status": "ok",
    "label": "glioma",
    "probabilities": {"glioma": 0.925321, "meningioma": 0.056809, "notumor": 0.002368, "pituitary": 0.015502},
    "tumor_probability": 0.997632,
    "prediction_set": ["glioma"],
    "flags": [],
    "outline": None,
    "heatmap": None,
    "message": None,
    "verdict": "tumor",
    "sentence": "Tumor likely: glioma.",
    "model": {"name": "tumorscope-slices", "version": "0.1.0", "sha256": "2390e70f5e2ac212e0e65961377760ec"},
    "overlay": None,
    "layers": None,
}
FAILED: dict[str, Any] = EXAMPLE | {
    "file": "letter.txt",
    "status": "error",
    "label": None,
    "probabilities": None,
    "tumor_probability": None,
    "prediction_set": None,
    "message": "is not an image of a known format; give a picture file",
    "verdict": "error",
    "sentence": "This file could not be read. Is not an image of a known format; give a picture file.",
}

VOLUME: dict[str, Any] = {
    "file": "head.nii.gz",
    "sequence": None,
    "kind": "volume",
    "status": "ok",
    "label": "glioma",
    "tumor_probability": 0.997632,
    "prediction_set": ["glioma"],
    "flags": [],
    "speaker": 1,
    "slices": [{"slice": 1, "tumor_probability": 0.997632}],
    "outline": None,
    "geometry": None,
    "message": None,
    "verdict": "tumor",
    "sentence": ("Tumor likely: glioma. Slice 2 of 3, the gravest, speaks for the scan. A tumor is called on slice 2."),
    "model": EXAMPLE["model"],
    "overlay": None,
    "layers": None,
}


class LayersDocument(BaseModel):
    """What a viewer draws a slice from; see `Layers`."""

    width: int = Field(description="Of the slice, in pixels.")
    height: int = Field(description="Of the slice, in pixels.")
    picture: str = Field(description="The slice: PNG in base64, gray, 8 or 16 bits deep.")
    heatmap: str = Field(description="Where the model looked: PNG in base64, 8-bit gray, at most 512 pixels long.")
    outlines: list[list[tuple[int, int]]] = Field(description="Contours at half the peak, (x, y) in pixels.")
    shown: str = Field(alias="class", description="The class whose heatmap it is.")


class SliceAnswer(SliceFinding):
    """The finding of a slice, with the pictures that were asked for."""

    overlay: str | None = Field(None, description="PNG in base64, with `overlay=png`.")
    layers: LayersDocument | None = Field(None, description="With `layers=true`.")


class VolumeAnswer(VolumeFinding):
    """The finding of a scan of several slices, behind those of its slices."""

    overlay: None = None
    layers: None = None


AnswerDocument = Annotated[SliceAnswer | VolumeAnswer, Field(discriminator="kind")]


class FindingsDocument(BaseModel):
    """A finding a slice, in the order of the files; behind those of a scan of several slices one of the volume."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"findings": [EXAMPLE, FAILED, VOLUME]}]})

    findings: list[AnswerDocument]


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as it stands in JSON: the finding with ``overlay`` and ``layers``."""
    return {
        **answer.finding.model_dump(),
        "overlay": None if answer.overlay is None else _base64(answer.overlay),
        "layers": None if answer.layers is None else _layers_json(answer.layers),
    }


def _layers_json(layers: Layers) -> dict[str, Any]:
    return {
        "width": layers.width,
        "height": layers.height,
        "picture": _base64(layers.picture),
        "heatmap": _base64(layers.heatmap),
        "outlines": layers.outlines,
        "class": layers.shown,
    }


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
