"""Where the example scans lie."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def example_scans() -> Path:
    """Return the folder of the example scans: inside the installed package, or in the clone it was installed from."""
    inside = Path(str(files("tumorscope") / "examples"))
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "examples" / "scans"
