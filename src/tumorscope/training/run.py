"""A whole training: data and a recipe become a run folder with a model file and an honest report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from tumorscope.catalog import Catalog, add_groups, assign_split, build_catalog, write_catalog
from tumorscope.catalog.groups import twin_roots
from tumorscope.errors import RecipeError, UsageError
from tumorscope.evaluation import evaluate
from tumorscope.evaluation.calibration import fit_temperature, fit_thresholds
from tumorscope.files.atomic import clear_leftovers, write_text
from tumorscope.files.names import CATALOG, LOG, MODEL, RECIPE, REPORT
from tumorscope.inference import load
from tumorscope.model_file import NOTUMOR, Card, Thresholds, TrainingData, write_model
from tumorscope.pages.evaluation import write_evaluation
from tumorscope.progress import Progress
from tumorscope.training.cache import ImageCache, build_cache, cache_folder
from tumorscope.training.curves import draw_curves
from tumorscope.training.export import ExportedNetwork, export_graph, fit_reference
from tumorscope.training.fit import fit
from tumorscope.training.network import Network
from tumorscope.training.recipe import Recipe, load_recipe, parse_recipe, write_recipe_text
from tumorscope.training.samples import Samples, SliceDataset, choose_classes, make_samples, training_table
from tumorscope.twins import find_twins
from tumorscope.twins.fingerprints import pack_prints
from tumorscope.version import __version__

CURVES, PRINTS, CACHE = "curves.png", "prints.txt", "cache"
BATCH = 64
REFERENCE_ROWS = 6000


@dataclass(frozen=True)
class Run:
    """A finished training.

    Attributes:
        folder: the run folder.
        model: the model file in it.
        report: the page about its test part.
        recipe: as resolved.
    """

    folder: Path
    model: Path
    report: Path
    recipe: Recipe


def train(
    data: str | Path | Sequence[str | Path],
    *,
    recipe: str | Path = "quick",
    out: str | Path,
    split: str = "grouped",
    fold: int | None = None,
    overrides: dict[str, Any] | None = None,
    resume: bool = False,
    catalog: Catalog | None = None,
    shared_cache: Path | None = None,
    threads: int = 0,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Run:
    """Train a model and evaluate it on the split's test part.

    Args:
        data: one or several DATA.
        recipe: name of a shipped recipe, or a YAML file.
        out: the run folder; must be new or empty unless `resume`.
        split: 'grouped', 'official', 'folds' or 'random'.
        fold: which fold is the test part, for 'folds'.
        overrides: dotted recipe keys and their values.
        resume: go on in a run folder that was interrupted; its own recipe and catalog are used.
        catalog: of `data`, with groups, where several trainings share one; it is made if not given.
        shared_cache: folder for preprocessed slices that several trainings share; the run folder's own if not given.
        threads: that its model may use while it is measured; 0 for one each core.
        say: told a line at each stage.
        progress: told how far a stage is.

    Raises:
        RecipeError, CatalogError, ScanError, OutputError: see the message; a run folder stays resumable.
    """
    data = [data] if isinstance(data, str | Path) else list(data)
    out = Path(out)
    for place in (out, out / CACHE):
        clear_leftovers(place)
    if resume and (out / CATALOG).is_file():
        chosen, catalog = _reopen(out, data, catalog, progress)
    else:
        _check_empty(out, resume)
        chosen, catalog = _start(data, load_recipe(recipe, overrides), out, split, fold, catalog, say, progress)
    assert chosen.classes is not None
    table = training_table(catalog, chosen.classes)
    folder = out / CACHE if shared_cache is None else cache_folder(shared_cache, table, chosen.spec)
    cache = build_cache(table, chosen.spec, folder, progress)
    parts = {name: make_samples(table, name, chosen.classes, chosen.sampling) for name in ("train", "val")}
    say(f"training on {len(parts['train'].rows):,} slices, validating on {len(parts['val'].rows):,}")
    sets = {name: SliceDataset(part, cache, chosen, train=name == "train") for name, part in parts.items()}
    network = fit(chosen, sets["train"], sets["val"], out, resume=resume, say=say, progress=progress)
    draw_curves(out / LOG, out / CURVES)
    _export(network, chosen, cache, parts, out)
    say(f"wrote {out / MODEL}")
    _evaluate(catalog, chosen, out, threads, progress)
    say(f"wrote {out / REPORT}")
    return Run(out, out / MODEL, out / REPORT, chosen)


def _start(
    data: list[str | Path],
    recipe: Recipe,
    out: Path,
    split: str,
    fold: int | None,
    catalog: Catalog | None,
    say: Callable[[str], None],
    progress: Progress | None,
) -> tuple[Recipe, Catalog]:
    if catalog is None:
        catalog = add_groups(build_catalog(data, channels=recipe.channels, progress=progress), progress=progress)
    catalog = assign_split(catalog, split, seed=recipe.seed, fold=fold)
    if unknown := int((catalog.table["split"] == "").sum()):
        say(f"left out {unknown:,} slices that {split} does not know")
    catalog = _exclude(catalog, recipe, say, progress)
    recipe = recipe.model_copy(update={"classes": choose_classes(catalog.table["label"], recipe.classes)})
    run = {"data": [str(path) for path in data], "split": split, "fold": fold}
    write_text(out / PRINTS, training_prints(catalog))
    write_text(out / RECIPE, write_recipe_text(recipe, **run))
    write_catalog(catalog, out / CATALOG)
    return recipe, catalog


def _check_empty(out: Path, resume: bool) -> None:
    if out.exists() and any(out.iterdir()) and not resume:
        raise UsageError("is not empty", file=out, remedy="give a new folder, or --resume to go on with this run")


def _reopen(
    out: Path, data: list[str | Path], catalog: Catalog | None, progress: Progress | None
) -> tuple[Recipe, Catalog]:
    path = out / RECIPE
    try:
        saved = yaml.safe_load(path.read_text(encoding="utf-8"))
        recipe, run = parse_recipe(saved["recipe"], path), saved["run"]
    except (OSError, TypeError, KeyError, yaml.YAMLError) as error:
        raise RecipeError("cannot be resumed from", file=path, remedy="start the training anew") from error
    if catalog is None and [str(item) for item in data] != run["data"]:  # else by its slices, wherever they lie now
        raise UsageError(
            f"this run was started on {' '.join(run['data'])}", file=out, remedy="resume it with the same DATA"
        )
    saved_catalog = Catalog.read(out / CATALOG, data)
    fresh = build_catalog(data, channels=recipe.channels, progress=progress) if catalog is None else catalog
    return recipe, _with_prints(saved_catalog, fresh, out)


def _with_prints(saved: Catalog, fresh: Catalog, out: Path) -> Catalog:
    """Give a catalog that was read from disk the fingerprints of its files, if these are still the same."""
    same = ["dataset", "path", "slice", "channel", "sha256"]
    if not saved.table[same].astype(str).equals(fresh.table[same].astype(str)):
        raise UsageError("the data changed since this run was started", file=out, remedy="start the training anew")
    return replace(fresh, table=saved.table.assign(official=fresh.table["official"]))


def _exclude(catalog: Catalog, recipe: Recipe, say: Callable[[str], None], progress: Progress | None) -> Catalog:
    """Take out of every part the patients and the twins of the sets that the recipe keeps for outside tests."""
    table = catalog.table
    out = table["patient"].isin(recipe.exclude_patients)
    for path in recipe.exclude_twins_of:
        other = build_catalog([path], channels="all", progress=progress)
        assert catalog.prints is not None
        pairs = find_twins(catalog.prints, other.prints, progress=progress)
        out |= table.index.isin(pairs["a"])
    out |= table["cluster"].isin(table.loc[out, "cluster"])
    if out.any():
        say(f"left out {int(out.sum()):,} slices of excluded patients and sets")
    return catalog.with_table(table.assign(split=table["split"].where(~out, "")))


def training_prints(catalog: Catalog) -> str:
    """Pack the fingerprints of a catalog's training slices for a model file, one a twin cluster and label.

    Args:
        catalog: with fingerprints, groups and a split.
    """
    trained = catalog.table.assign(root=twin_roots(catalog.table))[catalog.table["split"] == "train"]
    copies = trained[trained["twin_of"] != ""]
    first = trained.drop(copies.index[copies.duplicated(["root", "label"])])
    assert catalog.prints is not None
    return pack_prints(catalog.prints.take(first.index.to_numpy()), list(first["label"]))


def _export(network: Network, recipe: Recipe, cache: ImageCache, parts: dict[str, Samples], out: Path) -> None:
    assert recipe.classes is not None
    train, val = parts["train"], parts["val"]
    _, embeddings, likeliest = _run(network, cache, _some(train, REFERENCE_ROWS, recipe.seed))
    reference = fit_reference(embeddings, likeliest, len(recipe.classes))
    logits, val_embeddings, _ = _run(network, cache, val)
    temperature = fit_temperature(logits, val.cover)
    tumors = (
        tuple(name != NOTUMOR for name in recipe.classes) if recipe.loss.mask and _has_outlines(cache, train) else None
    )
    exported = ExportedNetwork(network, temperature, reference, tumors)
    with torch.inference_mode():
        probabilities = torch.softmax(torch.from_numpy(logits) / temperature, dim=1).numpy()
        outlier = exported.distances(torch.from_numpy(val_embeddings)).numpy()
    thresholds = fit_thresholds(probabilities, outlier, val.cover, recipe.classes)
    card = _card(recipe, temperature, thresholds, train)
    prints = (out / PRINTS).read_text(encoding="ascii")
    write_model(export_graph(exported, recipe.spec), card, out / MODEL, prints)


def _evaluate(catalog: Catalog, recipe: Recipe, out: Path, threads: int, progress: Progress | None) -> None:
    evaluation = evaluate(
        load(out / MODEL, threads=threads),
        catalog,
        trained_on=catalog.table,
        seed=recipe.seed,
        command=f"tumorscope train --recipe {recipe.name} (its test part)",
        progress=progress,
    )
    write_evaluation(evaluation, out)


def _card(recipe: Recipe, temperature: float, thresholds: Thresholds, train: Samples) -> Card:
    digest = hashlib.sha256("".join(sorted(train.table["sha256"])).encode()).hexdigest()
    return Card(
        name=recipe.name,
        classes=recipe.classes or (),
        spec=recipe.spec,
        thresholds=thresholds,
        temperature=temperature,
        training=TrainingData(
            sets=train.table["dataset"].value_counts().to_dict(),
            labels=train.table["label"].value_counts().to_dict(),
            fingerprint=digest,
        ),
        never_shown=(*_kept_aside(recipe), *recipe.never_shown),
        licence=recipe.licence,
        notes=recipe.notes,
        recipe=_without_folders(recipe).model_dump(mode="json"),
        version=__version__,
    )


def _kept_aside(recipe: Recipe) -> Iterator[str]:
    """Say what was left out: here, as a recipe that is told to leave out something else must not say otherwise."""
    for path in recipe.exclude_twins_of:
        yield f"{Path(path).name} and the twins of its slices that were found before training"
    if recipe.exclude_patients:
        yield f"the patients {', '.join(recipe.exclude_patients)}"


def _without_folders(recipe: Recipe) -> Recipe:
    """Name the sets that were kept aside without saying where they lay: a card travels."""
    names = tuple(Path(path).name for path in recipe.exclude_twins_of)
    return recipe.model_copy(update={"exclude_twins_of": names})


def _has_outlines(cache: ImageCache, train: Samples) -> bool:
    """Whether any training slice had a tumor's mask to learn from."""
    return bool((cache.mask_row[train.rows] >= 0).any())


