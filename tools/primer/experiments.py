"""Small trainings on the phantom, each a real run of `tumorscope.train`, and what they show as plain numbers."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from primer.inside import calibrate, look_inside
from primer.sets import FEW, LEAK_SLICES, MANY, SEED, SIDE, TEST, VAL, write_fresh, write_leaky, write_parts
from tumorscope.catalog import Catalog, add_groups, build_catalog

if TYPE_CHECKING:
    from tumorscope.training.run import Run

EPOCHS, TRANSFER_EPOCHS = 30, 12
TRANSFER_SIDE = 96
DRAWS, SIZES = 20, (30, 120)
"""How many test sets are drawn to show chance, of how many slices."""
FIGURES = ("accuracy", "sensitivity", "specificity", "auc", "sensitivity_at_95_specificity")
LAYERS = [
    {"conv": 16}, "relu", {"pool": 2},
    {"conv": 32}, "relu", {"pool": 2},
    {"conv": 32}, "relu", {"pool": 2},
]  # fmt: skip
STILL = dict.fromkeys(
    ("flip", "degrees", "translate", "scale", "contrast", "brightness", "gamma", "noise", "bias_field", "blur"), 0
)
"""No augmentation at all."""
MOVING = {"flip": 0.5, "degrees": 10, "translate": 0.05, "scale": 0.08, "contrast": 0.15, "gamma": 0.15, "blur": 0}
Say = Callable[[str], None]


def run_experiments(work: Path, say: Say = print) -> dict[str, Any]:
    """Train every small model of the primer and return what the page shows of them.

    Args:
        work: an empty folder for data and runs; holds some ten megabytes afterwards.
        say: told a line at each stage.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the same seed gives the same figures on one kind of processor only
    import torch

    torch.set_num_threads(1)
    few = _catalog(write_parts(work / "few", FEW))
    many = _catalog(write_parts(work / "many", MANY))
    leaky = _catalog(write_leaky(work / "leaky"))
    write_fresh(work / "fresh")
    found: dict[str, Any] = {"seed": SEED, "slices": {"few": FEW, "many": MANY, "val": VAL, "test": TEST}}
    plans: list[tuple[str, Catalog, dict[str, Any], str]] = [
        ("few", few, described("few"), "official"),
        ("augmented", few, described("augmented", augment=MOVING), "official"),
        ("many", many, described("many"), "official"),
        ("random", leaky, described("random"), "random"),
        ("grouped", leaky, described("grouped"), "grouped"),
        ("scratch", few, encoder("scratch", "none"), "official"),
        ("transfer", few, encoder("transfer", "bundled"), "official"),
    ]
    for name, catalog, values, split in plans:
        say(f"training: {name}")
        found[name] = _trained(work, name, catalog, values, split)
    found["many"] |= _answers(work / "many_run") | look_inside(work / "many_run")
    for split in ("random", "grouped"):
        found[split]["new_patients"] = _on_new_patients(work, split)
    found["calibration"] = calibrate(work / "many_run")
    found["draws"] = _draws(work / "many_run")
    found["leak_set"] = _leak_set(leaky)
    return found


