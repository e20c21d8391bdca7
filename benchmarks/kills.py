"""Kills trainings at random moments, resumes them, and compares each with one that was never disturbed.

    OMP_NUM_THREADS=1 python benchmarks/kills.py [--trials 20] [--data phantom:96] [--epochs 6]

A trial starts the `smoke` recipe in a process of its own, sends it SIGKILL while it runs, checks that every file in
the run folder is complete, resumes it to the end, checks that nothing unfinished is left, and compares log, catalog,
cache, checkpoint, model file and metrics with the undisturbed ones. The moment is drawn against the training's own
progress, so that a busy machine does not shift it. Odd trials take the five stages in turn and fall evenly over the
time that the stage took undisturbed. Even trials draw an epoch and fall evenly over the time of one epoch after it was
logged. A process that had ended first does not count: its trial is drawn anew.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from PIL import Image

from record import write_record
from tumorscope.catalog import build_catalog
from tumorscope.model_file import read_model
from tumorscope.training import train
from tumorscope.training.checkpoints import read_checkpoint

PROCESSES = get_context("forkserver")
"""Each training is a process of its own, forked from a clean one that has these modules loaded."""

PRELOADED = (
    "tumorscope.training.torchvision_shim",
    "tumorscope.training.run",
    "timm",
    "networkx",
    "onnx",
    "onnxscript",
    "torch._dynamo",
    "torch._inductor.decomposition",
    "torch.onnx._internal.exporter._core",
    "torch.utils.tensorboard",
    "sklearn.covariance",
    "sklearn.linear_model",
    "sklearn.metrics",
    "matplotlib.backends.backend_agg",
)
"""What that clean process has loaded: otherwise half of every training would be imports."""

STAGES = {
    "catalog": "catalog.csv",
    "cache": "cache/images.npy",
    "training": "curves.png",
    "export": "model.onnx",
    "evaluation": "metrics.json",
}
"""The stages of a training and the file whose appearance ends each."""

SAME = (
    "catalog.csv",
    "prints.txt",
    "recipe.yaml",
    "cache/images.npy",
    "cache/masks.npy",
    "model.onnx",
    "findings.csv",
    "metrics.json",
)
"""Files that are byte for byte the undisturbed ones from the moment they appear; ``log.csv`` is their beginning."""

LOG = "log.csv"
TICK = 0.005


@dataclass(frozen=True)
class Moment:
    """When to kill.

    Attributes:
        after: the stage, or the logged epoch, that must be over: 'start', a key of `STAGES` or a number.
        seconds: to wait from then on.
    """

    after: str | int
    seconds: float


@dataclass(frozen=True)
class Times:
    """How long an undisturbed training took, in seconds.

    Attributes:
        stages: by name.
        epoch: one epoch, on average.
    """

    stages: dict[str, float]
    epoch: float


def main() -> None:
    """Run the trials and write what they found."""
    options = _options()
    PROCESSES.set_forkserver_preload(list(PRELOADED))
    rng = np.random.default_rng(options.seed)
    build_catalog([options.data])  # draws the phantom, so that the first training is no slower than the others
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "undisturbed")
        times = _time_undisturbed(options, whole)
        print(f"undisturbed: {times}", flush=True)
        trials: list[dict[str, Any]] = []
        for number in range(1, options.trials + 1):
            trials.append(_trial(options, Path(folder, f"killed_{number}"), whole, number, times, rng))
            _record(trials, times)
    if any(trial["broken"] or trial["left_over"] or not trial["bit_equal"] for trial in trials):
        sys.exit(1)


def _record(trials: list[dict[str, Any]], times: Times) -> None:
    stages = Counter(trial["stage"] for trial in trials)
    figures = {
        "threads": torch.get_num_threads(),
        "trials": len(trials),
        "killed_while_running": sum(trial["killed"] for trial in trials),
        "killed_in_stage": {stage: stages[stage] for stage in STAGES},
        "repeated_because_ended_first": sum(trial["repeated"] for trial in trials),
        "broken_files_after_kill": sum(len(trial["broken"]) for trial in trials),
        "resumed": sum(trial["resumed"] for trial in trials),
        "bit_equal": sum(trial["bit_equal"] for trial in trials),
        "left_over_after_kill": sum(trial["left_over_then"] for trial in trials),
        "left_over_after_resume": sum(trial["left_over"] for trial in trials),
        "undisturbed_seconds": {stage: round(seconds, 2) for stage, seconds in times.stages.items()},
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
    """Start a training and return when its process is about to call `train`."""
    begun = PROCESSES.Event()
    process = PROCESSES.Process(target=_train, args=(options.data, run, options.epochs, begun))
    process.start()
    while process.is_alive() and not begun.wait(1):
        pass
    return process


def _train(data: str, run: Path, epochs: int, begun: Event) -> None:
    begun.set()
    train(data, recipe="smoke", out=run, overrides={"schedule.epochs": epochs}, resume=True)


def _time_undisturbed(options: argparse.Namespace, run: Path) -> Times:
    process, stages = _start(options, run), {}
    last = time.perf_counter()
    for stage in STAGES:
        _wait(process, run, stage)
        stages[stage], last = time.perf_counter() - last, time.perf_counter()
    process.join()
    if process.exitcode:
        sys.exit("the undisturbed training failed")
    return Times(stages, stages["training"] / options.epochs)


def _draw(number: int, epochs: int, times: Times, rng: np.random.Generator) -> Moment:
    if number % 2 == 0:
        return Moment(int(rng.integers(1, epochs + 1)), rng.uniform(0, times.epoch))
    names = list(STAGES)
    turn = number // 2 % len(names)
    return Moment(["start", *names][turn], rng.uniform(0, times.stages[names[turn]]))


def _trial(
    options: argparse.Namespace, run: Path, whole: Path, number: int, times: Times, rng: np.random.Generator
) -> dict[str, Any]:
    repeated = 0
    while not _kill(options, run, moment := _draw(number, options.epochs, times, rng)):
        repeated += 1
        run = run.with_name(f"killed_{number}_again_{repeated}")
    then = {
        "stage": _stage(run),
        "after": moment.after,
        "seconds_after": round(moment.seconds, 3),
        "killed": True,
        "repeated": repeated,
        "files_then": len(_outputs(run)),
        "epochs_then": _epochs(run),
        "left_over_then": _left_over(run),
        "broken": [path.name for path in _outputs(run) if not _is_complete(path, run, whole)],
    }
    again = _start(options, run)
    again.join()
    resumed = again.exitcode == 0
    equal = resumed and _same_run(run, whole)
    return {**then, "resumed": resumed, "bit_equal": equal, "left_over": _left_over(run)}


def _kill(options: argparse.Namespace, run: Path, moment: Moment) -> bool:
    """Start a training and kill it; False if all its files were written before it died."""
    process = _start(options, run)
    _wait(process, run, moment.after)
    process.join(moment.seconds)
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL and _stage(run) is not None


def _wait(process: ForkServerProcess, run: Path, after: str | int) -> None:
    while process.is_alive() and not _is_over(run, after):
        time.sleep(TICK)


def _is_over(run: Path, after: str | int) -> bool:
    if isinstance(after, int):
        return _epochs(run) >= after
    return after == "start" or (run / STAGES[after]).is_file()


def _stage(run: Path) -> str | None:
    return next((stage for stage, file in STAGES.items() if not (run / file).is_file()), None)


def _epochs(run: Path) -> int:
    return len(pd.read_csv(run / LOG)) if (run / LOG).is_file() else 0


def _left_over(run: Path) -> int:
    return sum(path.name.startswith(".") for path in run.rglob("*"))


def _outputs(run: Path) -> list[Path]:
    """Return the files with a final name; TensorBoard's log is appended to by design and left out."""
    files = [path for path in run.rglob("*") if path.is_file()]
    return [p for p in files if not any(part.startswith((".", "tensorboard")) for part in p.relative_to(run).parts)]


