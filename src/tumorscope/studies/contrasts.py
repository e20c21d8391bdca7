"""What one choice of a grid does, over all runs that differ in nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tumorscope.studies.compare import Answers, mean_difference
from tumorscope.studies.plan import Experiment, Plan
from tumorscope.studies.study import Contrast

IsDone = Callable[[Experiment, str], bool]
DIGITS = 6


def contrast(
    plan: Plan, table: Contrast, answers: Mapping[str, Mapping[str, Answers]], is_done: IsDone
) -> dict[str, Any]:
    """Return, under every protocol, what each option of a grid's key does against the first one.

    Args:
        plan: of the study.
        table: what is asked.
        answers: of each run under each protocol, those that are there.
        is_done: whether all trainings of a run under a protocol are done.
    """
    options = list(dict.fromkeys(one.choices[table.of] for one in plan.experiments if table.of in one.choices))
    rows = [
        row
        for protocol in plan.study.protocols
        for option in options[1:]
        for row in _row(plan, (table.of, options[0], option), protocol, answers[protocol], is_done)
    ]
    return {
        "of": table.of,
        "title": table.title or f"What {table.of} does",
        "against": options[0],
        "claims": table.claims,
        "rows": rows,
    }


def _row(
    plan: Plan, choice: tuple[str, str, str], protocol: str, answers: Mapping[str, Answers], is_done: IsDone
) -> Iterator[dict[str, Any]]:
    """Yield the row of one option, where two runs that differ in it alone have answered."""
    key, base, option = choice
    compared = [one for one in plan.experiments if one.choices.get(key) in (base, option) and protocol in one.protocols]
    pairs = list(_pairs(compared, key, base, option, answers))
    found = mean_difference(plan.study.metric, pairs) if pairs else None
    if found is None:
        return
    interval = None if found.interval is None else [round(bound, DIGITS) for bound in found.interval]
    yield {
        "protocol": protocol,
        "option": option,
        "pairs": len(pairs),
        "value": round(found.value, DIGITS),
        "n": found.n,
        "interval": interval,
        "real": found.interval is not None and not found.interval[0] <= 0 <= found.interval[1],
        "whole": all(is_done(one, protocol) for one in compared),
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
