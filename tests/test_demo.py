import json
from pathlib import Path

import pytest

from tumorscope.demo import PLANTS, plant_leaks, run_demo
from tumorscope.errors import OutputError


def test_every_planted_leak_is_found_and_nothing_else(tmp_path):
    page = run_demo(tmp_path / "demo")
    leaks = json.loads((tmp_path / "demo" / "audit" / "audit.json").read_text())["leaks"]
    assert leaks["near"] == 2 * len(PLANTS)
    assert leaks["exact"] == 2
    text = page.read_text()
    assert "mni152_axial_92_ring_painted.png" in text
    assert "http" not in text.replace("http://www.w3.org", ""), "the page asks for nothing from outside"


def test_the_audit_of_the_planted_set_names_the_broken_and_the_misnamed(tmp_path):
    from tumorscope.audits.audit import run_audit

    planted = plant_leaks(tmp_path)
    summary = run_audit(tmp_path, use_atlas=False).summary
    assert [entry["path"] for entry in summary["unreadable"]] == ["Training/glioma/cut_short.png"]
    assert [entry["is"] for entry in summary["misnamed"]] == ["PNG"]
    assert len(summary["label_conflicts"]) == 1
    assert len(planted) == 2 * len(PLANTS)


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="holds something that is no demo"):
        run_demo(Path(tmp_path))
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
