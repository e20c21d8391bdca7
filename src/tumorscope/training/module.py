"""The Lightning module: losses, optimizer, schedule. What runs it stands in `fit`."""

from __future__ import annotations

from typing import Any

from tumorscope.training import torchvision_shim  # noqa: F401  before lightning, which imports torchvision

# isort: split
import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from tumorscope.training.depthwise import FastDepthwiseGradients
from tumorscope.training.freezing import first_stages
from tumorscope.training.network import Network
from tumorscope.training.optimizers import make_optimizer, rate
from tumorscope.training.recipe import Recipe
from tumorscope.training.samples import Sample


class TumorModule(pl.LightningModule):
    """Trains a `Network` as a recipe says.

    A sigmoid unit needs no loss of its own: cross-entropy of the logits 0 and z is the binary cross-entropy of z, with
    smoothed and coarse labels alike.

    Args:
        network: what is trained.
        recipe: schedule and losses.
        class_weights: float ``(classes,)``.
        steps: optimizer steps of the whole training.
    """

    def __init__(self, network: Network, recipe: Recipe, class_weights: Tensor, steps: int) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.steps = steps
        self.validated: list[Tensor] = []
        self.frozen_stages = first_stages(network.backbone, recipe.schedule.frozen_stages, recipe.spec.side)
        self.register_buffer("class_weights", class_weights)

    def on_train_epoch_start(self) -> None:
        """Seed by the epoch, so that a resumed run draws what an undisturbed one does, and freeze or thaw."""
        torch.manual_seed(self.recipe.seed * 100_003 + self.current_epoch)
        frozen = self.current_epoch < self.recipe.schedule.frozen_epochs
        self.network.backbone.requires_grad_(not frozen)
        self.network.backbone.train(not frozen)
        self.frozen_stages.freeze()

    def training_step(self, batch: Sample, _: int) -> Tensor:
        """Return the loss of a batch."""
        images, cover, masks, known = batch[:4]
        with FastDepthwiseGradients():
            outputs = self.network(images.contiguous(memory_format=torch.channels_last))
        smoothing = self.recipe.loss.label_smoothing
        loss = covered_cross_entropy(outputs.logits.float(), cover, self._weights(), smoothing).mean()
        self.log("loss", loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=len(images))
        if self.recipe.loss.mask and outputs.mask is not None:
            mask_loss = outline_loss(outputs.mask.float(), masks, known)
            self.log("mask_loss", mask_loss, on_epoch=True, on_step=False, batch_size=len(images))
            loss = loss + self.recipe.loss.mask * mask_loss
        return loss

    def validation_step(self, batch: Sample, _: int) -> None:
        """Collect the loss and the correctness of a batch of validation slices."""
        images, cover, weights = batch[0], batch[1], batch[4]
        logits = self.network(images.contiguous(memory_format=torch.channels_last)).logits.float()
        losses = covered_cross_entropy(logits, cover, torch.ones_like(self._weights()), 0.0)
        right = cover[torch.arange(len(cover)), logits.argmax(dim=1)].float()
        self.validated.append(torch.stack([losses, right, weights]).double().cpu())

    def on_validation_epoch_end(self) -> None:
        """Log loss and accuracy, weighted as training draws, so that no source drowns the others here either."""
        losses, right, weights = torch.cat(self.validated, dim=1)
        self.validated.clear()
        self.log("val_loss", (losses * weights).sum() / weights.sum(), prog_bar=True)
        self.log("val_accuracy", (right * weights).sum() / weights.sum(), prog_bar=True)

    def configure_optimizers(self) -> Any:
        """Return the recipe's optimizer and its rate at each step."""
        schedule = self.recipe.schedule
        optimizer = make_optimizer(self.network, self.network.backbone, schedule)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, self.steps, schedule))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _weights(self) -> Tensor:
        weights = self.class_weights
        assert isinstance(weights, Tensor)
        return weights


def covered_cross_entropy(logits: Tensor, cover: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of labels that may cover several classes: minus the log of their summed probability.

    Args:
        logits: ``(N, classes)``.
        cover: bool ``(N, classes)``, at least one True a row.
        weights: ``(classes,)``; a row weighs the mean of its classes.
        smoothing: share of the target spread evenly over all classes.

    Returns:
        ``(N,)``.
    """
    log_probabilities = functional.log_softmax(logits, dim=1)
    covered = log_probabilities.masked_fill(~cover, -torch.inf).logsumexp(dim=1)
    mixed = -(1 - smoothing) * covered - smoothing * log_probabilities.mean(dim=1)
    row_weights = (cover * weights).sum(dim=1) / cover.sum(dim=1)
    return mixed * row_weights


def outline_loss(logits: Tensor, masks: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice of the outline, over the slices whose mask is known.

    Args:
        logits: ``(N, 1, h, w)``.
        masks: 0 or 1, ``(N, 1, side, side)``; brought to the grid of the logits by averaging.
        known: bool ``(N,)``.
    """
    if not bool(known.any()):
        return logits.sum() * 0.0
    logits = logits[known]
    target = functional.adaptive_avg_pool2d(masks[known], (logits.shape[-2], logits.shape[-1]))
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, target)
    inside = torch.sigmoid(logits)
    overlap = 2 * (inside * target).sum() + 1.0
    dice = 1 - overlap / (inside.sum() + target.sum() + 1.0)
    return cross_entropy + dice


def balanced_weights(cover: Tensor, kind: str) -> Tensor:
    """Return the loss weight of each class: ones, or inverse to how much of the data it covers, with mean one."""
    if kind == "none":
        return torch.ones(cover.shape[1])
    share = (cover.float() / cover.sum(dim=1, keepdim=True)).sum(dim=0)
    weights = torch.where(share > 0, share.sum() / share.clamp(min=1e-9), torch.zeros(()))
    return weights / weights[share > 0].mean()


def set_channels_last(network: nn.Module) -> nn.Module:
    """Bring the weights into the memory layout that CPU convolutions are fastest in."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
