"""The leak-free headline: a run's accuracy on the distinct slices of the Cheng set's fifth fold, patients apart.

usage: python benchmarks/cheng_fold5.py RUN      (a run of `train --split grouped`, whose test part holds fold 5)

A slice of the Cheng set can stand in the data several times (gray and RGB, in several collections); it counts once,
by its first file. Writes benchmarks/results/cheng_fold5.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import yaml

from record import write_record
from tumorscope.catalog.groups import CHENG
from tumorscope.evaluation.metrics_json import figure_json
from tumorscope.statistics import estimate
from tumorscope.statistics.metrics import share

FOLD = 5


def main() -> None:
    """Count and write."""
    run = Path(sys.argv[1])
    findings = pd.read_csv(run / "findings.csv", keep_default_na=False)
    fold = pd.to_numeric(findings["fold"], errors="coerce")
    table = findings[(findings["source"] == CHENG) & (fold == FOLD)].drop_duplicates("cluster")
    if table["group_seen"].astype(str).eq("True").any():
        sys.exit(f"{run}: slices of this fold, or of their groups, were trained on")
    right = table["right"].astype(str).eq("True").to_numpy()
    clusters = table["cluster"].to_numpy(str)
    measures = [share("accuracy", right, right | True)]
    measures += [share(name, right, (table["label"] == name).to_numpy()) for name in sorted(set(table["label"]))]
    made = yaml.safe_load((run / "recipe.yaml").read_text(encoding="utf-8"))
    sets = " ".join(Path(data).name for data in made["run"]["data"])
    write_record(
        "cheng_fold5",
        {
            "what": "distinct Cheng slices of fold 5, trained on folds 1 to 3, validated on fold 4, patients apart",
            "verb": f"tumorscope train {sets} --recipe {made['recipe']['name']}",
            "recipe": made["recipe"],
            "figures": {name: figure_json(f) for name, f in estimate(measures, clusters).items()},
            "called": table.groupby(["label", "called"]).size().unstack(fill_value=0).to_dict("index"),
        },
        packages=("torch", "timm", "lightning"),
    )


if __name__ == "__main__":
    main()
