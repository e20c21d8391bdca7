"""The published JSON Schemas are those of the models, and what we write holds to them."""

import runpy
from pathlib import Path

import pytest

import tumorscope

ROOT = Path(__file__).parents[1]
TOOL = runpy.run_path(str(ROOT / "tools/make_schemas.py"))


@pytest.mark.parametrize("name", TOOL["MODELS"])
def test_a_published_schema_is_that_of_its_model(name):
    written = (TOOL["FOLDER"] / f"{name}.json").read_text()
    assert written == TOOL["schema_text"](TOOL["MODELS"][name]), "run tools/make_schemas.py"


def test_every_published_schema_has_a_model():
    assert {path.stem for path in TOOL["FOLDER"].iterdir()} == set(TOOL["MODELS"])


def test_findings_hold_to_their_schema(quadrant_model, draw):
    jsonschema = pytest.importorskip("jsonschema")
    import json

    schema = json.loads((ROOT / "docs/schemas/finding.json").read_text())
    broken = draw("broken.png", 0)
    broken.write_bytes(b"no picture")
    for finding in tumorscope.load(quadrant_model).predict([draw("scan.png", 3), broken]):
        jsonschema.validate(finding.model_dump(mode="json"), schema)
