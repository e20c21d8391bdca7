"""What lies in a run folder is read and never run."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch

from tumorscope.errors import UsageError
from tumorscope.studies.work import _parameters
from tumorscope.training import train
from tumorscope.training.checkpoints import AtomicCheckpoints, read_checkpoint

SMALL = {"schedule.epochs": 2, "spec.side": 64, "network.width": 16, "schedule.batch": 8}


class Stowaway:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "ran"


@pytest.fixture
def planted(tmp_path, marker):
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {"network.weight": torch.zeros(2)}, "callbacks": Stowaway(marker)}, path)
    return path


@pytest.mark.parametrize("read", [read_checkpoint, AtomicCheckpoints().load_checkpoint, _parameters])
def test_a_checkpoint_with_code_is_refused_and_nothing_runs(planted, marker, read):
    with pytest.raises(UsageError, match=r"last\.ckpt: is not a checkpoint that a training wrote"):
        read(planted)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt"])
def test_no_training_goes_on_from_planted_code(tmp_path, planted, marker, name):
    out = tmp_path / "run"
    train("phantom:48", recipe="smoke", out=out, overrides=SMALL)
    (out / name).write_bytes(planted.read_bytes())
    (out / "model.onnx").unlink()
    with pytest.raises(UsageError, match=f"{name}: is not a checkpoint"):
        train("phantom:48", recipe="smoke", out=out, overrides=SMALL, resume=True)
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_a_damaged_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "best.ckpt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"best\.ckpt: is not a checkpoint"):
        read_checkpoint(path)


def test_a_file_of_bare_weights_is_no_checkpoint(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pth")
    with pytest.raises(UsageError, match="is not a checkpoint"):
        read_checkpoint(tmp_path / "weights.pth")


@pytest.mark.parametrize(
    "schedule", [{"ema": 0.9}, {"optimizer": "sgd"}, {"optimizer": "adam", "decay": "step"}, {"frozen_epochs": 1}]
)
def test_every_schedule_can_be_gone_on_with(tmp_path, schedule):
    shorter = {**SMALL, **{f"schedule.{key}": value for key, value in schedule.items()}}
    first = train("phantom:48", recipe="smoke", out=tmp_path / "run", overrides=shorter)
    log, model = (first.folder / "log.csv").read_bytes(), first.model.read_bytes()
    first.model.unlink()
    again = train("phantom:48", recipe="smoke", out=first.folder, overrides=shorter, resume=True)
    assert (again.folder / "log.csv").read_bytes() == log
    assert again.model.read_bytes() == model
