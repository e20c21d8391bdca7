"""A wheel built from the clone holds all that it needs and works outside of it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

pytest.importorskip("hatchling")
ROOT = Path(__file__).resolve().parent.parent
NEEDED = (
    "tumorscope/twins/atlas.npz",
    "tumorscope/pages/frame.html.j2",
    "tumorscope/pages/sheet.css",
    "tumorscope/pages/audit.html.j2",
    "tumorscope/examples/mni152_axial_92_ring_painted.png",
    "tumorscope/models/shipped.onnx",
    "tumorscope/recipes/quick.yaml",
    "tumorscope/serve/page/index.html",
    "tumorscope/serve/page/vendor/preact.js",
    "tumorscope/studies/shipped/navoneel-binary.yaml",
    "tumorscope/py.typed",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel unpacked into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_models_recipes_templates_and_examples(installed):
    assert [name for name in NEEDED if not (installed / name).is_file()] == []
    assert not list(installed.rglob("test_*.py"))


def test_the_wheel_predicts_outside_the_clone(installed, tmp_path):
    code = "from tumorscope.cli import main; main()"
    scan = installed / "tumorscope" / "examples" / "mni152_axial_92_ring_painted.png"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", str(scan), "--json"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"tumor_probability"' in done.stdout


def test_the_wheel_is_what_runs(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    code = "import tumorscope; print(tumorscope.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(installed))


def test_the_wheel_serves_its_page_and_samples(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(installed), "TUMORSCOPE_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", "from tumorscope.cli import main; main()", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip()
        with urlopen(f"{address}/") as page:
            assert b"<title>tumorscope" in page.read()
        with urlopen(f"{address}/v1/samples") as samples:
            assert "mni152_axial_92_ring_painted.png" in samples.read().decode()
    finally:
        server.terminate()
        server.wait(20)
