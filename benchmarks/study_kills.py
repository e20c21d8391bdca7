"""Kills a study at random moments, runs it again, and compares its table with that of one that was never disturbed.

    python benchmarks/study_kills.py [--kills 10] [--runs 2] [--epochs 3]

A study of the phantom runs by the command line in a process group of its own. The whole group gets SIGKILL at a moment
drawn evenly from the time that an undisturbed one took; then the same command goes on with what is there, until it is
killed again or ends. A study that ended is compared (all columns of ``leaderboard.csv`` but the minutes, and every
answer, log and figure of its trainings byte by byte) and another begins in a new folder, until as many kills as asked
for have hit while it ran.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from record import write_record
from tumorscope.studies.ledger import UNITS, Ledger, has_ledger

TIMES = ("minutes",)
"""What differs between two runs of one study that are otherwise the same."""
COMMAND = [sys.executable, "-c", "from tumorscope.cli import main; main()", "study", "run"]


def main() -> None:
    """Kill, go on, compare, and write what came of it."""
    options = _options()
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = _write_study(folder, options)
        start = time.perf_counter()
        if _run(study, folder / "undisturbed").wait():
            sys.exit("the undisturbed study failed")
        took = time.perf_counter() - start
        print(f"undisturbed: {took:.1f} s\n{_table(folder / 'undisturbed').to_string()}", flush=True)
        kills, studies = _kill_and_go_on(study, folder, took, options.kills, rng)
    figures = {
        "kills": len(kills),
        "kills_while_running": sum(kill["hit"] for kill in kills),
        "studies": len(studies),
        "same_table": sum(study["same_table"] for study in studies),
        "same_answers": sum(study["same_answers"] for study in studies),
        "undisturbed_seconds": round(took, 1),
        "moments": kills,
        "ended": studies,
    }
    write_record("study_kills", figures, ("optuna", "torch", "numpy"))
    if not all(study["same_table"] and study["same_answers"] for study in studies):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _write_study(folder: Path, options: argparse.Namespace) -> Path:
    """Write a study of as many runs as asked for; they differ in their learning rate."""
    rates = [round(0.004 / 2**k, 6) for k in range(options.runs)]
    settings = {"schedule.epochs": options.epochs, "spec.side": 64, "augment.transplant": 0, "network.width": 16}
    values = {
        "name": "kills",
        "data": ["phantom:96"],
        "protocols": {"grouped": {"split": "grouped"}},
        "runs": [{"name": "tiny", "recipe": "smoke", "set": settings, "grid": {"schedule.lr": rates}}],
    }
    path = folder / "kills.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def _kill_and_go_on(
    study: Path, folder: Path, took: float, wanted: int, rng: np.random.Generator
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    kills: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    out, here, whole = folder / "killed_1", 0, folder / "undisturbed"
    while len(kills) < wanted or here:
        process = _run(study, out)
        moment = float(rng.uniform(0, took)) if len(kills) < wanted else None
        if moment is not None and _kill(process, moment):
            here += 1
            kills.append({"second": round(moment, 1), "hit": True, **_state(out)})
            print(f"kill {len(kills)}: {kills[-1]}", flush=True)
            continue
        code = process.wait()
        same = code == 0 and _table(out).equals(_table(whole))
        files = code == 0 and _answers(out) == _answers(whole)
        ended.append({"kills": here, "exit_code": code, "same_table": same, "same_answers": files})
        print(f"ended: {ended[-1]}", flush=True)
        out, here = folder / f"killed_{len(ended) + 1}", 0
    return kills, ended


def _run(study: Path, out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, str(study), "--out", str(out)], start_new_session=True, stdout=subprocess.DEVNULL
    )


def _kill(process: subprocess.Popen[bytes], moment: float) -> bool:
    """Send SIGKILL to the whole group after so many seconds; return whether it was still running then."""
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait() == -signal.SIGKILL
    return False


def _state(out: Path) -> dict[str, int]:
    """Count the trainings by state, as they stand after a kill."""
    entries = Ledger.read(out, UNITS).values() if has_ledger(out) else ()
    states = [entry.state for entry in entries]
    return {state: states.count(state) for state in ("waiting", "running", "done", "failed")}


def _table(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "leaderboard.csv").drop(columns=[*TIMES])


def _answers(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for name in ("findings.csv", "log.csv", "metrics.json")
        for path in (out / "runs").rglob(name)
    }


if __name__ == "__main__":
    main()
