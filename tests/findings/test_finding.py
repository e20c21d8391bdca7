"""Findings as data: JSON, table, notebook."""

import json
import subprocess
import sys
from typing import get_args

import pytest
from pydantic import ValidationError

from tumorscope.findings import (
    VERDICTS,
    Findings,
    ModelName,
    SliceFinding,
    TumorSlice,
    Verdict,
    VolumeFinding,
    failed_finding,
    read_finding,
)
from tumorscope.inference.text import finding_line

MODEL = ModelName(name="m", version="1", sha256="ab")
TUMOR = SliceFinding(
    file="a/<b>.png",
    label="glioma",
    probabilities={"glioma": 0.75, "notumor": 0.25},
    tumor_probability=0.75,
    prediction_set=["glioma", "notumor"],
    verdict="tumor",
    sentence="Tumor likely: glioma.",
    model=MODEL,
)
BROKEN = failed_finding("c.png", "is empty; download it again", MODEL)
VOLUME = VolumeFinding(
    file="d.nii",
    label="glioma",
    tumor_probability=0.75,
    prediction_set=["glioma"],
    speaker=2,
    slices=[TumorSlice(slice=2, tumor_probability=0.75)],
    verdict="tumor",
    sentence="Tumor likely: glioma. Slice 3 of 4, the gravest, speaks for the scan.",
    model=MODEL,
)
KEYS = [
    "file", "slice", "sequence", "kind", "status", "label", "probabilities", "tumor_probability", "prediction_set",
    "flags", "outline", "heatmap", "message", "verdict", "sentence", "model",
]  # fmt: skip


def test_json_has_the_keys_that_other_programs_read():
    first, second = json.loads(Findings([TUMOR, BROKEN]).to_json())
    assert list(first) == list(second) == KEYS
    assert first["probabilities"] == {"glioma": 0.75, "notumor": 0.25}
    assert first["model"] == {"name": "m", "version": "1", "sha256": "ab"}
    assert (second["status"], second["label"], second["probabilities"]) == ("error", None, None)
    assert json.loads(TUMOR.to_json()) == first
    assert "\n" not in TUMOR.to_json()


def test_the_frame_has_a_row_a_finding_and_a_column_a_class():
    frame = Findings([TUMOR, BROKEN, VOLUME]).to_frame()
    assert frame.loc[0, "p_glioma"] == 0.75
    assert frame.loc[0, "prediction_set"] == "glioma notumor"
    assert frame["p_notumor"].isna().tolist() == [False, True, True]
    assert frame["verdict"].tolist() == ["tumor", "error", "tumor"]


def test_a_notebook_shows_names_as_text():
    html = Findings([TUMOR, BROKEN])._repr_html_()
    assert "a/&lt;b&gt;.png" in html
    assert "75.0%" in html
    assert "Is empty" in html


def test_a_line_is_the_answer_in_words():
    assert finding_line(TUMOR) == "a/<b>.png: tumor: Tumor likely: glioma.  (tumor 75.0%)"
    assert finding_line(BROKEN) == ("c.png: error: This file could not be read. Is empty; download it again.")
    plane = TUMOR.model_copy(update={"file": "c.tif", "sequence": "FLAIR", "slice": 3})
    assert finding_line(plane).startswith("c.tif, FLAIR, slice 4: tumor: ")
    assert finding_line(VOLUME).startswith("d.nii: tumor: Tumor likely: glioma. Slice 3")


def test_a_terminal_obeys_no_file_name():
    said = finding_line(TUMOR.model_copy(update={"file": "a\nb\x1b[31m\udcff é.png"}))
    assert said.startswith("a\\nb\\x1b[31m\\udcff é.png: tumor")


def test_findings_come_back_from_json_as_what_they_are():
    entries = json.loads(Findings([TUMOR, BROKEN, VOLUME]).to_json())
    assert [read_finding(entry) for entry in entries] == [TUMOR, BROKEN, VOLUME]
    with pytest.raises(ValidationError, match="kind"):
        read_finding(entries[0] | {"kind": "page"})


def test_every_verdict_has_a_meaning_and_the_gravest_comes_first():
    assert list(VERDICTS) == ["tumor", "unsure", "refused", "error", "notumor"]
    assert set(VERDICTS) == set(get_args(Verdict))


def test_the_room_is_a_leaf():
    heavy = ("numpy", "pandas", "cv2", "PIL", "onnxruntime", "scipy")
    code = f"import sys, tumorscope.findings; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_failed_are_those_that_could_not_be_read():
    assert Findings([TUMOR, BROKEN]).failed == [BROKEN]
