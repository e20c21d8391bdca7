"""A model ready to answer: paths in, findings out."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorscope.atomic import write_bytes, write_text
from tumorscope.errors import ModelFileError, ScanError
from tumorscope.inference.decide import Decision, decide
from tumorscope.inference.finding import Finding, Findings, ModelName
from tumorscope.inference.inputs import Input, list_files, read_inputs
from tumorscope.inference.overlays import Picture, contact_sheet, encode_png, overlay
from tumorscope.model_file import NOTUMOR, Card, ModelFile, read_model
from tumorscope.preprocess import Plane, preprocess
from tumorscope.scans import Channels

SHIPPED = "shipped.onnx"
BATCH = 32
READERS = 2
AHEAD = 4 * BATCH
"""Files decoded before their turn; a bound on memory."""
SHEET_LIMIT = 60
FINDINGS, SHEET = "findings.json", "contact_sheet.png"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SliceOutputs:
    """What the graph says of n slices.

    Attributes:
        probabilities: ``(n, classes)``.
        tumor: ``(n,)``, of a tumor of any kind.
        heatmap: ``(n, classes, h, w)``.
        embedding: ``(n, d)``.
        outlier: ``(n,)``.
    """

    probabilities: NDArray[np.float32]
    tumor: NDArray[np.float32]
    heatmap: NDArray[np.float32]
    embedding: NDArray[np.float32]
    outlier: NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """A loaded model file; get one from `load`."""

    file: ModelFile

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

        A file that cannot be read gives a finding of status 'error'; the others are done.

        Args:
            paths: files, or folders of them.
            out: a folder for heatmap overlays, a contact sheet and ``findings.json``.
            channels: 'one' takes FLAIR of a picture that holds three sequences, 'all' answers for each.
            progress: told how many files are done.

        Raises:
            UsageError: a path is not there, or a folder holds no picture.
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
        named = list_files([paths] if isinstance(paths, str | Path) else list(paths))
        album = None if out is None else _Album(Path(out))
        done = 0
        for batch in _batches(_read_ahead(named, self.card, channels)):
            images = [item for item in batch if isinstance(item, Input)]
            outputs = self._run([item.image for item in images])
            row = 0
            for item in batch:
                if isinstance(item, ScanError):
                    yield self._failure(item)
                else:
                    yield self._finding(item, outputs, row, album)
                    row += 1
            done += len({item.file for item in batch})
            if progress:
                progress("predicting", min(done, len(named)), len(named))
        if album is not None:
            album.close()

    def predict_slices(self, planes: Sequence[Plane]) -> SliceOutputs:
        """Run the model on slices that are in memory.

        Args:
            planes: float32 ``(height, width)`` each (with three channels for an 'lgg' model), any scale.
        """
        return self._run([preprocess(plane, self.card.spec) for plane in planes])

    def _run(self, images: Sequence[NDArray[np.uint8]]) -> SliceOutputs:
        side, depth = self.card.spec.side, self.card.spec.depth
        parts = []
        for start in range(0, max(len(images), 1), BATCH):
            stacked = np.array(images[start : start + BATCH], np.uint8).reshape(-1, side, side, depth)
            parts.append(self.file.run(stacked))
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        tumor = joined["probabilities"][:, list(self.card.tumor_classes)].sum(axis=1)
        return SliceOutputs(joined["probabilities"], tumor, joined["heatmap"], joined["embedding"], joined["outlier"])

    def _finding(self, item: Input, outputs: SliceOutputs, row: int, album: _Album | None) -> Finding:
        probabilities = outputs.probabilities[row]
        said = decide(self.card, probabilities, float(outputs.outlier[row]), pixels=item.pixels, is_empty=item.is_empty)
        heatmap = None if album is None else album.add(item, said, outputs.heatmap[row], probabilities, self.card)
        return Finding(
            file=item.file,
            slice=item.index,
            status=said.status,
            label=said.label,
            probabilities={name: round(float(p), 6) for name, p in zip(self.classes, probabilities, strict=True)},
            tumor_probability=round(said.tumor_probability, 6),
            prediction_set=said.prediction_set,
            flags=said.flags,
            heatmap=heatmap,
            message=said.message,
            model=self._name,
        )

    def _failure(self, error: ScanError) -> Finding:
        text = error.what if error.remedy is None else f"{error.what}; {error.remedy}"
        return Finding(file=error.file or "", status="error", message=text, model=self._name)

    @property
    def _name(self) -> ModelName:
        return ModelName(name=self.card.name, version=self.card.version, sha256=self.file.sha256)


def load(path: str | Path | None = None, *, threads: int = 0) -> Model:
    """Load a model file.

    Args:
        path: the ``.onnx`` file; None for the model that is shipped with the package.
        threads: CPU threads of the model; 0 leaves the choice to onnxruntime.

    Raises:
        ModelFileError: it is missing, no model file, or was altered.
    """
    return Model(read_model(shipped_model() if path is None else path, threads))


def shipped_model() -> Path:
    """Return the path of the model that is shipped with the package.

    Raises:
        ModelFileError: this installation has none.
    """
    path = Path(str(files("tumorscope") / "models" / SHIPPED))
    if not path.is_file():
        raise ModelFileError("is missing from this installation", file=path, remedy="give --model, or install again")
    return path


class _Album:
    """The pictures of one call, under names that cannot collide."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: set[str] = set()
        self.sheet: list[tuple[Picture, str, str]] = []

    def add(
        self,
        item: Input,
        said: Decision,
        heatmaps: NDArray[np.float32],
        probabilities: NDArray[np.float32],
        card: Card,
    ) -> str:
        likeliest = max(card.tumor_classes, key=lambda index: probabilities[index])
        shown = likeliest if said.label == NOTUMOR else card.classes.index(said.label)
        picture = overlay(item.plane, heatmaps[shown], item.placement)
        path = self.folder / self._unique(item)
        write_bytes(path, encode_png(picture))
        if len(self.sheet) < SHEET_LIMIT:
            self.sheet.append((picture, Path(item.file).name, f"{said.label}, tumor {said.tumor_probability:.0%}"))
        return str(path)

    def close(self) -> None:
        if self.sheet:
            write_bytes(self.folder / SHEET, encode_png(contact_sheet(self.sheet)))

    def _unique(self, item: Input) -> str:
        stem = Path(item.file).stem if item.index is None else f"{Path(item.file).stem}.{item.index}"
        name, number = f"{stem}.png", 2
        while name in self.names:
            name, number = f"{stem}-{number}.png", number + 1
        self.names.add(name)
        return name


def _read_ahead(named: Sequence[str], card: Card, channels: Channels) -> Iterator[Input | ScanError]:
    waiting: deque[Future[list[Input] | ScanError]] = deque()
    with ThreadPoolExecutor(min(READERS, os.cpu_count() or 1)) as pool:
        for file in named:
            waiting.append(pool.submit(_try_read, file, card, channels))
            if len(waiting) >= AHEAD:
                yield from _each(waiting.popleft().result())
        while waiting:
            yield from _each(waiting.popleft().result())


def _try_read(file: str, card: Card, channels: Channels) -> list[Input] | ScanError:
    try:
        return read_inputs(file, card.spec, channels)
    except ScanError as error:
        error.file = file
        return error


def _each(result: list[Input] | ScanError) -> Iterator[Input | ScanError]:
    if isinstance(result, ScanError):
        yield result
    else:
        yield from result


def _batches(items: Iterator[Input | ScanError]) -> Iterator[list[Input | ScanError]]:
    batch: list[Input | ScanError] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
