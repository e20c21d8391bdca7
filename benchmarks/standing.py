"""Measure what every entry of the benchmark has to beat: copying, file properties, and a plain linear classifier.

usage: python benchmarks/standing.py NAME=DIR ...    (sets of the benchmark and where they lie)

The linear classifier is a logistic regression of scikit-learn on 32x32 gray pixels, fitted on the benchmark's training
part and measured as anybody's model is: by a description and a function. Of the Cheng set each slice counts once.
Writes benchmarks/results/standing.json; sets that are not named keep what stood there.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from record import RESULTS, write_record
from tumorscope.catalog import Catalog, add_groups, build_catalog
from tumorscope.catalog.benchmark import assign_benchmark
from tumorscope.cli.terminal import Reporter
from tumorscope.evaluation import evaluate
from tumorscope.evaluation.foreign import ForeignModel, load_foreign
from tumorscope.evaluation.measured import Measured
from tumorscope.evaluation.metrics_json import metrics_json

CHENG = "cheng_3064"
SIDE = 64
KEPT = ("accuracy", "balanced_accuracy", "macro_f1", "auc", "sensitivity", "specificity")
FUNCTION = """
from pathlib import Path
import joblib
fitted = joblib.load(Path(__file__).with_name("fitted.joblib"))

def predict(batch):
    return fitted.predict_proba(batch.reshape(len(batch), 32, 2, 32, 2).mean(axis=(2, 4)).reshape(len(batch), -1))
"""


def main(arguments: list[str]) -> None:
    """Measure the sets one after the other."""
    path = RESULTS / "standing.json"
    sets: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["sets"] if path.is_file() else {}
    what = "accuracy on the test part (fold 5) of each set of the benchmark, trained on folds 1 to 3"
    for argument in arguments:
        name, folder = argument.split("=", 1)
        sets[name] = {"data": Path(folder).name, **measure(name, read(folder))}
        write_record("standing", {"what": what, "sets": sets}, packages=("numpy", "scikit-learn"))


@lru_cache(maxsize=1)
def read(folder: str) -> Catalog:
    """Read a set and group it; the last one is kept."""
    with Reporter() as progress:
        return add_groups(build_catalog([folder], progress=progress), progress=progress)


def measure(name: str, catalog: Catalog) -> dict[str, Any]:
    """Return the floors and the linear classifier's figures on one set."""
    split = f"benchmark:{name}"
    catalog = assign_benchmark(catalog, split)
    if name == CHENG:
        catalog = _each_once(catalog)
    parts = catalog.table["split"].replace("", "unknown").value_counts().to_dict()
    with tempfile.TemporaryDirectory() as home:
        model = fit_linear(catalog, Path(home))
        found = evaluate(model, catalog, split=split, trained_on=catalog.table, stated=f"the training part of {split}")
    return {"parts": parts, **_figures(found)}


def fit_linear(catalog: Catalog, home: Path) -> ForeignModel:
    """Fit the classifier on the training part and load it as a model that is not ours."""
    assert catalog.prints is not None
    train = (catalog.table["split"] == "train").to_numpy()
    pixels = catalog.prints.thumbs[train].astype(np.float32) / 255
    small = pixels.reshape(len(pixels), 32, 2, 32, 2).mean(axis=(2, 4)).reshape(len(pixels), -1)
    fitted = LogisticRegression(C=0.01, max_iter=500).fit(small, catalog.table.loc[train, "label"])
    joblib.dump(fitted, home / "fitted.joblib")
    (home / "linear.py").write_text(FUNCTION, encoding="utf-8")
    sys.modules.pop("linear", None)
    described = {
        "name": "logistic regression on 32x32 pixels",
        "call": "linear:predict",
        "classes": fitted.classes_.tolist(),
        "input": {"side": SIDE, "layout": "NHWC", "color": "gray", "scale": "0-1"},
        "output": "probabilities",
    }
    (home / "linear.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    return load_foreign(home / "linear.yaml")


def _each_once(catalog: Catalog) -> Catalog:
    table = catalog.table
    again = table.duplicated("cluster")
    return catalog.with_table(table.assign(split=table["split"].where(~again, "")))


def _figures(found: Measured) -> dict[str, Any]:
    values = metrics_json(found)
    if not found.rows["leak_free"].all():
        sys.exit(f"{found.part}: slices of the test part, or of their groups, were trained on")
    floors = {
        key: {k: values[key][k] for k in ("accuracy", "n", "interval", "majority")}
        for key in ("copy_baseline", "source_probe")
    }
    return {
        "n": values["slices"]["full"],
        "classes": list(found.card.classes),
        **floors,
        "linear": {key: values["full"][key] for key in KEPT if key in values["full"]},
    }


if __name__ == "__main__":
    main(sys.argv[1:])
