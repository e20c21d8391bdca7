"""Evaluations from what lies on disk: data beside a model, or a whole run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tumorscope.catalog import Catalog, add_groups, build_catalog
from tumorscope.catalog.benchmark import assign_benchmark, parse_benchmark
from tumorscope.catalog.parts import is_benchmark
from tumorscope.catalog.slices import slice_keys
from tumorscope.catalog.table import OF_SCANS
from tumorscope.errors import CatalogError, UsageError
from tumorscope.evaluation.evaluate import evaluate
from tumorscope.evaluation.foreign import ForeignModel, is_description, load_foreign
from tumorscope.evaluation.foreign.training_data import with_training_data
from tumorscope.evaluation.measured import Measured
from tumorscope.files.names import CATALOG, MODEL, RECIPE
from tumorscope.progress import Progress
from tumorscope.scans import Channels

if TYPE_CHECKING:
    from tumorscope.inference import Model

OWN_SHARE = 0.9
"""Data of which at least this share stands in a run's catalog is the run's own: its split is taken over."""


def evaluate_data(
    model: Model | ForeignModel,
    data: str | Path | Sequence[str | Path],
    *,
    split: str = "test",
    channels: Channels = "one",
    seed: int = 0,
    prevalence: float = 0.05,
    command: str = "",
    progress: Progress | None = None,
) -> Measured:
    """Measure a model on data sets.

    If the catalog of the model's run lies beside the model file, it tells which slices, and which patients, were
    trained on; on the run's own data, its split is the one that counts. Of a model that is not ours its description
    tells.

    Args:
        model: a loaded one, ours or not (see `load_foreign`).
        data: folders, CSV files, or the word ``phantom``.
        split: 'test', 'val', 'train' or 'all' (see `evaluate`), or the test part of ``benchmark:NAME``.
        channels: 'one' takes FLAIR of a picture that holds three sequences, 'all' takes each.
        seed: of bootstraps and probes.
        prevalence: share of tumors for which predictive values are stated.
        command: kept in the result.
        progress: told how far it is.

    Raises:
        CatalogError, ScanError, UsageError: as `build_catalog` and `evaluate` do.
    """
    items = [data] if isinstance(data, str | Path) else list(data)
    if is_benchmark(split):
        parse_benchmark(split)  # before an hour of reading
    figured = partial(evaluate, model, seed=seed, prevalence=prevalence, command=command, progress=progress)
    if isinstance(model, ForeignModel):
        if model.described.input.color == "sequences" and channels == "all":
            raise UsageError(
                "--channels all would count each picture three times: this model takes its three sequences at once",
                remedy="leave it out",
            )
        given = with_training_data(items, model.trained_on, split, channels, progress)
        return figured(given.catalog, split=given.part, trained_on=given.trained_on, stated=given.stated)
    trained_on = run_catalog(model.file.path)
    catalog = add_groups(build_catalog(items, channels=channels, progress=progress), progress=progress)
    catalog = assign_benchmark(catalog, split) if is_benchmark(split) else _with_split_of(catalog, trained_on)
    return figured(catalog, split=split, trained_on=trained_on)


def evaluate_run(
    folder: str | Path,
    data: str | Path | Sequence[str | Path] | None = None,
    *,
    split: str = "test",
    prevalence: float = 0.05,
    command: str = "",
    progress: Progress | None = None,
) -> Measured:
    """Measure a run's model on its own test part.

    Args:
        folder: the run folder.
        data: where its DATA lies now; None looks where it lay when the run was made.
        split: which part.
        prevalence: share of tumors for which predictive values are stated.
        command: kept in the result.
        progress: told how far it is.

    Raises:
        UsageError: the folder is no finished run.
        CatalogError, ScanError: the data has gone or changed.
    """
    import yaml

    from tumorscope.inference import load

    folder = Path(folder)
    if not (folder / MODEL).is_file() or not (folder / CATALOG).is_file():
        raise UsageError("is no finished run", file=folder, remedy="give a folder that tumorscope train wrote")
    try:
        made = yaml.safe_load((folder / RECIPE).read_text(encoding="utf-8"))
        lay, seed = made["run"]["data"], int(made["recipe"].get("seed", 0))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise UsageError("does not say how it was trained", file=folder / RECIPE, remedy="train it anew") from error
    items = lay if data is None else [data] if isinstance(data, str | Path) else list(data)
    catalog = Catalog.read(folder / CATALOG, items)
    return evaluate(
        load(folder / MODEL),
        catalog,
        split=split,
        trained_on=catalog.table,
        seed=seed,
        prevalence=prevalence,
        command=command,
        progress=progress,
    )


def open_model(path: str | Path) -> Model | ForeignModel:
    """Load a model file, or from a description (YAML) a model that is not ours.

    Raises:
        ModelFileError: it is missing, no model, or not as described.
    """
    from tumorscope.inference import load

    return load_foreign(path) if is_description(path) else load(path)


def run_catalog(model: str | Path) -> pd.DataFrame | None:
    """Return the catalog of the run that a model file lies in, or None where it lies alone."""
    path = Path(model).parent / CATALOG
    if not path.is_file():
        return None
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CatalogError("is not readable as the catalog of a run", file=path, remedy="move it elsewhere") from error
    table = table.assign(**{name: "" for name in OF_SCANS if name not in table.columns})
    if missing := {"sha256", "slice", "channel", "split", "group"} - set(table.columns):
        raise CatalogError(f"lacks the columns {', '.join(sorted(missing))}", file=path, remedy="move it elsewhere")
    return table.assign(
        **{name: pd.to_numeric(table[name].replace("", None)).astype("Int64") for name in ("slice", "channel")}
    )


def _with_split_of(catalog: Catalog, trained_on: pd.DataFrame | None) -> Catalog:
    if trained_on is None:
        return catalog
    parts = dict(zip(slice_keys(trained_on), trained_on["split"], strict=True))
    found = [parts.get(key) for key in slice_keys(catalog.table)]
    if sum(part is not None for part in found) < OWN_SHARE * len(found) or "test" not in found:
        return catalog
    return replace(catalog, table=catalog.table.assign(split=[part or "" for part in found]))
