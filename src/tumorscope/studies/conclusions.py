"""Which conclusions about a choice of a grid stand once nothing leaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

BETTER, WORSE, UNTOLD = "better", "worse", "not told apart"


def conclude(
    tables: Sequence[Mapping[str, Any]],
    protocols: Mapping[str, Mapping[str, Any]],
    theirs: str,
) -> list[dict[str, Any]]:
    """Set what a choice does as published beside what it does without leaks.

    Args:
        tables: contrasts, as in ``study.json``.
        protocols: by name, as in ``study.json``.
        theirs: the protocol that the published figure belongs to.

    Returns:
        A row for every option of every table and every protocol without leaks, where all trainings that are compared
        are done; none where the published protocol does not leak, as there is nothing to compare. `claimed` is the
        authors' word, else that of the published protocol.
    """
    honest = [name for name, protocol in protocols.items() if not protocol["leaky"]]
    if not protocols[theirs]["leaky"]:
        return []
    return [row for table in tables for row in _of_table(table, theirs, honest)]


def _of_table(table: Mapping[str, Any], theirs: str, honest: Iterable[str]) -> Iterator[dict[str, Any]]:
    claims: Mapping[str, str] = table["claims"]
    found = {(row["protocol"], row["option"]): row for row in table["rows"]}
    for option in dict.fromkeys(row["option"] for row in table["rows"]):
        for name in honest:
            published, alone = found.get((theirs, option)), found.get((name, option))
            if published is None or alone is None or not (published["whole"] and alone["whole"]):
                continue
            claimed = claims.get(option, _word(published))
            yield {
                "of": table["of"],
                "title": table["title"],
                "option": option,
                "against": table["against"],
                "authors": claims.get(option),
                "claimed": claimed,
                "published": {"protocol": theirs, "says": _word(published), **_figures(published)},
                "honest": {"protocol": name, "says": _word(alone), **_figures(alone)},
                "verdict": _verdict(claimed, _word(alone)),
            }


def _word(row: Mapping[str, Any]) -> str:
    if not row["real"]:
        return UNTOLD
    return BETTER if row["value"] > 0 else WORSE


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("value", "interval", "n", "pairs")}


def _verdict(claimed: str, honest: str) -> str:
    if claimed == honest:
        return "no difference shown either way" if honest == UNTOLD else "stands"
    if honest == UNTOLD:
        return "not shown without leaks"
    return "seen only without leaks" if claimed == UNTOLD else "reversed"
