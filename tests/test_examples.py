"""The examples that are shipped: the notebook is the one that its script writes, and ran without an error."""

import importlib.util
from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).parents[1]
SCANS = sorted((ROOT / "examples" / "scans").glob("*.png"))


@pytest.fixture(scope="module")
def notebook():
    nbformat = pytest.importorskip("nbformat")
    return nbformat.read(ROOT / "examples" / "from_folder_to_report.ipynb", as_version=4)


def test_the_notebook_is_the_one_that_the_script_writes(notebook):
    pytest.importorskip("nbclient")
    spec = importlib.util.spec_from_file_location("make_notebook", ROOT / "tools" / "make_notebook.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert [cell.source for cell in notebook.cells] == [cell.removeprefix(">") for cell in script.CELLS]


def test_the_notebook_ran_to_its_end_and_names_no_machine(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(outputs) >= 8
    assert all(output.output_type != "error" for output in outputs)
    assert "/home/" not in str(notebook)
    assert "/tmp/" not in str(notebook)


def test_the_scans_are_small_and_carry_their_notice():
    assert len(SCANS) == 11
    assert all(cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape == (256, 256) for path in SCANS)
    assert sum(path.stat().st_size for path in SCANS) < 500_000
    notice = (ROOT / "examples" / "scans" / "LICENSE.txt").read_text()
    assert "McConnell Brain Imaging Centre" in notice
