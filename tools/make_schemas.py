"""Write the JSON Schemas of what other programs read into ``docs/schemas``, one file a row of `MODELS`.

python tools/make_schemas.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tumorscope.files.atomic import write_text
from tumorscope.findings import Finding

FOLDER = Path(__file__).parents[1] / "docs/schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
MODELS: dict[str, Any] = {"finding": Finding}
"""By the name of its file what is described: a pydantic model, or a union of some."""


def schema_text(model: Any) -> str:
    """Return the JSON Schema of a model as it is written."""
    schema = {"$schema": DRAFT, **TypeAdapter(model).json_schema(mode="serialization")}
    return json.dumps(schema, indent=2) + "\n"


def main() -> None:
    """Write every schema."""
    for name, model in MODELS.items():
        write_text(FOLDER / f"{name}.json", schema_text(model))


if __name__ == "__main__":
    main()
