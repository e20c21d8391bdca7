"""Compares two builds of the package: how long the verbs take, and in how much memory.

    python benchmarks/foundations.py --before ../old/src --data DATA [--pictures FOLDER] [--evaluate-on DATA]

Every figure is of a fresh process, `tumorscope VERB ...`. The builds take turns, and each repeat begins with the other
one, so that what else the machine does falls on both. The best wall time, CPU time and peak memory of the repeats are
compared: predict on a folder and of one picture, audit, evaluate, and the audits of many identical and empty files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from record import write_record
from tumorscope.catalog.phantom import draw_phantom

OWN = Path(__file__).parents[1] / "src"
COMMAND = "from tumorscope.cli import main; main()"
SOME_FAILED = 1
FIGURES = {"wall_seconds": 2, "cpu_seconds": 2, "peak_gigabytes": 3}
PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "pandas", "scikit-learn")


@dataclass(frozen=True)
class Used:
    """What one process took."""

    wall_seconds: float
    cpu_seconds: float
    peak_gigabytes: float


def main() -> None:
    """Measure both builds, print the ratios, and write the figures."""
    given = _arguments()
    builds = {"before": given.before.resolve(), "after": given.after.resolve()}
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        calls = {name: call for name, call in _calls(given, work).items() if name in (given.only or [name])}
        used = _measure(calls, builds, given.repeats, work)
    best = {name: {build: _best(runs) for build, runs in of_builds.items()} for name, of_builds in used.items()}
    verbs = {name: {**figures, "ratio": _ratios(**figures)} for name, figures in best.items()}
    sets = {"data": given.data.name, "pictures": given.pictures.name, "evaluate_on": given.evaluate_on.name}
    about = {**sets, "many": given.many, "repeats": given.repeats}
    write_record("foundations", {**about, "load_before": load, "verbs": verbs}, PACKAGES)
    for name, figures in verbs.items():
        print(f"{name:<18}", "  ".join(f"{what} x{ratio:.2f}" for what, ratio in figures["ratio"].items()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="the src folder of the other checkout")
    parser.add_argument("--after", type=Path, default=OWN, help="the src folder of this one")
    parser.add_argument("--data", type=Path, required=True, help="the data set to audit")
    parser.add_argument("--pictures", type=Path, help="the folder to predict on; else that of --data")
    parser.add_argument("--evaluate-on", type=Path, help="the data set to evaluate on; else that of --data")
    parser.add_argument("--many", type=int, default=2000, help="how many identical, and how many empty files")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="names of what to measure, such as audit")
    given = parser.parse_args()
    given.pictures, given.evaluate_on = given.pictures or given.data, given.evaluate_on or given.data
    return given


def _calls(given: argparse.Namespace, work: Path) -> dict[str, list[str]]:
    """Return the arguments of each verb; '{out}' and '{model}' stand for what differs from run to run and build."""
    one = str(next(file for file in sorted(given.pictures.rglob("*")) if file.suffix.lower() in (".jpg", ".png")))
    identical, empty = _write_many(work, given.many)
    return {
        "predict_folder": ["predict", str(given.pictures), "--json"],
        "predict_cold": ["predict", one, "--json"],
        "audit": ["audit", str(given.data), "--out", "{out}"],
        "evaluate": ["evaluate", "{model}", str(given.evaluate_on), "--split", "all", "--out", "{out}"],
        "audit_identical": ["audit", str(identical), "--out", "{out}"],
        "audit_empty": ["audit", str(empty), "--out", "{out}"],
    }


def _write_many(work: Path, count: int) -> tuple[Path, Path]:
    """Write a set of identical pictures and one of black ones, half of each in either class."""
    drawn = next(iter(draw_phantom(1, seed=0))).image
    for name, image in (("identical", drawn), ("empty", np.zeros_like(drawn))):
        content = cv2.imencode(".png", image)[1].tobytes()
        for i in range(count):
            path = work / name / ("yes", "no")[i % 2] / f"{i:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return work / "identical", work / "empty"


def _measure(
    calls: dict[str, list[str]], builds: dict[str, Path], repeats: int, work: Path
) -> dict[str, dict[str, list[Used]]]:
    used: dict[str, dict[str, list[Used]]] = {name: {build: [] for build in builds} for name in calls}
    for repeat in range(repeats):
        turn = list(builds)[:: 1 if repeat % 2 == 0 else -1]
        for name, call in calls.items():
            for build in turn:
                out = work / f"{name}-{build}-{repeat}"
                used[name][build].append(_run(call, builds[build], out))
                print(f"{repeat + 1}/{repeats} {name:<18} {build:<7} {used[name][build][-1]}", file=sys.stderr)
    return used


def _run(call: list[str], source: Path, out: Path) -> Used:
    """Run a verb of one build in a process of its own.

    Raises:
        RuntimeError: it did not do its work.
    """
    model = source / "tumorscope" / "models" / "shipped.onnx"
    arguments = [part.format(out=out, model=model) if part in ("{out}", "{model}") else part for part in call]
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, SOME_FAILED):
        raise RuntimeError(f"'tumorscope {' '.join(arguments)}' of {source} ended with {process.returncode}")
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


def _best(runs: list[Used]) -> dict[str, float]:
    return {name: round(min(asdict(run)[name] for run in runs), digits) for name, digits in FIGURES.items()}


def _ratios(before: dict[str, float], after: dict[str, float]) -> dict[str, Any]:
    """Return how many times less the build after takes."""
    return {name: round(before[name] / max(after[name], 1e-9), 2) for name in FIGURES}


if __name__ == "__main__":
    main()
