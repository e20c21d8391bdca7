"""What a model says of one slice or of one volume, as plain data."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tumorscope.findings.words import Status, Verdict, capital


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ModelName(_Frozen):
    """Which model spoke."""

    name: str
    version: str
    sha256: str


class Outline(_Frozen):
    """Where the tumor lies: area in pixels, box (top, left, height, width), path of the mask picture."""

    area: int
    box: tuple[int, int, int, int]
    mask: str | None = None


class VolumeOutline(_Frozen):
    """Where the tumor lies in a volume.

    Attributes:
        voxels: how many it fills.
        volume_cm3: its volume; None where the slices are not evenly spaced.
        box: corner and size in mm, (x, y, z, width, depth, height), LPS (DICOM PS3.3 C.7.6.2).
        center_mm: (x, y, z), LPS.
        mask, seg, sr: paths of the NIfTI mask, the DICOM segmentation and the DICOM report, if they were written.
    """

    voxels: int
    volume_cm3: float | None
    box: tuple[float, float, float, float, float, float]
    center_mm: tuple[float, float, float]
    mask: str | None = None
    seg: str | None = None
    sr: str | None = None


class FindingGeometry(_Frozen):
    """How the slices of a volume lie.

    Attributes:
        spacing: distance between slices, rows and columns, in mm; None where the file does not tell.
        plane: 'axial', 'coronal', 'sagittal' or None.
        sides_known: whether left and right are told.
        is_regular: evenly spaced and orthogonal.
    """

    spacing: tuple[float, float, float] | None
    plane: Literal["axial", "coronal", "sagittal"] | None
    sides_known: bool
    is_regular: bool


class TumorSlice(_Frozen):
    """A slice that carries the tumor: its index from 0 in display order, and its probability of a tumor."""

    slice: int
    tumor_probability: float


class _Spoken(_Frozen):
    def to_json(self, indent: int | None = None) -> str:
        """Return the finding as one JSON object."""
        return to_json(self.model_dump(), indent)


class SliceFinding(_Spoken):
    """What a model says of one slice.

    Attributes:
        file: the path as given, or the given folder joined with the path inside it.
        slice: index from 0 in display order; None for a picture, which has one.
        sequence: 'T1', 'FLAIR', ... of a picture or file that holds several; else None.
        kind: 'slice'.
        status: 'ok', 'refused' (probabilities stand, but should not be used) or 'error' (there are none).
        label: 'notumor' exactly when `tumor_probability` is under the card's threshold, else the likeliest tumor class.
        probabilities: by class name.
        tumor_probability: of a tumor of any kind.
        prediction_set: the classes that cannot be ruled out at the card's coverage, likeliest first.
        flags: see `FLAGS`.
        outline: where the tumor lies, if the model outlines and there is one.
        heatmap: path of the heatmap picture, if one was written.
        message: why it was refused or failed.
        verdict: one word, see `VERDICTS`.
        sentence: the answer in plain words, its headline first, up to the first full stop.
        model: which model spoke.
    """

    file: str
    slice: int | None = None
    sequence: str | None = None
    kind: Literal["slice"] = "slice"
    status: Status = "ok"
    label: str | None = None
    probabilities: dict[str, float] | None = None
    tumor_probability: float | None = None
    prediction_set: list[str] | None = None
    flags: list[str] = []
    outline: Outline | None = None
    heatmap: str | None = None
    message: str | None = None
    verdict: Verdict
    sentence: str
    model: ModelName


class VolumeFinding(_Spoken):
    """What a model says of a scan of several slices; those of `SliceFinding` mean the same.

    Attributes:
        kind: 'volume'.
        speaker: index of the slice that speaks for the scan; None where no slice was answered.
        tumor_probability: the largest of the answered slices.
        label, prediction_set, flags: of the slice that speaks.
        slices: those that carry the tumor.
        outline: where the tumor lies, if the model outlines and there is one.
        geometry: how the slices lie; None for a file that does not tell.
        message: why it was refused or failed; else which slices could not be read, if any.
    """

    file: str
    sequence: str | None = None
    kind: Literal["volume"] = "volume"
    status: Status = "ok"
    label: str | None = None
    tumor_probability: float | None = None
    prediction_set: list[str] | None = None
    flags: list[str] = []
    speaker: int | None = None
    slices: list[TumorSlice] = []
    outline: VolumeOutline | None = None
    geometry: FindingGeometry | None = None
    message: str | None = None
    verdict: Verdict
    sentence: str
    model: ModelName


Finding = Annotated[SliceFinding | VolumeFinding, Field(discriminator="kind")]
"""Either of them, told apart by `kind`."""
FINDING: TypeAdapter[SliceFinding | VolumeFinding] = TypeAdapter(Finding)


def read_finding(value: Any) -> SliceFinding | VolumeFinding:
    """Return a finding from plain data, as `to_json` writes it; keys that are not a finding's are left out.

    Raises:
        pydantic.ValidationError: it is no finding.
    """
    return FINDING.validate_python(value)


def failed_finding(
    file: str, message: str, model: ModelName, *, slice: int | None = None, sequence: str | None = None
) -> SliceFinding:
    """Return the finding that stands for a file, or for a slice of it, that could not be read."""
    what = "file" if slice is None else "slice"
    return SliceFinding(
        file=file, slice=slice, sequence=sequence, status="error", message=message, verdict="error",
        sentence=f"This {what} could not be read. {capital(message)}.", model=model,
    )  # fmt: skip


def full_name(finding: Finding) -> str:
    """Return the name of what a finding is about: the file, the sequence, and the slice counted from 1."""
    number = finding.slice if finding.kind == "slice" else None
    parts = [finding.file, finding.sequence, None if number is None else f"slice {number + 1}"]
    return ", ".join(part for part in parts if part is not None)


def to_json(value: Any, indent: int | None) -> str:
    """Return plain data as JSON; a name of a file need not be text."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
