"""The slices of a scan, each ready for a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorscope.errors import ScanError
from tumorscope.preprocess import Placement, Plane, Spec, is_empty, place, preprocess
from tumorscope.scans import MAX_PIXELS, MAX_SLICES, Channels, Header, Scan, ScanRef, read_sequences
from tumorscope.scans.scan import usual_sequence


@dataclass(frozen=True)
class Input:
    """One slice, ready for a model.

    Attributes:
        file: the scan, as findings name it.
        index: which slice of the scan; None where it has one.
        sequence: which sequence it shows, where the scan holds several and the model takes one; else None.
        image: uint8 ``(side, side, channels)``.
        placement: where the slice lies in the image.
        is_empty: whether the slice has a single gray level.
        plane: the slice as read, float32 ``(height, width)``, or with three channels; None where it was not kept.
        is_deep: whether the file holds more than 8 bits a pixel.
        is_last: whether the scan ends with it.
    """

    file: str
    index: int | None
    sequence: str | None
    image: NDArray[np.uint8]
    placement: Placement
    is_empty: bool
    plane: Plane | None
    is_deep: bool = False
    is_last: bool = True


@dataclass(frozen=True)
class UnreadSlice:
    """What stands in the place of an `Input` that could not be made.

    Attributes:
        file: the scan, as findings name it.
        index: which slice of the scan, None where it is the whole scan, or has one.
        error: why.
        is_last: whether the scan ends with it.
    """

    file: str
    index: int | None
    error: ScanError
    is_last: bool = True


def read_inputs(
    ref: ScanRef,
    spec: Spec,
    channels: Channels = "one",
    *,
    keep_planes: bool = False,
    max_pixels: int = MAX_PIXELS,
    max_slices: int = MAX_SLICES,
    max_kept_pixels: int | None = None,
) -> Iterator[Input | UnreadSlice]:
    """Open a scan and bring one slice after the other to a model's input; nothing is raised for a damaged one.

    Args:
        ref: the scan.
        spec: of the model.
        channels: 'one' takes FLAIR of a picture that holds three sequences, 'all' gives an input of each.
        keep_planes: keep the slices as read too; pictures are drawn from them.
        max_pixels: a slice with more is not read.
        max_slices: a scan with more is not read.
        max_kept_pixels: of all slices that are kept; of a scan with more, the slices beyond are not read. None for
            no limit, which suits who takes one slice after the other.
    """
    try:
        with ref.open(max_pixels) as scan:
            _check_count(ref, scan.header.slices, max_slices)
            kept = 0
            for index in range(scan.header.slices):
                if max_kept_pixels is not None and kept >= max_kept_pixels:
                    yield _beyond(ref.name, scan.header, index, max_kept_pixels)
                    continue
                for item in _inputs_of_slice(ref.name, scan, index, spec, channels, keep_planes):
                    kept += item.plane.size if isinstance(item, Input) and item.plane is not None else 0
                    yield item
    except ScanError as error:
        yield UnreadSlice(ref.name, None, error)


def _check_count(ref: ScanRef, slices: int, most: int) -> None:
    if slices > most:
        raise ScanError(f"holds {slices:,} slices", file=ref.name, remedy=f"split it below {most:,}")


def _beyond(name: str, header: Header, index: int, most: int) -> UnreadSlice:
    error = ScanError(
        f"has more than {most:,} pixels in its slices, too many to draw at once", file=name, remedy="split it"
    )
    return UnreadSlice(name, index, error, is_last=index == header.slices - 1)


def _inputs_of_slice(
    name: str, scan: Scan, index: int, spec: Spec, channels: Channels, keep_plane: bool
) -> Iterator[Input | UnreadSlice]:
    header = scan.header
    number = index if header.slices > 1 else None
    sequences, ends_here = _sequences(header, spec, channels), index == header.slices - 1
    for sequence in sequences:
        try:
            plane = read_sequences(scan, index) if spec.channels == "lgg" else scan.read(index, sequence)
        except ScanError as error:
            yield UnreadSlice(name, number, ScanError(error.what, file=name, remedy=error.remedy), ends_here)
            return
        placed = place(plane, spec)
        yield Input(
            file=name,
            index=number,
            sequence=sequence,
            image=preprocess(plane, spec, placed),
            placement=placed,
            is_empty=is_empty(plane),
            plane=plane if keep_plane else None,  # a folder of large pictures must not fill the memory
            is_deep=header.is_deep,
            is_last=ends_here and sequence == sequences[-1],
        )


def _sequences(header: Header, spec: Spec, channels: Channels) -> tuple[str | None, ...]:
    """Return which sequences of a slice become an input each; None for all of them together, or the only one."""
    if spec.channels == "lgg" or not header.sequences:
        return (None,)
    return header.sequences if channels == "all" else (usual_sequence(header),)