def described(name: str, *, augment: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the recipe of the small network: three convolutions with poolings, two linear layers."""
    return {
        "name": name,
        "seed": SEED,
        "spec": {"side": SIDE, "crop": False, "window": "none"},
        "network": {"backbone": "cnn", "layers": LAYERS, "pooling": "flatten", "head": [{"linear": 64}, "relu"]},
        "schedule": _schedule(EPOCHS, 1e-3),
        "loss": {"label_smoothing": 0},
        "augment": STILL | (augment or {}),
    }


def encoder(name: str, weights: str) -> dict[str, Any]:
    """Return the recipe of EfficientNet-Lite0 with weights of photographs ('bundled') or random ones ('none')."""
    return {
        "name": name,
        "seed": SEED,
        "spec": {"side": TRANSFER_SIDE, "crop": False, "window": "none"},
        "network": {"backbone": "tf_efficientnet_lite0", "weights": weights, "width": None, "outline": False},
        "schedule": _schedule(TRANSFER_EPOCHS, 1e-3),
        "loss": {"label_smoothing": 0},
        "augment": STILL | MOVING,
    }


def _catalog(folder: Path) -> Catalog:
    return add_groups(build_catalog([folder]))


def _schedule(epochs: int, rate: float) -> dict[str, Any]:
    """Return a plain schedule: one rate throughout, so that the curves show the data and not the schedule."""
    return {
        "epochs": epochs, "frozen_epochs": 0, "batch": 16, "optimizer": "adam", "lr": rate, "backbone_lr": rate,
        "weight_decay": 0, "warmup": 0, "decay": "constant", "ema": None, "precision": "fp32",
    }  # fmt: skip


def _trained(work: Path, name: str, catalog: Catalog, values: dict[str, Any], split: str) -> dict[str, Any]:
    from tumorscope.training import train

    recipe = work / f"{name}.yaml"
    recipe.write_text(yaml.safe_dump(values), encoding="utf-8")
    roots = list(catalog.roots.values())
    run = train(roots, recipe=recipe, out=work / f"{name}_run", split=split, catalog=catalog)
    metrics = json.loads((run.folder / "metrics.json").read_text(encoding="utf-8"))
    return {
        "log": _log(run),
        "figures": {key: metrics["full"].get(key) for key in FIGURES},
        "leak_free": metrics["leak_free"].get("accuracy"),
        "copy_baseline": {key: metrics["copy_baseline"][key] for key in ("accuracy", "n", "interval")},
    }


def _log(run: Run) -> dict[str, list[float]]:
    rows = pd.read_csv(run.folder / "log.csv")
    return {key: [round(float(v), 4) for v in rows[key]] for key in ("epoch", "loss", "val_loss", "val_accuracy")}


def _answers(folder: Path) -> dict[str, Any]:
    """Return the tumor probability and the truth of every test slice, and the threshold of the model."""
    with (folder / "findings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        "scores": [round(float(row["tumor_probability"]), 4) for row in rows],
        "tumor": [int(row["label"] != "notumor") for row in rows],
        "threshold": _threshold(folder),
    }


def _draws(folder: Path) -> dict[str, Any]:
    """Return the accuracy of one model on many small test sets: patients drawn from the large one."""
    rows = pd.read_csv(folder / "findings.csv")
    by_patient = rows["right"].astype(float).groupby(rows["patient"]).mean().to_numpy()
    rng = np.random.default_rng(SEED)
    drawn: dict[str, Any] = {"n": len(rows), "all": round(float(rows["right"].mean()), 4)}
    for size in SIZES:
        shares = [float(rng.choice(by_patient, size // 3, replace=False).mean()) for _ in range(DRAWS)]
        drawn[str(size)] = {"shares": sorted(round(share, 4) for share in shares)}
    return drawn


def _threshold(folder: Path) -> float:
    from tumorscope.inference import load

    return float(load(folder / "model.onnx").card.thresholds.tumor)


def _on_new_patients(work: Path, split: str) -> dict[str, Any]:
    """Return the accuracy of a model on slices of patients that the leaky set does not hold."""
    import tumorscope

    out = work / f"{split}_on_new"
    tumorscope.evaluate(tumorscope.load(work / f"{split}_run" / "model.onnx"), work / "fresh", split="all").report(out)
    found: dict[str, Any] = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["full"]["accuracy"]
    return found


def _leak_set(catalog: Catalog) -> dict[str, Any]:
    """Say what a random split of the leaky set lets through."""
    from tumorscope.catalog import assign_split

    counts: dict[str, Any] = {"slices": len(catalog.table), "patients": LEAK_SLICES // 3}
    for how in ("random", "grouped"):
        table = assign_split(catalog, how, seed=SEED).table
        table = table.assign(root=table["twin_of"].where(table["twin_of"] != "", table["path"]))
        fitted, test = table[table["split"] != "test"], table[table["split"] == "test"]
        counts[how] = {
            "test": len(test),
            "twin": int(test["root"].isin(fitted["root"]).sum()),
            "group": int(test["group"].isin(fitted["group"]).sum()),
        }
    return counts
