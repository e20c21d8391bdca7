"""Write the JSON Schemas of what other programs read to ``docs/schemas/``: ``python tools/make_schemas.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tumorscope.audits.document import AuditDocument
from tumorscope.evaluation.document import MetricsDocument
from tumorscope.findings import Finding
from tumorscope.model_file import Card
from tumorscope.studies.document import StudyDocument

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: dict[str, Any] = {
    "audit": AuditDocument,
    "card": Card,
    "finding": Finding,
    "metrics": MetricsDocument,
    "study": StudyDocument,
}
"""By the name of its file what is described: a pydantic model, or a union of some."""


def schema_text(model: Any) -> str:
    """Return the JSON Schema of what a model writes, as the text of its file."""
    schema = TypeAdapter(model).json_schema(mode="serialization")
    return json.dumps({"$schema": DIALECT, **schema}, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, model in DOCUMENTS.items():
        (FOLDER / f"{name}.json").write_text(schema_text(model), encoding="utf-8")


if __name__ == "__main__":
    main()
