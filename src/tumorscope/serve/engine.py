"""Uploads -> answers, over the batches that all requests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tumorscope.errors import ScanError
from tumorscope.findings import Finding, SliceFinding
from tumorscope.inference import Model, Slice
from tumorscope.inference.inputs import Input, UnreadSlice
from tumorscope.inference.model import BATCH
from tumorscope.inference.volume import volume_findings
from tumorscope.scans import Channels
from tumorscope.serve.batching import Batcher
from tumorscope.serve.pictures import Layers, draw_layers, draw_overlay
from tumorscope.serve.problems import log_place
from tumorscope.serve.settings import Limits
from tumorscope.serve.uploads import Upload

Pictures = Literal["none", "overlay", "layers", "both"]
READING_SECONDS = 0.025
"""A batch takes no further file once it was read for so long: large pictures go in smaller batches."""
DRAWN_WEIGHT = 4
"""A file whose pictures are drawn fills as much of a batch as so many others."""


@dataclass(frozen=True)
class Answer:
    """What a client is told of one slice.

    Attributes:
        finding: the very one that `predict` gives; `file` is the name that the client gave.
        overlay: PNG, if it was asked for and there is a slice that can be drawn.
        layers: the same for a viewer.
        upload: which of the files it is about, counted from 0.
    """

    finding: Finding
    overlay: bytes | None = None
    layers: Layers | None = None
    upload: int = 0


@dataclass(frozen=True)
class _Task:
    index: int
    upload: Upload
    channels: Channels
    pictures: Pictures


@dataclass(frozen=True)
class _Reading:
    task: _Task
    items: Sequence[Input | UnreadSlice]


class Engine:
    """Answers for one model; give it back with `close`.

    Args:
        model: with as many workers as batches may be worked on at one time.
        limits: for the pixels of a file.
        on_batch: told how many files each batch had.
    """

    def __init__(self, model: Model, limits: Limits, *, on_batch: Callable[[int], None] = lambda _: None) -> None:
        self.model = model
        self._limits = limits
        self._batcher: Batcher[_Task, _Reading, list[Answer]] = Batcher(
            self._read,
            self._answer,
            weigh=lambda task: 1 if task.pictures == "none" else DRAWN_WEIGHT,
            size=BATCH,
            seconds=READING_SECONDS,
            threads=model.workers,
            on_batch=on_batch,
        )

    @property
    def waiting(self) -> int:
        """How many files wait for their turn."""
        return self._batcher.waiting

    @property
    def seconds_a_file(self) -> float:
        """What a file takes at the measured pace, all threads together."""
        return self._batcher.seconds_a_task

    async def answer(
        self,
        uploads: Sequence[Upload],
        *,
        channels: Channels = "one",
        pictures: Pictures = "none",
        background: bool = False,
    ) -> list[Answer]:
        """Say what files show; one that cannot be read gives a finding of status 'error' and the others are done.

        Args:
            uploads: the files; they must stay until the answer is there.
            channels: as in `Model.predict`.
            pictures: what is drawn for each finding.
            background: give way to every other call.

        Returns:
            In the order of the files; a file of several slices has several, and at their end what they amount to.
        """
        tasks = [_Task(index, upload, channels, pictures) for index, upload in enumerate(uploads)]
        answers = await self._batcher.submit(tasks, background=background)
        return [answer for of_file in answers for answer in of_file]

    def close(self) -> None:
        """End the threads once they have done what they took."""
        self._batcher.close()

    def _read(self, task: _Task) -> _Reading:
        file = str(task.upload.path)
        try:
            items = self.model.read(
                file,
                channels=task.channels,
                keep_planes=task.pictures != "none",
                max_pixels=self._limits.pixels,
                max_slices=self._limits.slices,
                max_kept_pixels=self._limits.file_pixels,
            )
        except Exception as error:  # a file that trips a library in a way that no reader foresees fails alone
            log_place(error)
            items = [UnreadSlice(file, None, ScanError("cannot be read", file=file, remedy="export it again"))]
        return _Reading(task, items)

    def _answer(self, readings: Sequence[_Reading]) -> list[list[Answer]]:
        said = iter(self.model.answer([item for reading in readings for item in reading.items]))
        return [self._of_file(reading.task, [next(said) for _ in reading.items]) for reading in readings]

    def _of_file(self, task: _Task, said: Sequence[tuple[SliceFinding, Slice | UnreadSlice]]) -> list[Answer]:
        slices = [self._draw(task, finding, behind) for finding, behind in said]
        volumes = volume_findings([finding.model_copy(update={"file": task.upload.name}) for finding, _ in said])
        return [*slices, *(Answer(volume, upload=task.index) for volume in volumes)]

    def _draw(self, task: _Task, finding: SliceFinding, behind: Slice | UnreadSlice) -> Answer:
        named = finding.model_copy(update={"file": task.upload.name})
        card, wants = self.model.card, task.pictures
        try:
            return Answer(
                named,
                draw_overlay(card, behind) if isinstance(behind, Slice) and wants in ("overlay", "both") else None,
                draw_layers(card, behind) if isinstance(behind, Slice) and wants in ("layers", "both") else None,
                task.index,
            )
        except Exception as error:  # a slice of a shape that no PNG can have; the others of the batch are drawn
            log_place(error)
            return Answer(named, upload=task.index)
