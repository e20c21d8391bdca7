"""What every benchmark writes beside its figures: when, on which machine, by which command."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tumorscope.files.atomic import write_json

RESULTS = Path(__file__).parent / "results"
DATA = Path(os.environ.get("TUMORSCOPE_DATA") or Path(__file__).parents[2] / "shared" / "data")
"""Where the public data sets lie."""


def write_record(name: str, figures: dict[str, Any], packages: tuple[str, ...] = ("numpy",)) -> Path:
    """Write the figures of a benchmark to ``results/<name>.json`` and print them.

    Args:
        name: of the benchmark.
        figures: what was measured, as plain data.
        packages: whose versions matter.
    """
    record = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": " ".join(["python", *map(_without_folders, sys.argv)]),
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
            **{package: _version(package) for package in packages},
        },
        **figures,
    }
    path = RESULTS / f"{name}.json"
    write_json(path, record)
    print(path.read_text(encoding="utf-8"))
    return path


def _without_folders(argument: str) -> str:
    """Keep of an absolute path its last part: where things lie on one machine says nothing on another."""
    name, equals, path = argument.rpartition("=")
    return f"{name}{equals}{Path(path).name if path.startswith('/') else path}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
