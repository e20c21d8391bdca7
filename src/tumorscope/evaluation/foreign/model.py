"""A model that is not ours, ready to be measured like one of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorscope.catalog.benchmark import parse_benchmark
from tumorscope.catalog.parts import is_benchmark
from tumorscope.catalog.phantom import is_phantom
from tumorscope.errors import ModelFileError
from tumorscope.evaluation.foreign.answers import columns_wrong, sum_by_class, to_probabilities
from tumorscope.evaluation.foreign.description import Description, our_classes, read_description
from tumorscope.evaluation.foreign.engines import Engine, open_engine
from tumorscope.evaluation.foreign.images import make_batch
from tumorscope.model_file import Card
from tumorscope.preprocess import Plane


@dataclass(frozen=True)
class ForeignOutputs:
    """What such a model says of n slices; heatmaps and outlier distances it has none.

    Attributes:
        probabilities: float64 ``(n, classes)``.
    """

    probabilities: NDArray[np.float64]
    heatmap: None = None
    outlier: None = None


@dataclass(frozen=True)
class ForeignFile:
    """Where a description lies, and a hash over it and over what it names; there are no fingerprints."""

    path: Path
    sha256: str
    prints: str = ""


@dataclass(frozen=True)
class ForeignModel:
    """A model that is not ours; get one from `load_foreign`.

    Attributes:
        described: by its owner.
        card: the same as a card, without thresholds.
        file: where the description lies.
        engine: what runs it.
        outputs: our class of each of its outputs.
    """

    described: Description
    card: Card
    file: ForeignFile
    engine: Engine
    outputs: tuple[str, ...]

    @property
    def trained_on(self) -> str | None:
        """What its owner says that it was trained on: a folder, a CSV, ``benchmark:NAME``, or None."""
        named = self.described.trained_on
        if named is None or is_benchmark(named) or is_phantom(named):
            return named
        return str(self.file.path.parent / named)

    def predict_slices(self, planes: Sequence[Plane]) -> ForeignOutputs:
        """Run the model on slices that are in memory.

        Args:
            planes: float32 ``(height, width)`` each, 0 to 255, with three channels where it takes sequences.

        Raises:
            ModelFileError: it fails, or its output is not what the description promises.
        """
        if not planes:
            return ForeignOutputs(np.zeros((0, len(self.card.classes))))
        output = self.engine.run(make_batch(planes, self.described.input))
        if wrong := columns_wrong(output.shape, len(planes), len(self.outputs)):
            raise ModelFileError(wrong, file=self.engine.file, remedy="mend classes or output in the description")
        try:
            probabilities = to_probabilities(output, self.described.output.kind)
        except ValueError as error:
            raise ModelFileError(
                str(error), file=self.engine.file, remedy="mend the model or its description"
            ) from error
        return ForeignOutputs(sum_by_class(probabilities, self.outputs, self.card.classes))


def load_foreign(path: str | Path) -> ForeignModel:
    """Load a model that is not ours from its description, and ask it once about an empty slice.

    An ONNX graph holds no code. A function named by ``call`` is code, and is run: load only what you trust.

    Args:
        path: the YAML.

    Raises:
        ModelFileError: the description is wrong, or the model does not fit it.
        UsageError: it was trained on a benchmark that there is none of.
    """
    path = Path(path)
    described = read_description(path)
    outputs = our_classes(described.classes, path)
    engine = open_engine(described, path.parent)
    digest = hashlib.sha256(path.read_bytes() + engine.sha256.encode()).hexdigest()
    model = ForeignModel(described, _card(described, outputs), ForeignFile(path, digest), engine, outputs)
    _check_training_data(model)
    _try_once(model)
    return model


def _card(described: Description, outputs: tuple[str, ...]) -> Card:
    return Card(
        name=described.name,
        classes=tuple(dict.fromkeys(outputs)),
        spec=described.input.spec,
        licence=described.licence,
        notes=described.notes,
    )


def _check_training_data(model: ForeignModel) -> None:
    named = model.trained_on
    if named is not None and is_benchmark(named):
        parse_benchmark(named)
    elif named is not None and not is_phantom(named) and not Path(named).exists():
        raise ModelFileError(
            f"trained_on names {named}, which is not there", file=model.file.path, remedy="mend or remove it"
        )


def _try_once(model: ForeignModel) -> None:
    """Tell a wrong shape before an hour of reading; values are not judged, the slice being empty."""
    wanted = model.described.input
    shape = (wanted.side, wanted.side, *((3,) if wanted.color == "sequences" else ()))
    output = model.engine.run(make_batch([np.zeros(shape, np.float32)], wanted))
    if wrong := columns_wrong(output.shape, 1, len(model.outputs)):
        raise ModelFileError(wrong, file=model.engine.file, remedy="mend classes or output in the description")
