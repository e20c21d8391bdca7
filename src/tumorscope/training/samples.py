"""From a catalog to what a training sees: classes, rows, drawing order, batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from tumorscope.catalog import Catalog, cover_matrix
from tumorscope.catalog.slices import mask_files
from tumorscope.errors import CatalogError, RecipeError, did_you_mean
from tumorscope.training.augment import augment
from tumorscope.training.cache import ImageCache
from tumorscope.training.recipe import Recipe, SamplingRecipe
from tumorscope.training.transplant import transplant, usable_mask
from tumorscope.words import LESION, NOTUMOR, TUMOR

DEFAULT_CLASSES = ("glioma", "meningioma", NOTUMOR, "pituitary")
Sample = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
Draw = tuple[int, int, int]
"""A row, the number of the draw within the epoch, the epoch."""


@dataclass(frozen=True)
class Samples:
    """The rows of one part (train or val) of a data set.

    Attributes:
        table: catalog rows, with ``mask_file`` added.
        rows: where these rows stand in the image cache.
        cover: bool ``(n, classes)``: the classes that each row's label covers.
        weights: float ``(n,)``: how often a row is drawn, relative to the others; sums to 1.
    """

    table: pd.DataFrame
    rows: NDArray[np.int64]
    cover: NDArray[np.bool_]
    weights: NDArray[np.float64]


def choose_classes(labels: pd.Series[str], wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the classes in the order of the model's outputs.

    The recipe's, if it names any; else the four of ours where some of the three tumors is found and nothing else; else
    those found, in alphabetical order, with 'tumor' as a class where no finer one is.

    Raises:
        CatalogError: fewer than two classes.
    """
    found = set(labels) - {LESION, ""}
    fine = found - {TUMOR}
    if wanted is not None:
        classes = wanted
    elif fine - {NOTUMOR} and fine <= set(DEFAULT_CLASSES):
        classes = DEFAULT_CLASSES
    else:
        classes = tuple(sorted(fine if fine - {NOTUMOR} else found))
    if len(classes) < 2:
        raise CatalogError(
            f"only {', '.join(sorted(found)) or 'no label'} was found", remedy="training needs two classes at least"
        )
    return classes