def _some(samples: Samples, count: int, seed: int) -> Samples:
    """Draw at most `count` rows: a reference of embeddings needs no more, and a large set would take minutes."""
    if len(samples.rows) <= count:
        return samples
    chosen = np.sort(np.random.default_rng(seed).choice(len(samples.rows), count, replace=False))
    table = samples.table.iloc[chosen].reset_index(drop=True)
    return Samples(table, samples.rows[chosen], samples.cover[chosen], samples.weights[chosen])


def _run(
    network: Network, cache: ImageCache, samples: Samples
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return logits, embeddings and the likeliest covered class of all rows, in fp32 as the exported graph runs."""
    logits, embeddings = [], []
    with torch.inference_mode():
        for images in _batches(cache, samples):
            outputs = network(images.permute(0, 3, 1, 2).float())
            logits.append(outputs.logits.numpy())
            embeddings.append(outputs.embedding.numpy())
    joined = np.concatenate(logits)
    return joined, np.concatenate(embeddings), np.where(samples.cover, joined, -np.inf).argmax(axis=1)


def _batches(cache: ImageCache, samples: Samples) -> Iterator[torch.Tensor]:
    for start in range(0, len(samples.rows), BATCH):
        yield torch.from_numpy(np.asarray(cache.images[samples.rows[start : start + BATCH]]))
