"""The library of others is what was fetched, with its licence."""

import hashlib
import json
from pathlib import Path

import tumorscope.serve

VENDOR = Path(tumorscope.serve.__file__).parent / "page" / "vendor"


def test_each_file_is_the_one_that_was_fetched_and_has_a_licence():
    record = json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))
    listed = {name: digest for library in record.values() for name, digest in library["files"].items()}
    assert {path.name for path in VENDOR.iterdir()} == {*listed, "vendor.json"}
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    assert {library["licence"] for library in record.values()} == {"MIT", "Apache-2.0"}
    assert "MIT License" in (VENDOR / "preact.LICENSE.txt").read_text(encoding="utf-8")
