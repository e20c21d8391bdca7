"""Ask what copies of an outside test are worth: one recipe, trained without them and with them.

    python benchmarks/outside_copies.py RUNS DATA... [--outside DIR] [--epochs N]

RUNS is a folder for the two run folders; a benchmark that was interrupted goes on there. Nothing differs between the
two trainings but `exclude_twins_of`: the second may learn the copies of the outside set that stand in DATA. Both are
then measured on the whole outside set, and on its slices without a copy in the training. Writes
``results/outside_copies.json``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from record import DATA, write_record
from tumorscope.catalog import Catalog, add_groups, build_catalog
from tumorscope.evaluation import evaluate_data
from tumorscope.evaluation.metrics_json import figure_json
from tumorscope.evaluation.outcome import figures
from tumorscope.inference import load
from tumorscope.training import train

SHOWN = ("auc", "sensitivity_at_95_specificity", "sensitivity", "specificity")
RECIPE = "shipped"


def main() -> None:
    """Train twice and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--outside", type=Path, default=DATA / "navoneel_253")
    parser.add_argument("--epochs", type=int, default=4)
    given = parser.parse_args()
    catalog = add_groups(build_catalog(given.data, channels="all"))
    measured = {}
    for name, excluded in (("copies left out", [str(given.outside)]), ("copies left in", [])):
        overrides = {"schedule.epochs": given.epochs, "exclude_twins_of": excluded}
        measured[name] = _train_and_measure(given, catalog, given.runs / name.replace(" ", "-"), overrides)
    settings = {"recipe": RECIPE, "epochs": given.epochs, "outside": given.outside.name}
    write_record("outside_copies", settings | measured, ("torch", "timm"))


def _train_and_measure(
    given: argparse.Namespace, catalog: Catalog, out: Path, overrides: dict[str, Any]
) -> dict[str, Any]:
    run = train(
        given.data, recipe=RECIPE, out=out, overrides=overrides, resume=out.exists(), catalog=catalog,
        shared_cache=given.runs / "cache", say=print,
    )  # fmt: skip
    found = evaluate_data(load(run.model), given.outside, split="all")
    counted = found.findings[found.findings["counted"]]
    parts = {"as labeled": found.outcome, "without a copy in training": found.outcome.take(found.rows["twin_free"])}
    return {
        "tumor_free_files_ranked_most_like_a_tumor": _ranked(counted),
        **{
            part: {name: figure_json(figures(outcome, seed=0)[name]) for name in SHOWN}
            for part, outcome in parts.items()
        },
    }


def _ranked(counted: Any) -> list[str]:
    free = counted[counted["label"] == "notumor"].sort_values("tumor_probability", ascending=False)
    return [str(path) for path in free["path"].head(8)]


if __name__ == "__main__":
    main()
