"""What is told of an audit: how far it is, and once it is done, what ``audit.json`` holds and some of its twins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tumorscope.serve.audits.order import FACTS, TWINS
from tumorscope.serve.audits.twins import TwinQuery, TwinStore

DOWNLOADS = {
    "catalog.csv": "text/csv; charset=utf-8",
    "pairs.csv": "text/csv; charset=utf-8",
    "audit.json": "application/json",
    "audit.html": "text/html; charset=utf-8",
}
"""The files of an audit that are served, and their types."""
PAGE = 12
MOST = 100
"""Pairs of one answer."""


def audit_document(results: Path, link: str) -> dict[str, Any]:
    """Return what is known of a finished audit.

    Args:
        results: its folder.
        link: the address of the audit.
    """
    facts = json.loads((results / FACTS).read_text(encoding="utf-8"))
    return {
        "audit": json.loads((results / "audit.json").read_text(encoding="utf-8")),
        **facts,
        "choices": TwinStore(results / TWINS).choices(),
        "twins": twins_document(results, link, TwinQuery(), 0, PAGE),
        "downloads": {name: f"{link}/{name}" for name in DOWNLOADS},
    }


def twins_document(results: Path, link: str, query: TwinQuery, offset: int, limit: int) -> dict[str, Any]:
    """Return some pairs of twins, each side with the address of its picture."""
    count, pairs = TwinStore(results / TWINS).find(query, offset, limit)
    for pair in pairs:
        for side in (pair["a"], pair["b"]):
            side["picture"] = f"{link}/pictures/{side.pop('id')}"
    return {"count": count, "offset": offset, "pairs": pairs}
