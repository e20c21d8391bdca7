"""A model ready to answer: paths in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorscope.errors import ModelFileError
from tumorscope.files.atomic import write_text
from tumorscope.findings import Finding, Findings, ModelName, SliceFinding, failed_finding
from tumorscope.inference.decide import Decision, decide, shown_class
from tumorscope.inference.inputs import Input, UnreadSlice, read_inputs
from tumorscope.inference.outputs import SliceOutputs, join_outputs
from tumorscope.inference.sentences import slice_finding
from tumorscope.inference.volume import volume_findings
from tumorscope.model_file import Card, ModelFile, read_model
from tumorscope.preprocess import Plane, preprocess
from tumorscope.progress import Progress
from tumorscope.results import Album, Drawable, Sink
from tumorscope.scans import MAX_PIXELS, MAX_SLICES, Channels, ScanRef, find_scans
from tumorscope.tasks.threads import chunks, chunks_of, cores, side_by_side

SHIPPED = "shipped.onnx"
BATCH = 16
"""Files that one worker opens, and slices that it runs, at a time."""
WINDOW = 4 * BATCH
"""Slices that a worker answers ahead; what else its files hold is read when its turn comes: a bound on memory."""
FINDINGS = "findings.json"
Answer = tuple[SliceFinding, "Slice | UnreadSlice"]
"""A finding and what stands behind it."""


@dataclass(frozen=True)
class Slice:
    """What stands behind the finding of one slice; pictures of it are drawn from this.

    Attributes:
        item: the slice as it was read.
        said: what was decided.
        heatmaps: ``(classes, h, w)``.
    """

    item: Input
    said: Decision
    heatmaps: NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """A loaded model file; get one from `load`.

    Attributes:
        file: the opened model file.
        workers: how many threads read and run batches side by side.
    """

    file: ModelFile
    workers: int = 1

    @property
    def card(self) -> Card:
        """What the model says of itself."""
        return self.file.card

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the outputs."""
        return self.card.classes

    def predict(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        out: str | Path | None = None,
        channels: Channels = "one",
        progress: Progress | None = None,
    ) -> Findings:
        """Read files and folders and say what they show.

        A file that cannot be read, is missing, or a folder without a picture, gives a finding of status 'error', and
        so does each slice of a file that cannot be read; the others are done.

        Args:
            paths: files, or folders of them.
            out: a folder for heatmap overlays, a contact sheet and ``findings.json``.
            channels: 'one' takes FLAIR of a picture that holds three sequences, 'all' answers for each.
            progress: told how many files are done.

        Raises:
            UsageError: none of the paths leads to a picture.
            OutputError: `out` cannot be written.
        """
        findings = Findings(self.iter_findings(paths, out=out, channels=channels, progress=progress))
        if out is not None:
            write_text(Path(out) / FINDINGS, findings.to_json() + "\n")
        return findings

    def iter_findings(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        out: str | Path | None = None,
        channels: Channels = "one",
        progress: Progress | None = None,
    ) -> Iterator[Finding]:
        """Give the findings of `predict` one by one, as they come."""
        folder = None if out is None else Path(out)
        refs = find_scans([paths] if isinstance(paths, str | Path) else list(paths), folder)
        album = None if folder is None else Album(folder)
        yield from self.answer_scans(refs, sink=album, channels=channels, progress=progress)
        if album is not None:
            album.close()

    def answer_scans(
        self,
        refs: Sequence[ScanRef],
        *,
        sink: Sink | None = None,
        channels: Channels = "one",
        progress: Progress | None = None,
    ) -> Iterator[Finding]:
        """Say what scans show, in their order; memory holds a window of slices, however many the scans have.

        Args:
            refs: the scans.
            sink: is given every slice that was answered, to draw or to write it.
            channels: as in `predict`.
            progress: told how many scans are done.
        """
        of_scan: list[SliceFinding] = []
        for finding, behind in self._answers(refs, channels, progress, keep_planes=sink is not None):
            told = finding if sink is None else self._sunk(finding, behind, sink)
            of_scan.append(told)
            yield told
            if (behind.item if isinstance(behind, Slice) else behind).is_last:
                yield from volume_findings(of_scan)
                of_scan.clear()

    def _answers(
        self, refs: Sequence[ScanRef], channels: Channels, progress: Progress | None, *, keep_planes: bool
    ) -> Iterator[Answer]:
        begin = partial(self._begin, channels=channels, keep_planes=keep_planes)
        done = 0
        for refs_of_batch, (answers, rest) in side_by_side(begin, chunks(refs, BATCH), self.workers):
            yield from answers
            for _, later in side_by_side(self.answer, chunks_of(rest, BATCH), self.workers):
                yield from later
            done += len(refs_of_batch)
            if progress:
                progress("predicting", done, len(refs))

    def read(
        self,
        file: str,
        *,
        channels: Channels = "one",
        keep_planes: bool = False,
        max_pixels: int = MAX_PIXELS,
        max_slices: int = MAX_SLICES,
        max_kept_pixels: int | None = None,
    ) -> Sequence[Input | UnreadSlice]:
        """Read a file as inputs of this model, or as what says why it, or a slice of it, cannot be read.

        Args:
            file: a scan.
            channels: as in `predict`.
            keep_planes: keep the slices as read too; pictures are drawn from them.
            max_pixels: a slice with more is not read.
            max_slices: a file with more is not read.
            max_kept_pixels: of all its slices, where they are kept; those beyond are not read.
        """
        items = read_inputs(
            ScanRef(file), self.card.spec, channels, keep_planes=keep_planes, max_pixels=max_pixels,
            max_slices=max_slices, max_kept_pixels=max_kept_pixels,
        )  # fmt: skip
        return list(items)

    def answer(self, items: Sequence[Input | UnreadSlice]) -> list[Answer]:
        """Run the graph on what `read` gave, of any number of files, and say what each item shows.

        Every finding of the package is made here: those of `predict` and those of the server.

        Returns:
            In the order of `items`, each finding with what stands behind it.
        """
        read = [item for item in items if isinstance(item, Input)]
        outputs = self._run([item.image for item in read])
        said = decide(
            self.card,
            outputs.probabilities,
            outputs.outlier,
            pixels=[item.placement.pixels for item in read],
            is_empty=[item.is_empty for item in read],
        )
        slices = iter([Slice(item, said[row], outputs.heatmap[row]) for row, item in enumerate(read)])
        return [self._failure(item) if isinstance(item, UnreadSlice) else self._finding(next(slices)) for item in items]

    def predict_slices(self, planes: Sequence[Plane]) -> SliceOutputs:
        """Run the model on slices that are in memory.

        Args:
            planes: float32 ``(height, width)`` each (with three channels for an 'lgg' model), any scale.
        """
        parts = [out for _, out in side_by_side(self._run_planes, chunks(planes, BATCH), self.workers)]
        return join_outputs(parts or [self._run([])])

    def _begin(
        self, refs: Sequence[ScanRef], channels: Channels, keep_planes: bool
    ) -> tuple[list[Answer], Iterator[Input | UnreadSlice]]:
        """Answer the first `WINDOW` slices of some scans; return what is left to read of them too."""
        spec = self.card.spec
        items = (item for ref in refs for item in read_inputs(ref, spec, channels, keep_planes=keep_planes))
        return self.answer(list(islice(items, WINDOW))), items

    def _sunk(self, finding: SliceFinding, behind: Slice | UnreadSlice, sink: Sink) -> SliceFinding:
        """Give a slice to the sink and return its finding with the path that the sink names."""
        if isinstance(behind, UnreadSlice) or behind.item.plane is None:
            return finding
        heatmap = behind.heatmaps[shown_class(self.card, behind.said)]
        return sink.add(Drawable(finding, behind.item.plane, behind.item.placement, heatmap))

    def _run_planes(self, planes: Sequence[Plane]) -> SliceOutputs:
        return self._run([preprocess(plane, self.card.spec) for plane in planes])

    def _run(self, images: Sequence[NDArray[np.uint8]]) -> SliceOutputs:
        side, depth = self.card.spec.side, self.card.spec.depth
        inputs = list(images) or [np.zeros((side, side, depth), np.uint8)]  # not every graph takes an empty batch
        parts = [self.file.run(np.stack(batch)) for batch in chunks(inputs, BATCH)]
        joined = {name: np.concatenate([part[name] for part in parts])[: len(images)] for name in parts[0]}
        tumor = joined["probabilities"][:, list(self.card.tumor_classes)].sum(axis=1)
        return SliceOutputs(joined["probabilities"], tumor, joined["heatmap"], joined["embedding"], joined["outlier"])

    def _finding(self, behind: Slice) -> Answer:
        item = behind.item
        finding = slice_finding(
            self.card, behind.said, file=item.file, index=item.index, sequence=item.sequence, model=self._name
        )
        return finding, behind

    def _failure(self, item: UnreadSlice) -> Answer:
        error = item.error
        text = error.what if error.remedy is None else f"{error.what}; {error.remedy}"
        return failed_finding(item.file, text, self._name, slice=item.index), item

    @property
    def _name(self) -> ModelName:
        return ModelName(name=self.card.name, version=self.card.version, sha256=self.file.sha256)


def load(path: str | Path | None = None, *, threads: int = 0) -> Model:
    """Load a model file.

    Args:
        path: the ``.onnx`` file; None for the model that is shipped with the package.
        threads: how many batches are read and run side by side; 0 takes every core that this process may use.

    Raises:
        ModelFileError: it is missing, no model file, or was altered.
    """
    file = read_model(shipped_model() if path is None else path, threads=1)  # threads that wait for one another spin
    return Model(file, threads or cores())


def shipped_model() -> Path:
    """Return the path of the model that is shipped with the package.

    Raises:
        ModelFileError: this installation has none.
    """
    path = Path(str(files("tumorscope") / "models" / SHIPPED))
    if not path.is_file():
        raise ModelFileError("is missing from this installation", file=path, remedy="give --model, or install again")
    return path
