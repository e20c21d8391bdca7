"""Checkpoints of a training: never half written, and read as tensors and plain values alone."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from tumorscope.training import torchvision_shim  # noqa: F401  before lightning, which imports torchvision

# isort: split
import torch
from lightning.fabric.plugins import TorchCheckpointIO

from tumorscope.errors import UsageError
from tumorscope.files.atomic import write_bytes


def read_checkpoint(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Read a checkpoint without running anything that it may hold: run folders are passed on from hand to hand.

    Args:
        path: of a file that a training wrote.
        map_location: where the tensors go, as `torch.load` takes it.

    Returns:
        Its state, with the weights under ``state_dict``.

    Raises:
        UsageError: it is damaged, or holds anything but tensors and plain values.
    """
    try:
        state = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # torch raises pickle, zip, runtime and end-of-file errors for what is no checkpoint
        raise _foreign(path) from error
    if not isinstance(state, dict) or not isinstance(state.get("state_dict"), dict):
        raise _foreign(path)
    return state


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes checkpoints that are complete or not there, and reads none that holds code."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write to a temporary name, then rename."""
        buffer = BytesIO()
        torch.save(checkpoint, buffer)
        write_bytes(path, buffer.getvalue())

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = None) -> dict[str, Any]:
        """Read tensors and plain values, whatever is asked for.

        Raises:
            UsageError: the file is no checkpoint of a training.
        """
        return read_checkpoint(Path(path), map_location)


def _foreign(path: Path) -> UsageError:
    return UsageError("is not a checkpoint that a training wrote", file=path, remedy="start the training anew")
