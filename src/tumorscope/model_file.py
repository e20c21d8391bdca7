"""The model file: one ``.onnx`` that holds the graph and, as metadata, the card. Loading executes no code.

The file is written by training and read by everything else; reading needs onnxruntime alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tumorscope.errors import ModelFileError
from tumorscope.files.atomic import replacing
from tumorscope.preprocess import Spec
from tumorscope.statistics.figure import Figure

if TYPE_CHECKING:
    import onnxruntime

FORMAT_VERSION = 1
CARD_KEY = "tumorscope"
PRINTS_KEY = "tumorscope_prints"
SEAL_KEY = "tumorscope_seal"
"""Holds the hash of the file's own bytes with the hash itself blanked, so that an altered file is noticed."""
BLANK_SEAL = "0" * 64
NO_CARD = "give a model that tumorscope train wrote; of any other, evaluate takes a description (docs/benchmark.md)"
MAX_BYTES = 512 * 1024 * 1024
INPUT = "image"
OUTPUTS = ("probabilities", "heatmap", "embedding", "outlier")
NOTUMOR = "notumor"


class Thresholds(BaseModel):
    """Limits fitted on validation, never on test.

    Attributes:
        tumor: a slice is called tumor when the summed probability of the tumor classes reaches it.
        outlier: above this distance a slice is refused as unlike the training data; None where it was not fitted.
        abstain: below this probability of the likeliest answer (tumor or none) the model abstains.
        conformal: a class belongs to the prediction set when its probability reaches it.
        coverage: the share of true classes that the prediction set was fitted to hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tumor: float = Field(0.5, ge=0, le=1)
    outlier: float | None = None
    abstain: float = Field(0.0, ge=0, le=1)
    conformal: float = Field(0.1, ge=0, le=1)
    coverage: float = Field(0.95, ge=0, le=1)


class TrainingData(BaseModel):
    """What a model was trained on: name and slice counts of the sets, and a hash over the slices' hashes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: dict[str, int] = Field(default_factory=dict)
    labels: dict[str, int] = Field(default_factory=dict)
    fingerprint: str = ""


class Card(BaseModel):
    """What a model file says of itself.

    Attributes:
        format: version of this format.
        name: the model's name.
        classes: class names in the order of the graph's outputs.
        spec: how a slice becomes the input.
        thresholds: limits for findings.
        temperature: by which the logits are divided inside the graph.
        training: sets and counts.
        metrics: measured on what, {name of the measured set and split: {metric: figure}}.
        never_shown: what the model has not seen, in words.
        licence: under which the weights may be used.
        notes: anything else a user should know.
        recipe: the resolved recipe.
        version: of tumorscope, when the file was written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT_VERSION
    name: str
    classes: tuple[str, ...] = Field(min_length=2)
    spec: Spec
    thresholds: Thresholds = Thresholds()
    temperature: float = Field(1.0, gt=0)
    training: TrainingData = TrainingData()
    metrics: dict[str, dict[str, Figure]] = Field(default_factory=dict)
    never_shown: tuple[str, ...] = ()
    licence: str = "unknown"
    notes: tuple[str, ...] = ()
    recipe: dict[str, Any] = Field(default_factory=dict)
    version: str = ""

    @property
    def tumor_classes(self) -> tuple[int, ...]:
        """Indices of the classes that are a tumor: all but `notumor`."""
        return tuple(i for i, name in enumerate(self.classes) if name != NOTUMOR)


@dataclass(frozen=True)
class ModelFile:
    """An opened model file.

    Attributes:
        path: where it lies.
        card: what it says of itself.
        sha256: hash of the whole file.
        session: the onnxruntime session; call `run` rather than this.
        prints: packed twin fingerprints of the training slices as written (see `catalog.prints`), empty if none.
    """

    path: Path
    card: Card
    sha256: str
    session: onnxruntime.InferenceSession = field(repr=False)
    prints: str = field(default="", repr=False)

    def run(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Run the graph on uint8 ``(N, side, side, channels)`` and return its outputs by name."""
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, {INPUT: images}), strict=True))