def _is_complete(path: Path, run: Path, whole: Path) -> bool:
    name = path.relative_to(run).as_posix()
    try:
        READERS[path.suffix](path)
    except Exception as error:  # whatever a reader raises, the file is broken
        print(f"{path}: {error}", flush=True)
        return False
    if name == LOG:
        return (whole / LOG).read_bytes().startswith(path.read_bytes())
    return name not in SAME or path.read_bytes() == (whole / name).read_bytes()


def _read_picture(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def _read_page(path: Path) -> None:
    if not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
        raise ValueError("the page does not end")


READERS: dict[str, Callable[[Path], Any]] = {
    ".onnx": read_model,
    ".csv": pd.read_csv,
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".yaml": lambda path: yaml.safe_load(path.read_text(encoding="utf-8")),
    ".npy": np.load,
    ".png": _read_picture,
    ".html": _read_page,
    ".txt": lambda path: path.read_text(encoding="ascii"),
    ".ckpt": read_checkpoint,
}
"""How a file of each kind is read whole; one of another kind would count as broken."""


def _same_run(run: Path, whole: Path) -> bool:
    same = all((run / name).read_bytes() == (whole / name).read_bytes() for name in (*SAME, LOG))
    return same and all(_same_weights(run / name, whole / name) for name in ("last.ckpt", "best.ckpt"))


def _same_weights(first: Path, second: Path) -> bool:
    a, b = (read_checkpoint(path)["state_dict"] for path in (first, second))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


if __name__ == "__main__":
    main()
