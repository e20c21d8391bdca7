"""Kills trainings at random moments, resumes them, and compares each with one that was never disturbed.

    python benchmarks/kills.py [--trials 20] [--data phantom:96] [--epochs 6]

A trial starts the `smoke` recipe in a process of its own, sends it SIGKILL at a moment drawn evenly from the time that
the undisturbed run took from its first file to its end, checks that every file in the run folder is complete, resumes
it to the end, and compares log, catalog, checkpoint and model file with the undisturbed ones.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from PIL import Image

from record import write_record
from tumorscope.model_file import read_model
from tumorscope.training import train

PROCESSES = get_context("forkserver")
"""Each training is a process of its own, forked from a clean one that has torch loaded, which saves time."""

COMPARED = ("log.csv", "catalog.csv", "model.onnx", "metrics.json")


def main() -> None:
    """Run the trials and write what they found."""
    options = _options()
    PROCESSES.set_forkserver_preload(["tumorscope.training"])
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "undisturbed")
        process = _start(options, whole)
        _wait_for_first_file(process, whole)
        start = time.perf_counter()
        process.join()
        if process.exitcode:
            sys.exit("the undisturbed training failed")
        took = time.perf_counter() - start
        print(f"undisturbed: {took:.1f} s", flush=True)
        trials: list[dict[str, Any]] = []
        for number in range(1, options.trials + 1):
            trials.append(_trial(options, Path(folder, f"killed_{number}"), whole, rng.uniform(0, took)))
            _record(trials, took)
    if any(trial["broken"] or not trial["bit_equal"] for trial in trials):
        sys.exit(1)


def _record(trials: list[dict[str, Any]], took: float) -> None:
    figures = {
        "trials": len(trials),
        "killed_while_running": sum(trial["killed"] for trial in trials),
        "broken_files_after_kill": sum(len(trial["broken"]) for trial in trials),
        "resumed": sum(trial["resumed"] for trial in trials),
        "bit_equal": sum(trial["bit_equal"] for trial in trials),
        "left_over_files": sum(trial["left_over"] for trial in trials),
        "undisturbed_seconds": round(took, 1),
        "kills": trials,
    }
    write_record("kills", figures, ("torch", "lightning", "numpy"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--data", default="phantom:96")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _start(options: argparse.Namespace, run: Path) -> ForkServerProcess:
    process = PROCESSES.Process(target=_train, args=(options.data, run, options.epochs))
    process.start()
    return process


def _train(data: str, run: Path, epochs: int) -> None:
    train(data, recipe="smoke", out=run, overrides={"schedule.epochs": epochs}, resume=True)


def _trial(options: argparse.Namespace, run: Path, whole: Path, moment: float) -> dict[str, Any]:
    process = _start(options, run)
    _wait_for_first_file(process, run)
    process.join(moment)
    process.kill()
    process.join()
    killed = process.exitcode == -signal.SIGKILL
    files, epochs = len(_outputs(run)), _epochs(run)
    broken = [path.name for path in _outputs(run) if not _is_complete(path)]
    again = _start(options, run)
    again.join()
    resumed = again.exitcode == 0
    return {
        "second": round(moment, 1),
        "killed": killed,
        "files_then": files,
        "epochs_then": epochs,
        "broken": broken,
        "resumed": resumed,
        "bit_equal": resumed and _same_run(run, whole),
        "left_over": sum(path.name.startswith(".") for path in run.rglob("*")),
    }


def _wait_for_first_file(process: ForkServerProcess, run: Path) -> None:
    while process.is_alive() and not _outputs(run):
        time.sleep(0.01)


def _outputs(run: Path) -> list[Path]:
    """Return the files with a final name; TensorBoard's log is appended to by design and left out."""
    found = run.rglob("*") if run.exists() else []
    files = [path for path in found if path.is_file()]
    return [p for p in files if not any(part.startswith((".", "tensorboard")) for part in p.relative_to(run).parts)]


def _is_complete(path: Path) -> bool:
    try:
        READERS.get(path.suffix, Path.read_bytes)(path)
    except Exception as error:  # whatever a reader raises, the file is broken
        print(f"{path}: {error}", flush=True)
        return False
    return path.stat().st_size > 0


def _read_picture(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


READERS: dict[str, Callable[[Path], Any]] = {
    ".onnx": read_model,
    ".csv": pd.read_csv,
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".yaml": lambda path: yaml.safe_load(path.read_text(encoding="utf-8")),
    ".npy": np.load,
    ".png": _read_picture,
    ".ckpt": lambda path: torch.load(path, map_location="cpu", weights_only=False),
}


def _epochs(run: Path) -> int:
    return len(pd.read_csv(run / "log.csv")) if (run / "log.csv").is_file() else 0


def _same_run(run: Path, whole: Path) -> bool:
    same = all((run / name).read_bytes() == (whole / name).read_bytes() for name in COMPARED)
    return same and _same_weights(run / "last.ckpt", whole / "last.ckpt")


def _same_weights(first: Path, second: Path) -> bool:
    a, b = (torch.load(path, map_location="cpu", weights_only=False)["state_dict"] for path in (first, second))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


if __name__ == "__main__":
    main()
