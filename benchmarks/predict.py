"""Times predict: how soon a cold command answers, and how many pictures a second it reads.

    python benchmarks/predict.py [DATA] [MODEL]        (default: the test part of masoud_7023, the shipped model)

Where other work shares the machine, the CPU time is the figure to compare: divided among the cores it says what they
reach alone; the wall time is then an upper bound.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from record import DATA, write_record
from tumorscope.inference.model import BATCH
from tumorscope.tasks.threads import cores

REPEATS = 5
SHARED = "other work shared the machine: wall times are too long, and the rate by CPU time is an estimate"
LIMITS = {"cold_predict_seconds": 1.0, "help_seconds": 0.3, "import_seconds": 0.3, "images_per_second": 150}
COMMAND = "from tumorscope.cli import main; main()"
MANY = """\
import sys, time, resource, tumorscope
model = tumorscope.load(sys.argv[1])
start, cpu = time.perf_counter(), time.process_time()
findings = model.predict(sys.argv[2])
print(len(findings), time.perf_counter() - start, time.process_time() - cpu, len(findings.failed))
"""


def main() -> None:
    """Measure and write the figures."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "masoud_7023" / "Testing"
    model = sys.argv[2] if len(sys.argv) > 2 else str(_shipped())
    picture = str(next(file for file in sorted(data.rglob("*")) if file.is_file()))
    busy = os.getloadavg()[0] > 1  # before anything of ours has run
    figures = {
        "model": Path(model).name,
        "workers": cores(),
        "batch": BATCH,
        "cold": {
            "predict": _cold(COMMAND, "predict", picture, "--model", model),
            "help": _cold(COMMAND, "--help"),
            "import": _cold("import tumorscope"),
        },
        "many": _many(model, data),
        "limits": LIMITS,
        "note": SHARED if busy else "",
    }
    write_record("predict", figures, ("numpy", "opencv-python-headless", "onnxruntime", "pillow"))


def _shipped() -> Path:
    from tumorscope.inference import shipped_model

    return shipped_model()


def _cold(code: str, *arguments: str) -> dict[str, float]:
    """Return the best wall and CPU seconds of a process of its own (the disk is warm)."""
    walls, cpus = [], []
    for _ in range(REPEATS):
        start, before = time.perf_counter(), _children()
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - start)
        cpus.append(_children() - before)
    return {"wall_seconds": round(min(walls), 3), "cpu_seconds": round(min(cpus), 3)}


def _many(model: str, data: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", MANY, model, str(data)], check=True, capture_output=True, text=True
    ).stdout.split()
    count, wall, cpu, failed = int(done[0]), float(done[1]), float(done[2]), int(done[3])
    return {
        "data": "/".join(data.parts[-2:]),
        "images": count,
        "failed": failed,
        "images_per_second": round(count / wall),
        "cpu_milliseconds_per_image": round(1000 * cpu / count, 2),
        "images_per_second_by_cpu_time": round(cores() * count / cpu),
        "peak_gigabytes": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6, 2),
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