def training_table(catalog: Catalog, classes: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows a training can use, exact copies within a part apart, with ``mask_file`` added.

    Of copies the first stays; a mask that any of them has is kept.

    Raises:
        CatalogError: a class has fewer than two slices to train on, or training or validation is empty.
    """
    table = catalog.table
    table = table[(table["label"] != LESION) & (table["split"] != "")]
    usable = np.flatnonzero(cover_matrix(table["label"], classes).any(axis=1))
    table = table.iloc[usable].reset_index(drop=True)
    table["mask_file"] = mask_files(table, catalog.roots)
    table = _without_copies(table)
    _check(table, classes)
    return table


def make_samples(table: pd.DataFrame, split: str, classes: tuple[str, ...], sampling: SamplingRecipe) -> Samples:
    """Select the rows of one split and weigh them as the recipe says.

    Raises:
        RecipeError: it balances by a column that there is none of.
    """
    if unknown := set(sampling.by) - set(table.columns):
        raise RecipeError(
            f"sampling.by: a catalog has no column '{min(unknown)}'", remedy=did_you_mean(min(unknown), table.columns)
        )
    rows = np.flatnonzero(table["split"] == split)
    part = table.iloc[rows].reset_index(drop=True)
    sizes = part.groupby(list(sampling.by), dropna=False)["path"].transform("size").to_numpy(np.float64)
    weights = sizes ** (sampling.power - 1)
    return Samples(part, rows, cover_matrix(part["label"], classes), weights / max(weights.sum(), 1e-12))


class SliceDataset(Dataset[Sample]):
    """Inputs of one part. Every random choice depends on (seed, epoch, draw) alone, so that a resumed run repeats it.

    An item is the image float ``(channels, side, side)``, the covered classes bool ``(classes,)``, the mask float
    ``(1, side, side)``, whether the mask is known, and the row's weight.
    """

    def __init__(self, samples: Samples, cache: ImageCache, recipe: Recipe, *, train: bool) -> None:
        self.samples, self.cache, self.recipe, self.train = samples, cache, recipe, train
        tumor_free = (samples.table["label"] == NOTUMOR).to_numpy()
        self.tumor_free = tumor_free
        self.donors = self._donors() if train and recipe.augment.transplant else np.zeros(0, np.int64)
        self.tumor_cover = np.array([name != NOTUMOR for name in _classes_of(recipe)])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.samples.rows)

    def __getitem__(self, key: Draw | int) -> Sample:
        """Return item `key`: a row, or in training what `EpochSampler` draws."""
        index, draw, epoch = key if isinstance(key, tuple) else (key, key, 0)
        row = self.samples.rows[index]
        image = np.asarray(self.cache.images[row])
        mask, known = self._mask(index)
        cover = self.samples.cover[index]
        if self.train:
            rng = np.random.default_rng([self.recipe.seed, epoch, draw])
            if len(self.donors) and self.tumor_free[index] and rng.random() < self.recipe.augment.transplant:
                planted = self._planted(image, rng)
                if planted is not None:
                    (image, mask), cover, known = planted, self.tumor_cover, True
            image, moved = augment(image, mask, self.recipe.augment, rng)
            mask = mask if moved is None else moved
        pixels = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32, order="C"))
        drawn = torch.from_numpy((mask > 127).astype(np.float32))[None]
        weight = torch.tensor(self.samples.weights[index], dtype=torch.float32)
        return pixels, torch.from_numpy(cover.copy()), drawn, torch.tensor(known), weight

    def _mask(self, index: int) -> tuple[NDArray[np.uint8], bool]:
        row = self.cache.mask_row[self.samples.rows[index]]
        if row >= 0:
            return np.asarray(self.cache.masks[row]), True
        side = self.recipe.spec.side
        return np.zeros((side, side), np.uint8), bool(self.tumor_free[index])

    def _donors(self) -> NDArray[np.int64]:
        rows = self.cache.mask_row[self.samples.rows]
        return np.array([i for i, row in enumerate(rows) if row >= 0 and usable_mask(self.cache.masks[row])], np.int64)

    def _planted(
        self, image: NDArray[np.uint8], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        donor = self.donors[rng.integers(len(self.donors))]
        source = np.asarray(self.cache.images[self.samples.rows[donor]])
        lesion = np.asarray(self.cache.masks[self.cache.mask_row[self.samples.rows[donor]]])
        if image.shape[-1] != 1:
            return None
        planted = transplant(image[..., 0], source[..., 0], lesion, rng)
        return None if planted is None else (planted[0][..., None], planted[1])


class EpochSampler(Sampler[Draw]):
    """Draws rows by weight; the order depends on (seed, epoch) alone.

    Without weights to respect every row comes once an epoch; otherwise rows are drawn with replacement.

    Attributes:
        epoch: tells the number of the epoch whenever drawing starts. It is asked rather than told: a trainer fetches
            its first batch before it announces the epoch.
    """

    def __init__(self, weights: NDArray[np.float64], size: int | None, seed: int) -> None:
        self.weights, self.seed = weights, seed
        self.epoch: Callable[[], int] = lambda: 0
        self.size = len(weights) if size is None else size
        self.once = bool(np.allclose(weights, weights[0])) and self.size <= len(weights)

    def __len__(self) -> int:
        """Return the number of draws an epoch."""
        return self.size

    def __iter__(self) -> Iterator[Draw]:
        """Yield (row, number of the draw, epoch)."""
        epoch = self.epoch()
        rng = np.random.default_rng([self.seed, epoch, 1])
        if self.once:
            rows = rng.permutation(len(self.weights))[: self.size]
        else:
            rows = _systematic(self.weights, self.size, rng)
        yield from ((int(row), draw, epoch) for draw, row in enumerate(rows))


def _systematic(weights: NDArray[np.float64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw in proportion to the weights with equal steps: less random than independent draws, so rare rows do come."""
    order = rng.permutation(len(weights))
    marks = (np.arange(size) + rng.random()) / size
    cumulative = np.cumsum(weights[order])
    rows = order[np.minimum(np.searchsorted(cumulative / cumulative[-1], marks), len(order) - 1)]
    return np.asarray(rng.permutation(rows), np.int64)


def _classes_of(recipe: Recipe) -> tuple[str, ...]:
    if recipe.classes is None:
        raise CatalogError("the classes are not resolved", remedy="call choose_classes first")
    return recipe.classes


def _without_copies(table: pd.DataFrame) -> pd.DataFrame:
    has_mask_first = table.assign(_bare=table["mask_file"] == "").sort_values("_bare", kind="stable").index
    first = ~table.loc[has_mask_first].duplicated(["split", "sha256", "slice", "channel", "label"])
    return table.loc[sorted(first[first].index)].reset_index(drop=True)


def _check(table: pd.DataFrame, classes: tuple[str, ...]) -> None:
    for split in ("train", "val"):
        if not (table["split"] == split).any():
            raise CatalogError(f"no slice is left for '{split}'", remedy="give more data or another --split")
    trained = table[table["split"] == "train"]
    counts = trained["label"].value_counts()
    for name in set(table["label"]) & set(classes):
        if counts.get(name, 0) < 2:
            raise CatalogError(
                f"class '{name}' has {counts.get(name, 0)} slice(s) to train on",
                remedy="give more of it or leave it out",
            )