def read_model(path: str | Path, threads: int = 0) -> ModelFile:
    """Open a model file and verify it: size, format version, and the card against the graph's shapes.

    Args:
        path: the ``.onnx`` file.
        threads: CPU threads for one run; 0 leaves the choice to onnxruntime.

    Raises:
        ModelFileError: it is missing, too large, no ONNX graph, no model of ours, of a newer format, or altered.
    """
    path = Path(path)
    content = _content(path)
    session = _open(content, path, threads)
    metadata = session.get_modelmeta().custom_metadata_map
    card = parse_card(metadata.get(CARD_KEY), path)
    _check_seal(content, metadata.get(SEAL_KEY, ""), path)
    _check_shapes(session, card, path)
    return ModelFile(path, card, hashlib.sha256(content).hexdigest(), session, metadata.get(PRINTS_KEY, ""))


def parse_card(text: str | None, path: Path) -> Card:
    """Parse the card's JSON.

    Raises:
        ModelFileError: there is none, it is damaged, or of a newer format.
    """
    if text is None:
        raise ModelFileError("has no tumorscope card", file=path, remedy=NO_CARD)
    try:
        values = json.loads(text)
        version = values.get("format")
    except (ValueError, AttributeError) as error:
        raise ModelFileError("has a damaged card", file=path, remedy="copy or train the model again") from error
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"is of format {version}, this tumorscope reads {FORMAT_VERSION}",
            file=path,
            remedy="use the tumorscope that wrote it, or a newer one",
        )
    try:
        return Card.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelFileError(
            f"has a wrong card ({where}: {first['msg'].lower()})", file=path, remedy="copy or train the model again"
        ) from error


def write_model(graph: Any, card: Card, path: str | Path, prints: str = "") -> None:
    """Write a graph with its card; needs the `train` extra.

    Args:
        graph: an ``onnx.ModelProto``, or the path of a model file whose card is to be replaced.
        card: the card.
        path: where to; replaced in one step.
        prints: packed fingerprints of the training slices.
    """
    import onnx

    proto = onnx.load(graph) if isinstance(graph, str | Path) else graph
    values = {CARD_KEY: card.model_dump_json(), SEAL_KEY: BLANK_SEAL} | ({PRINTS_KEY: prints} if prints else {})
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, values)
    blank = proto.SerializeToString()
    sealed = blank.replace(BLANK_SEAL.encode(), hashlib.sha256(blank).hexdigest().encode())
    with replacing(path) as temporary:
        temporary.write_bytes(sealed)
        read_model(temporary)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise ModelFileError("is not a file", file=path, remedy="give the path of a .onnx model file")
    size = path.stat().st_size
    if size == 0 or size > MAX_BYTES:
        raise ModelFileError(f"has {size:,} bytes", file=path, remedy=f"a model file has between 1 and {MAX_BYTES:,}")
    return path.read_bytes()


def _check_seal(content: bytes, seal: str, path: Path) -> None:
    blank = content.replace(seal.encode(), BLANK_SEAL.encode()) if len(seal) == len(BLANK_SEAL) else b""
    if hashlib.sha256(blank).hexdigest() != seal:
        raise ModelFileError("was altered after it was written", file=path, remedy="copy or train the model again")


def _open(content: bytes, path: Path, threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has one exception class for each status code and no base of its own
        raise ModelFileError(
            "is not a readable ONNX model", file=path, remedy="copy or train the model again"
        ) from error


def _check_shapes(session: onnxruntime.InferenceSession, card: Card, path: Path) -> None:
    inputs = {i.name: (i.type, i.shape) for i in session.get_inputs()}
    outputs = {o.name: o.shape for o in session.get_outputs()}
    side, depth = card.spec.side, card.spec.depth
    wrong = None
    if set(inputs) != {INPUT} or inputs[INPUT][0] != "tensor(uint8)" or inputs[INPUT][1][1:] != [side, side, depth]:
        wrong = f"input {inputs}"
    elif missing := [name for name in OUTPUTS if name not in outputs]:
        wrong = f"no output {missing[0]}"
    elif any(outputs[name][1] != len(card.classes) for name in ("probabilities", "heatmap")):
        wrong = f"{outputs['probabilities'][1]} outputs for {len(card.classes)} classes"
    if wrong:
        raise ModelFileError(f"does not fit its card ({wrong})", file=path, remedy="copy or train the model again")
