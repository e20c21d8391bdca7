"""Times the audit of a data set, with all four output files, in a process of its own.

    python benchmarks/audit.py [DATA]        (default: masoud_7023)

Peak memory is the process's largest resident set. Where other work shares the machine, the CPU time is the figure to
compare; the wall time is then an upper bound.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import DATA, write_record

LIMITS = {"seconds": 60, "gigabytes": 1.0}
CODE = "import sys; from pathlib import Path; from tumorscope.audits.audit import run_audit; \
from tumorscope.pages.audit import write_audit; \
write_audit(run_audit(sys.argv[1]), Path(sys.argv[2]))"


def main() -> None:
    """Audit, measure, and write the figures."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "masoud_7023"
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", CODE, str(data), folder], check=True)
        wall = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        summary = json.loads(Path(folder, "audit.json").read_text(encoding="utf-8"))
        page = Path(folder, "audit.html").stat().st_size
    cpu = used.ru_utime + used.ru_stime
    speed = {
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "peak_gigabytes": round(used.ru_maxrss / 1e6, 2),
        "images_per_cpu_second": round(summary["images"] / cpu),
        "page_megabytes": round(page / 1e6, 2),
        "limits": LIMITS,
    }
    name = "audit" if data.name == "masoud_7023" else f"audit_{data.name}"
    write_record(name, {"data": data.name, "speed": speed, "found": _found(summary)}, ("numpy", "scikit-learn"))


def _found(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of an audit that the documents quote."""
    counted = {key: len(summary[key]) for key in ("label_conflicts", "unreadable", "misnamed")}
    keys = ("images", "classes", "groups", "leaks", "twins", "atlas")
    floors = ("copy_baseline", "copy_baseline_twin_free", "source_probe")
    return {**{key: summary[key] for key in keys}, **counted, **{key: summary[key] for key in floors}}


if __name__ == "__main__":
    main()
