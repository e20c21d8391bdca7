"""Runs a training: trainer and callbacks."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tumorscope.training import torchvision_shim  # noqa: F401  before lightning, which imports torchvision

# isort: split
import lightning.pytorch as pl
import pandas as pd
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from tumorscope.errors import RecipeError
from tumorscope.files.atomic import write_text
from tumorscope.files.names import BEST, LAST, LOG
from tumorscope.progress import Progress
from tumorscope.training.checkpoints import AtomicCheckpoints, read_checkpoint
from tumorscope.training.memory import keeping_freed_memory
from tumorscope.training.module import TumorModule, balanced_weights, set_channels_last
from tumorscope.training.network import Network
from tumorscope.training.recipe import Recipe
from tumorscope.training.samples import EpochSampler, Sample, SliceDataset

Say = Callable[[str], None]


def fit(
    recipe: Recipe,
    train: SliceDataset,
    val: SliceDataset,
    folder: Path,
    *,
    resume: bool = False,
    say: Say = lambda _: None,
    progress: Progress | None = None,
) -> Network:
    """Train a network and return it with the weights of its best epoch, in evaluation mode.

    Args:
        recipe: what to do; its classes are resolved.
        train: training slices.
        val: validation slices, which choose the epoch.
        folder: gets ``last.ckpt``, ``best.ckpt``, ``log.csv`` and TensorBoard's events.
        resume: go on from ``last.ckpt`` if there is one.
        say: told one line an epoch.
        progress: told of every step.

    Raises:
        OutputError: the disk is full; the last complete checkpoint stays.
        RecipeError: the training diverged.
        UsageError: the checkpoint to go on from is none that a training wrote.
    """
    _quiet()
    pl.seed_everything(recipe.seed, workers=True, verbose=False)
    schedule = recipe.schedule
    network = Network(recipe.network, len(recipe.classes or ()), recipe.spec.side)
    set_channels_last(network)
    sampler = EpochSampler(train.samples.weights, recipe.sampling.epoch_size, recipe.seed)
    train_loader: DataLoader[Sample] = DataLoader(
        train, schedule.batch, sampler=sampler, drop_last=len(sampler) > schedule.batch, generator=torch.Generator()
    )
    val_loader: DataLoader[Sample] = DataLoader(val, 2 * schedule.batch, generator=torch.Generator())
    weights = balanced_weights(torch.from_numpy(train.samples.cover), recipe.loss.class_weights)
    module = TumorModule(network, recipe, weights, steps=schedule.epochs * len(train_loader))
    trainer = _trainer(recipe, folder, _callbacks(recipe, folder, say, progress))
    sampler.epoch = lambda: trainer.current_epoch
    last = folder / LAST
    start = last if resume and last.is_file() else None
    with keeping_freed_memory():
        trainer.fit(module, train_loader, val_loader, ckpt_path=start, weights_only=True)
    if not (folder / BEST).is_file():
        raise RecipeError(
            "no epoch had a finite validation loss: the training diverged",
            remedy="lower schedule.lr and schedule.backbone_lr",
        )
    module.load_state_dict(read_checkpoint(folder / BEST)["state_dict"])
    return module.network.cpu().eval()


def _trainer(recipe: Recipe, folder: Path, callbacks: list[Callback]) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=recipe.schedule.epochs,
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if recipe.schedule.precision == "bf16" else "32-true",
        callbacks=callbacks,
        plugins=[AtomicCheckpoints()],
        logger=TensorBoardLogger(str(folder), name="", version="tensorboard"),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        deterministic="warn",
    )


class RunLog(Callback):
    """Keeps ``log.csv`` (a row an epoch) and the two checkpoints, the last epoch's and the best one's; stops early.

    The rows travel inside the checkpoint, so that a resumed run ends with the same log as an undisturbed one, and one
    that had stopped early stays stopped: a trainer does not remember that.
    """

    def __init__(self, folder: Path, epochs: int, patience: int | None, say: Say) -> None:
        self.folder, self.epochs, self.patience, self.say = folder, epochs, patience, say
        self.rows: list[dict[str, float]] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Do not go on where patience was lost."""
        trainer.should_stop = self._has_lost_patience()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the epoch and save."""
        values = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        self.rows.append({"epoch": float(trainer.current_epoch + 1), **values})
        self.say(_line(self.rows[-1], self.epochs))
        lowest = min((row["val_loss"] for row in self.rows if math.isfinite(row["val_loss"])), default=-math.inf)
        if values["val_loss"] <= lowest:  # never true of an epoch that diverged
            trainer.save_checkpoint(self.folder / BEST)
        write_text(self.folder / LOG, pd.DataFrame(self.rows).astype({"epoch": int}).to_csv(index=False))
        trainer.save_checkpoint(self.folder / LAST)
        trainer.should_stop = trainer.should_stop or self._has_lost_patience()

    def _has_lost_patience(self) -> bool:
        """Whether so many epochs in a row brought no lower validation loss, or the last one none that is a number."""
        if self.patience is None or not self.rows:
            return False
        losses = [row["val_loss"] for row in self.rows]
        return not math.isfinite(losses[-1]) or len(losses) - 1 - losses.index(min(losses)) >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return the rows, for the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows back from a checkpoint."""
        self.rows = list(state_dict["rows"])


class Steps(Callback):
    """Reports every step, for a progress bar."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Report how far the epoch is."""
        total = int(trainer.num_training_batches)
        self.progress(f"epoch {trainer.current_epoch + 1}", batch_idx + 1, total)


def _callbacks(recipe: Recipe, folder: Path, say: Say, progress: Progress | None) -> list[Callback]:
    schedule = recipe.schedule
    callbacks: list[Callback] = []
    if schedule.ema is not None:
        callbacks.append(EMAWeightAveraging(decay=schedule.ema))
    if progress is not None:
        callbacks.append(Steps(progress))
    callbacks.append(RunLog(folder, schedule.epochs, schedule.patience, say))
    return callbacks


def _line(row: Mapping[str, float], epochs: int) -> str:
    names = {"loss": "loss", "val_loss": "validation loss", "val_accuracy": "validation accuracy"}
    values = ", ".join(f"{text} {row[name]:.4f}" for name, text in names.items() if name in row)
    return f"epoch {row['epoch']:.0f}/{epochs}: {values}"


def _quiet() -> None:
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    os.environ.setdefault("PL_DISABLE_FORK", "1")
