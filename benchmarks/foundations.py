"""Compares two builds of the package: time and memory of what users do most.

    python benchmarks/foundations.py OTHER_SRC --pictures DIR --audit DIR --evaluate DIR [--rounds 3] [--copies 2000]

OTHER_SRC is the folder ``src`` of another checkout, which is called `before`; this checkout's is `after`. The builds
take turns, each call in a fresh process. Wall and CPU seconds are the medians of the rounds, peak memory the largest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from record import write_record

SRC = Path(__file__).parents[1] / "src"
COMMAND = "import sys; from tumorscope.cli import main; sys.exit(main())"
Measured = dict[str, float]


def main() -> None:
    """Measure every task on both builds in turn, print the ratios and write the figures."""
    asked = _asked()
    builds = {"before": asked.other.resolve(), "after": SRC.resolve()}
    with tempfile.TemporaryDirectory() as folder:
        found = {
            name: _compared(name, arguments, builds, asked.rounds)
            for name, arguments in _tasks(asked, Path(folder)).items()
        }
    write_record("foundations", {"rounds": asked.rounds, "copies": asked.copies, "tasks": found})


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the folder src of the other checkout")
    parser.add_argument("--pictures", type=Path, required=True, help="a folder to predict on")
    parser.add_argument("--audit", type=Path, required=True, help="a data set to audit")
    parser.add_argument("--evaluate", type=Path, required=True, help="a data set to evaluate the shipped model on")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=2000, help="identical and blank files that are audited")
    return parser.parse_args()


def _tasks(asked: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """Return the arguments of each command; results go to new folders, which `{out}` stands for."""
    picture = next(path for path in sorted(asked.pictures.rglob("*")) if path.suffix.lower() in (".jpg", ".png"))
    blank = np.zeros((128, 128), np.uint8)
    noise = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (128, 128)).astype(np.float32), (0, 0), 3)
    pattern = np.rint(255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)
    same, empty = (_copies(folder / name, image, asked.copies) for name, image in (("same", pattern), ("blank", blank)))
    model = str(SRC / "tumorscope" / "models" / "shipped.onnx")
    return {
        "predict a folder": ["predict", str(asked.pictures), "--json"],
        "predict one picture, cold": ["predict", str(picture), "--json"],
        "audit": ["audit", str(asked.audit), "--out", "{out}"],
        "evaluate": ["evaluate", model, str(asked.evaluate), "--out", "{out}", "--split", "all"],
        "audit of identical files": ["audit", str(same), "--out", "{out}"],
        "audit of blank files": ["audit", str(empty), "--out", "{out}"],
    }


def _copies(folder: Path, image: np.ndarray, count: int) -> Path:
    """Write one picture many times, half of them in each of two classes."""
    content = cv2.imencode(".png", image)[1].tobytes()
    for label in ("yes", "no"):
        (folder / label).mkdir(parents=True)
        for i in range(count // 2):
            (folder / label / f"{i:05}.png").write_bytes(content)
    return folder


def _compared(name: str, arguments: list[str], builds: dict[str, Path], rounds: int) -> dict[str, Any]:
    runs: dict[str, list[Measured]] = {build: [] for build in builds}
    for _ in range(rounds):
        for build, src in builds.items():
            runs[build].append(_measured(arguments, src))
            print(f"{name}, {build}: {runs[build][-1]}", file=sys.stderr, flush=True)
    found: dict[str, Any] = {build: _summed(measured) for build, measured in runs.items()}
    found["ratio"] = {key: round(found["before"][key] / found["after"][key], 2) for key in found["after"]}
    return found


def _measured(arguments: list[str], src: Path) -> Measured:
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-c", COMMAND, *(out if part == "{out}" else part for part in arguments)]
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(src)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: some files could not be read
        raise SystemExit(f"{src}: {' '.join(arguments)} ended with {process.returncode}")
    return {"wall_seconds": wall, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_gigabytes": used.ru_maxrss / 1e6}


def _summed(runs: list[Measured]) -> Measured:
    return {key: round((max if key == "peak_gigabytes" else median)([run[key] for run in runs]), 3) for key in runs[0]}


if __name__ == "__main__":
    main()
