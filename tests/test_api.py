"""The package itself: what can be imported, and that importing it is light."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tumorscope

HEAVY = ("numpy", "pandas", "cv2", "onnxruntime", "sklearn", "matplotlib", "torch", "rich")


def test_the_jobs_are_there():
    assert all(callable(getattr(tumorscope, name)) for name in ("audit", "train", "evaluate", "load"))
    assert tumorscope.__version__.count(".") == 2


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import tumorscope", HEAVY),
        ("from tumorscope.cli import run; run(['--help'])", HEAVY),
        ("import tumorscope; tumorscope.load", ("torch",)),
        (
            "import tumorscope.client; tumorscope.Client",
            ("numpy", "cv2", "PIL", "pandas", "onnxruntime", "scipy", "pydicom", "fastapi"),
        ),
        ("import tumorscope.inference", ("torch", "pandas", "sklearn", "matplotlib", "rich")),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code, forbidden):
    check = f"{code}; import sys; print(sorted(set({forbidden!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_findings_from_a_model_file_and_a_path(quadrant_model, draw):
    findings = tumorscope.load(quadrant_model).predict(draw("scan.png", 3))
    assert findings[0].label == "pituitary"
    assert findings.to_frame().loc[0, "label"] == "pituitary"


def test_without_out_a_run_lies_beside_the_others_under_its_recipe(monkeypatch):
    pytest.importorskip("torch")
    asked = {}
    monkeypatch.setattr("tumorscope.training.run.train", lambda data, **options: asked.update(options))
    tumorscope.train("phantom", recipe="recipes/mine.yaml")
    assert asked["out"] == Path("runs/mine")
    tumorscope.train("phantom", recipe="smoke", out="elsewhere")
    assert asked["out"] == "elsewhere"


def test_onnxruntime_tells_nobody_of_models(tmp_path):
    """It writes a session id into the temporary folder when its telemetry begins."""
    code = "import tumorscope; tumorscope.load().predict('examples/scans/phantom_glioma.png')"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=Path(__file__).parents[1])
    assert list(tmp_path.iterdir()) == []
