"""How long `train --recipe quick` takes on masoud's published split, and what it reaches there.

usage: python benchmarks/quick.py DATA RUN      (DATA: the folder of the 7,023 files; RUN: a new folder)

Writes benchmarks/results/quick.json: the seconds of the whole verb (catalog, cache, training, export, evaluation), and
accuracy on the full test part, without twins, and as far as it goes without leaks, with the floors beside them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from record import write_record
from tumorscope.training import train

SHOWN = ("accuracy", "balanced_accuracy", "auc")
LIMIT_SECONDS = 15 * 60


def main() -> None:
    """Train, measure, write."""
    data, out = sys.argv[1], Path(sys.argv[2])
    start, cpu = time.perf_counter(), time.process_time()
    run = train(data, recipe="quick", split="official", out=out, say=print)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    metrics = json.loads((run.folder / "metrics.json").read_text(encoding="utf-8"))
    splits = ("full", "twin_free", "leak_free")
    write_record(
        "quick",
        {
            "data": Path(data).name,
            "verb": f"tumorscope train {Path(data).name} --recipe quick --split official",
            "seconds": round(seconds, 1),
            "cpu_seconds": round(cpu_seconds, 1),
            "limit_seconds": LIMIT_SECONDS,
            "recipe": run.recipe.model_dump(mode="json"),
            "figures": {split: {name: metrics[split].get(name) for name in SHOWN} for split in splits},
            "copy_baseline": metrics["copy_baseline"],
            "source_probe": metrics["source_probe"],
        },
        packages=("torch", "timm", "lightning"),
    )


if __name__ == "__main__":
    main()
