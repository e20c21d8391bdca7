"""What all pages share, and what they get along without."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import tumorscope
from tumorscope.pages.charts import Axis, Chart, Line, share_axis
from tumorscope.pages.frame import in_frame, number, percent

SOURCE = Path(tumorscope.__file__).parent
PAGES = SOURCE / "pages"
WITHOUT_MATPLOTLIB = """
import sys
sys.modules["matplotlib"] = None
import tumorscope
tumorscope.audit("phantom:24").report(sys.argv[1] + "/audit")
tumorscope.evaluate(tumorscope.load(), "phantom:24", split="all").report(sys.argv[1] + "/eval")
"""


@pytest.mark.parametrize("name", ["audit", "evaluation", "study", "demo"])
def test_every_page_stands_in_the_one_frame_and_has_no_style_of_its_own(name):
    text = (PAGES / f"{name}.html.j2").read_text(encoding="utf-8")
    assert text.startswith("{% extends 'frame.html.j2' %}")
    assert "<style" not in text


def test_there_is_one_frame_and_one_sheet_in_the_package():
    pages = [path for path in SOURCE.rglob("*.j2") if "<!doctype" in path.read_text(encoding="utf-8")]
    assert pages == [PAGES / "frame.html.j2"]
    assert list(PAGES.glob("*.css")) == [PAGES / "sheet.css"]


def test_an_audit_and_an_evaluation_need_no_matplotlib(tmp_path):
    subprocess.run([sys.executable, "-c", WITHOUT_MATPLOTLIB, tmp_path], check=True, capture_output=True, text=True)
    assert "<svg" in (tmp_path / "eval/report.html").read_text(encoding="utf-8")
    assert (tmp_path / "audit/audit.html").is_file()


@pytest.mark.parametrize("room", ["audits", "evaluation"])
def test_results_do_not_know_their_pages_and_their_files_import_in_one_direction(room):
    known = {path: _imports(path) for path in (SOURCE / room).glob("*.py")}
    assert not [(path.name, name) for path, names in known.items() for name in names if "pages" in name.split(".")]
    inside = {
        path.stem: {name.split(".")[2] for name in names if name.startswith(f"tumorscope.{room}.")}
        for path, names in known.items()
        if path.stem != "__init__"
    }
    while leaves := [name for name, used in inside.items() if not used & set(inside)]:
        for name in leaves:
            del inside[name]
    assert not inside, "these import each other"


def test_a_chart_says_what_it_shows_to_those_who_do_not_see_it():
    chart = Chart(
        "A < B", share_axis("x, %"), Axis(0, 2, [(0, "0"), (2, "2")], "loss"), [Line([0, 1], [2, 0.5], "run")]
    )
    svg = ElementTree.fromstring(chart.svg())
    assert svg.attrib["role"] == "img"
    assert svg.findtext("title") == "A < B"
    assert svg.findtext("desc") == "Across: x, %. Up: loss. run: from 2 at 0.0 to 0.5 at 100.0."
    assert {"x, %", "loss", "0", "2"} <= {text.text for text in svg.iter("text")}
    assert not re.search("#[0-9a-f]{3}", chart.svg()), "colors are the page's, for light and dark"


def test_values_off_an_axis_are_held_to_it():
    axis = Axis(0.5, 1.0, [])
    assert [axis.share(value) for value in (0.2, 0.75, 3.0)] == [0.0, 0.5, 1.0]


def test_figures_without_a_value_are_dashes_and_frames_escape():
    assert (percent(0.931), percent(None), number(0.9314), number(None)) == ("93.1%", "–", "0.931", "–")
    assert 'srcdoc="&lt;p title=&quot;a&quot;&gt;"' in in_frame('<p title="a">', "page")


def _imports(path):
    """Return what a file imports, inside of functions too."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.module for node in tree if isinstance(node, ast.ImportFrom) and node.module}
