"""Measure a run on what it was not trained on, write the figures into its card, and ship it.

usage: python tools/release_model.py RUN OUTSIDE... [--out src/tumorscope/models/shipped.onnx]

RUN is a run folder whose DATA still lies where it was; OUTSIDE are data sets that the run never saw. The figures are
those of the run's own test part, set by set and with no group on both sides, and of each OUTSIDE set without twins of
anything that was trained on. They also go to ``benchmarks/results/shipped_model.json``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tumorscope.catalog import Catalog, build_catalog
from tumorscope.evaluation import Measured, evaluate, evaluate_data
from tumorscope.evaluation.metrics_json import figure_json
from tumorscope.evaluation.outcome import figures
from tumorscope.files.atomic import write_json
from tumorscope.inference import Model, load
from tumorscope.model_file import write_model
from tumorscope.statistics import Figure
from tumorscope.training import torchvision_shim  # noqa: F401  before anything that imports torchvision

# isort: split
from tumorscope.training.run import training_prints

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "src" / "tumorscope" / "models" / "shipped.onnx"
RESULTS = ROOT / "benchmarks" / "results" / "shipped_model.json"
SHOWN = (
    "accuracy", "auc", "sensitivity", "specificity", "sensitivity_at_95_specificity", "ece", "pointing",
)  # fmt: skip
Figures = dict[str, dict[str, Figure]]


def main() -> None:
    """Measure, write the card, ship."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("outside", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    given = parser.parse_args()
    trained, catalog = load(given.run / "model.onnx"), run_catalog(given.run)
    prints = training_prints(catalog)  # of this version, whatever the run was made with
    write_model(trained.file.path, trained.card, given.out, prints)
    model = load(given.out)
    measured, notes = own_figures(model, catalog), list(trained.card.notes)
    for data in given.outside:
        found = evaluate_data(model, data, split="all", command="tools/release_model.py")
        measured |= outside_figures(found, data.name)
        notes += twin_notes(found, data.name)
    filled = {name: found for name, found in measured.items() if found}
    card = trained.card.model_copy(update={"metrics": filled, "notes": tuple(notes)})
    write_model(trained.file.path, card, given.out, prints)
    write_json(RESULTS, as_json(filled, load(given.out)))


def run_catalog(run: Path) -> Catalog:
    """Read a run's catalog and take the fingerprints of its files again."""
    made = yaml.safe_load((run / "recipe.yaml").read_text(encoding="utf-8"))
    data, channels = made["run"]["data"], made["recipe"]["channels"]
    saved, fresh = Catalog.read(run / "catalog.csv", data), build_catalog(data, channels=channels)
    return fresh.with_table(saved.table.assign(official=fresh.table["official"]))


def own_figures(model: Model, catalog: Catalog) -> Figures:
    """Return the figures of the run's test part: together, by set, and of the sequences of sets that have several."""
    found = evaluate(model, catalog, trained_on=catalog.table, command="tools/release_model.py")
    measured = {"all test parts, groups apart": _of(found, np.ones(len(found.outcome), bool))}
    table = found.findings[found.findings["counted"]]
    for dataset in sorted(set(table["dataset"])):
        rows = (table["dataset"] == dataset).to_numpy()
        measured[f"{dataset}, test part"] = _of(found, rows)
        sequences = sorted(set(table.loc[rows, "sequence"]) - {""})
        for sequence in sequences if len(sequences) > 1 else ():
            chosen = rows & (table["sequence"] == sequence).to_numpy()
            measured[f"{dataset}, test part, {sequence}"] = _of(found, chosen)
    return measured


def outside_figures(found: Measured, data: str) -> Figures:
    """Return the figures of a set that was kept aside."""
    name = f"{data}, never shown"
    if not found.rows["twin_free"].any():
        raise SystemExit(f"{data}: every slice has a twin among the training slices")
    measured = {name: _of(found, found.rows["twin_free"])}
    if not found.rows["twin_free"].all():
        measured[f"{name}, with {int((~found.rows['twin_free']).sum())} twins of training slices"] = _of(
            found, np.ones(len(found.outcome), bool)
        )
    return measured


def twin_notes(found: Measured, data: str) -> list[str]:
    """Say how many slices of a set that was kept aside have a twin among the training slices after all."""
    twins = int((~found.rows["twin_free"]).sum())
    return [f"{twins} slices of {data} pass for twins of training slices; its figure leaves them out"] if twins else []


def as_json(measured: Figures, model: Model) -> dict[str, Any]:
    """Return everything as plain data, with how the model was trained."""
    return {
        "command": "python tools/release_model.py RUN navoneel_253",
        "model": {"name": model.card.name, "version": model.card.version, "sha256": model.file.sha256},
        "recipe": model.card.recipe,
        "training": json.loads(model.card.training.model_dump_json()),
        "figures": {name: {key: figure_json(f) for key, f in found.items()} for name, found in measured.items()},
    }


def _of(found: Measured, rows: Any) -> dict[str, Figure]:
    chosen = rows & found.rows["leak_free"] if found.groups_known else rows
    measured = figures(found.outcome.take(chosen), seed=found.seed, only=SHOWN)
    return {name: figure for name, figure in measured.items() if figure.interval is not None}  # too few to tell


if __name__ == "__main__":
    main()
