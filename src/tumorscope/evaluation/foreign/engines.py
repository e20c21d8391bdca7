"""What runs a model that is not ours: an ONNX graph, which holds no code, or a Python function, which is code."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorscope.errors import ModelFileError, did_you_mean
from tumorscope.evaluation.foreign.description import Description
from tumorscope.model_file import MAX_BYTES

if TYPE_CHECKING:
    import onnxruntime

BATCH = 16
TYPES = {"float32": "float", "float16": "float16", "float64": "double", "uint8": "uint8"}
"""Our names of number types, and those of ONNX."""


@dataclass(frozen=True)
class Engine:
    """Something that answers batches.

    Attributes:
        kind: 'onnx' or 'callable'.
        file: what a message names: the file, or the function.
        sha256: of the graph, or of the source that holds the function ('' where there is none).
        answer: a batch to its output.
        batch: how many slices it takes at once.
        is_fixed: whether it takes only batches of that many.
    """

    kind: str
    file: str
    sha256: str
    answer: Callable[[NDArray[Any]], NDArray[Any]]
    batch: int = BATCH
    is_fixed: bool = False

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """Answer any number of slices.

        Raises:
            ModelFileError: the model fails on them.
        """
        parts = []
        for start in range(0, len(images), self.batch):
            given = images[start : start + self.batch]
            short = self.batch - len(given) if self.is_fixed else 0
            padded = np.concatenate([given, np.repeat(given[-1:], short, axis=0)]) if short else given
            output = self._one(padded)
            parts.append(output[: len(given)] if short and len(output) == len(padded) else output)
        if len(shapes := {part.shape[1:] for part in parts}) > 1:
            raise ModelFileError(
                f"gives rows of different shapes ({', '.join(map(str, sorted(shapes)))})",
                file=self.file,
                remedy="return an array with one row a slice, each alike",
            )
        return np.concatenate(parts)

    def _one(self, images: NDArray[Any]) -> NDArray[Any]:
        try:
            output = np.asarray(self.answer(images))
        except (Exception, SystemExit, GeneratorExit) as error:  # whatever a graph or a stranger's function raises
            why = str(error).strip().splitlines() or [""]
            text = f"{type(error).__name__}: {why[0][:160]}".rstrip(": ")
            raise ModelFileError(
                f"fails on a batch of shape {images.shape} ({text})",
                file=self.file,
                remedy="mend the model or its input",
            ) from error
        if output.dtype.kind not in "fiub" or output.ndim == 0:
            raise ModelFileError("gives no array of numbers", file=self.file, remedy="return an array, a row a slice")
        return output


def open_engine(described: Description, folder: Path) -> Engine:
    """Open what a description names.

    Args:
        described: the model.
        folder: that the description lies in.

    Raises:
        ModelFileError: the graph or function is missing, or does not fit the description.
    """
    if described.model is not None:
        return _open_graph(described, folder / described.model)
    return _open_callable(str(described.call), folder)


def _open_graph(described: Description, path: Path) -> Engine:
    if not path.is_file():
        raise ModelFileError("is not a file", file=path, remedy="give the path of the ONNX file")
    if not 0 < path.stat().st_size <= MAX_BYTES:
        raise ModelFileError(f"has {path.stat().st_size:,} bytes", file=path, remedy=f"at most {MAX_BYTES:,} are read")
    content = path.read_bytes()
    session = _session(content, path)
    name, batch = _check_input(session, described, path)
    output = _output_name(session, described, path)

    def answer(images: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(session.run([output], {name: images})[0])

    return Engine("onnx", str(path), hashlib.sha256(content).hexdigest(), answer, batch or BATCH, batch is not None)


def _session(content: bytes, path: Path) -> onnxruntime.InferenceSession:
    """Open a graph from its bytes alone, so that it can name no other file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has one exception class for each status code and no base of its own
        if "external" in str(error).lower():
            raise ModelFileError(
                "keeps its weights in other files", file=path, remedy="save it as one file, without external data"
            ) from error
        why = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
        raise ModelFileError(f"is not a readable ONNX model ({why})", file=path, remedy="export it again") from error


def _check_input(session: onnxruntime.InferenceSession, described: Description, path: Path) -> tuple[str, int | None]:
    """Return the input's name and its fixed batch size, if it has one."""
    inputs, wanted = session.get_inputs(), described.input
    if len(inputs) != 1:
        raise ModelFileError(f"has {len(inputs)} inputs", file=path, remedy="export it with one, the batch of slices")
    one = inputs[0]
    if one.type != f"tensor({TYPES[wanted.dtype]})":
        raise ModelFileError(f"takes {one.type}, not {wanted.dtype}", file=path, remedy="mend input.dtype")
    fits = len(one.shape) == 4 and all(
        not isinstance(has, int) or has == asked for has, asked in zip(one.shape[1:], wanted.shape, strict=True)
    )
    if not fits:
        raise ModelFileError(
            f"takes a shape of {_shown(one.shape)}, the description makes {_shown(['N', *wanted.shape])}",
            file=path,
            remedy="mend input.side, input.layout or input.color",
        )
    return one.name, one.shape[0] if isinstance(one.shape[0], int) and one.shape[0] > 0 else None


def _output_name(session: onnxruntime.InferenceSession, described: Description, path: Path) -> str:
    outputs = [output.name for output in session.get_outputs()]
    name = described.output.name
    if name is not None and name not in outputs:
        raise ModelFileError(f"has no output '{name}'", file=path, remedy=did_you_mean(name, outputs))
    return name or outputs[0]


def _shown(shape: Sequence[object]) -> str:
    return f"({', '.join(str(size) if isinstance(size, int) else 'N' for size in shape)})"


def _open_callable(named: str, folder: Path) -> Engine:
    module_name, _, function_name = named.partition(":")
    if not module_name or not function_name:
        raise ModelFileError(f"'{named}' is no function", remedy="write call: module:function")
    module = _import(module_name, folder)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ModelFileError(f"{module_name} has no function '{function_name}'", remedy="check call in the description")
    return Engine("callable", named, _source_hash(module), function)


def _import(name: str, folder: Path) -> Any:
    """Import a module, looked for beside the description first."""
    folder = folder.resolve()
    sys.path.insert(0, str(folder))
    _forget_another(name, folder)
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit, GeneratorExit) as error:  # importing runs a stranger's code
        text = f"{type(error).__name__}: {error}".splitlines()[0][:160]
        raise ModelFileError(
            f"the module '{name}' cannot be imported ({text})", remedy="put it beside the description, or install it"
        ) from error
    finally:
        sys.path.remove(str(folder))


def _forget_another(name: str, folder: Path) -> None:
    """Forget a module of the same name from elsewhere, where the folder has its own: else that one would answer."""
    importlib.invalidate_caches()
    place = folder.joinpath(*name.split("."))
    own = {place.with_suffix(".py"), place / "__init__.py"}
    held = getattr(sys.modules.get(name), "__file__", None)
    if held is not None and Path(held).resolve() not in own and any(path.is_file() for path in own):
        del sys.modules[name]


def _source_hash(module: Any) -> str:
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode()).hexdigest()
