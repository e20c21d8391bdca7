"""The published schemas are those of what is written, and what is written keeps to them."""

import importlib.util
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

import tumorscope
from tumorscope.audits.document import AuditDocument
from tumorscope.evaluation.document import MetricsDocument

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("make_schemas", ROOT / "tools/make_schemas.py")
make_schemas = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_schemas)


@pytest.mark.parametrize("name", make_schemas.DOCUMENTS)
def test_a_published_schema_is_that_of_its_model(name):
    published = (make_schemas.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert published == make_schemas.schema_text(make_schemas.DOCUMENTS[name]), "run python tools/make_schemas.py"


def test_an_audit_is_written_as_it_is(tmp_path):
    audit = tumorscope.audit("phantom:24", against="phantom:12")
    audit.report(tmp_path)
    written = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(audit.summary))
    assert list(written) == list(AuditDocument.model_fields)
    with pytest.raises(ValidationError, match="novel"):
        AuditDocument.checked({**audit.summary, "novel": 1})


def test_an_evaluation_is_written_as_it_is(tmp_path):
    from tumorscope.evaluation.metrics_json import metrics_json

    evaluation = tumorscope.evaluate(tumorscope.load(), "phantom:24", split="all")
    evaluation.report(tmp_path)
    written = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(metrics_json(evaluation)))
    assert list(written) == list(MetricsDocument.model_fields)


def test_every_published_schema_has_a_model():
    assert {path.stem for path in make_schemas.FOLDER.iterdir()} == set(make_schemas.DOCUMENTS)


def test_findings_hold_to_their_schema(quadrant_model, draw):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "docs/schemas/finding.json").read_text())
    broken = draw("broken.png", 0)
    broken.write_bytes(b"no picture")
    for finding in tumorscope.load(quadrant_model).predict([draw("scan.png", 3), broken]):
        jsonschema.validate(finding.model_dump(mode="json"), schema)
