"""Findings as data: JSON, table, notebook."""

import json

from tumorscope.findings import Finding, Findings, ModelName
from tumorscope.inference.text import finding_line

MODEL = ModelName(name="m", version="1", sha256="ab")
TUMOR = Finding(
    file="a/<b>.png",
    label="glioma",
    probabilities={"glioma": 0.75, "notumor": 0.25},
    tumor_probability=0.75,
    prediction_set=["glioma", "notumor"],
    model=MODEL,
)
BROKEN = Finding(file="c.png", status="error", message="is empty; download it again", model=MODEL)
KEYS = [
    "file", "slice", "kind", "status", "label", "probabilities", "tumor_probability", "prediction_set", "flags",
    "outline", "heatmap", "message", "model",
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
    frame = Findings([TUMOR, BROKEN]).to_frame()
    assert frame.loc[0, "p_glioma"] == 0.75
    assert frame.loc[0, "prediction_set"] == "glioma notumor"
    assert frame["p_notumor"].isna().tolist() == [False, True]


def test_a_notebook_shows_names_as_text():
    html = Findings([TUMOR, BROKEN])._repr_html_()
    assert "a/&lt;b&gt;.png" in html
    assert "75.0%" in html
    assert "is empty" in html


def test_lines_tell_what_to_be_careful_of():
    assert finding_line(TUMOR) == "a/<b>.png: glioma, tumor 75.0%  (not ruled out: notumor)"
    assert finding_line(BROKEN) == "c.png: error: is empty; download it again"
    refused = TUMOR.model_copy(update={"status": "refused", "message": "strange", "prediction_set": ["glioma"]})
    assert finding_line(refused).endswith("(REFUSED: strange)")
    free = TUMOR.model_copy(update={"label": "notumor", "flags": ["kind_unsure"]})
    assert finding_line(free, 0.872) == (
        "a/<b>.png: notumor, tumor 75.0%  (likelier than none, but under the limit of 87.2%; not ruled out: glioma)"
    )


def test_a_terminal_obeys_no_file_name():
    said = finding_line(TUMOR.model_copy(update={"file": "a\nb\x1b[31m\udcff é.png"}))
    assert said.startswith("a\\nb\\x1b[31m\\udcff é.png: glioma")


def test_failed_are_those_that_could_not_be_read():
    assert Findings([TUMOR, BROKEN]).failed == [BROKEN]
