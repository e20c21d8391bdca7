"""What one choice of a grid does, over all runs that differ in nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tumorscope.studies.answers import Answers
from tumorscope.studies.compare import mean_difference
from tumorscope.studies.figures import rounded, rounded_interval
from tumorscope.studies.measured import Measured
from tumorscope.studies.plan import Experiment
from tumorscope.studies.study import Contrast


def contrast(measured: Measured, table: Contrast) -> dict[str, Any]:
    """Return, under every protocol, what each option of a grid's key does against the first one."""
    experiments = measured.plan.experiments
    options = list(dict.fromkeys(one.choices[table.of] for one in experiments if table.of in one.choices))
    rows = [
        row
        for protocol in measured.plan.study.protocols
        for option in options[1:]
        for row in _row(measured, (table.of, options[0], option), protocol)
    ]
    return {
        "of": table.of,
        "title": table.title or f"What {table.of} does",
        "against": options[0],
        "claims": table.claims,
        "rows": rows,
    }


def _row(measured: Measured, choice: tuple[str, str, str], protocol: str) -> Iterator[dict[str, Any]]:
    """Yield the row of one option, where two runs that differ in it alone have answered."""
    key, base, option = choice
    asked = [one for one in measured.plan.experiments if protocol in one.protocols]
    compared = [one for one in asked if one.choices.get(key) in (base, option)]
    pairs = list(_pairs(compared, key, base, option, measured.answers[protocol]))
    found = mean_difference(measured.plan.study.metric, pairs) if pairs else None
    if found is None:
        return
    yield {
        "protocol": protocol,
        "option": option,
        "pairs": len(pairs),
        "value": rounded(found.value),
        "n": found.n,
        "interval": rounded_interval(found.interval),
        "real": found.interval is not None and not found.interval[0] <= 0 <= found.interval[1],
        "whole": all(measured.is_whole(one, protocol) for one in compared),
    }


def _pairs(
    compared: list[Experiment], key: str, base: str, option: str, answers: Mapping[str, Answers]
) -> Iterator[tuple[Answers, Answers]]:
    by_choices = {(one.group, *sorted(one.choices.items())): one.name for one in compared if one.name in answers}
    for one in compared:
        if one.choices[key] == option and one.name in answers:
            twin = by_choices.get((one.group, *sorted({**one.choices, key: base}.items())))
            if twin is not None:
                yield answers[one.name], answers[twin]
