import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The public data sets: TUMORSCOPE_DATA, or ../shared/data beside the checkout; tests skip where there are none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    root = Path(os.environ.get("TUMORSCOPE_DATA") or beside)
    if not root.is_dir():
        pytest.skip(f"no data sets at {root}")
    return root
