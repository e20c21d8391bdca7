"""Gather what studies found in docs/results.json, and write docs/results.md and the README's table from it.

usage: python tools/study_results.py [STUDY_FOLDER...]

A folder is the ``--out`` of ``tumorscope study run``; its study takes the place of what docs/results.json held of it.
Without folders the pages are written again from what docs/results.json holds.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tumorscope.files.atomic import write_json, write_text
from tumorscope.files.names import STUDY_RESULTS
from tumorscope.pages.figures import bounds_text, figure_text, is_share, point_bounds_text, points_text
from tumorscope.studies.rows import FLOORS

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE, README = ROOT / "docs/results.json", ROOT / "docs/results.md", ROOT / "README.md"
BEGIN, END = "<!-- results:studies:begin -->", "<!-- results:studies:end -->"
KEPT = (
    "run", "theirs", "metric", "value", "low", "high", "n", "seed_sd", "seeds", "folds", "done", "trainings", "best",
    "leaky", "split", "part", "slices", "epochs", "side", "backbone", "weights", "parameters", "minutes",
    "copy_baseline", "source_probe", "classes", "cut", "note",
)  # fmt: skip
ROWS = "| run | figure | 95% interval | n | epochs | side | weights | minutes | copying | file properties |"
INTRODUCTION = """\
Made from [results.json](results.json) by `tools/study_results.py`; no number in a table is typed by hand. Every
training ran on two cores without a GPU, shared with other work and at times paused for it: minutes are upper bounds,
of all trainings of a row together, in the first table of the best of our runs under both protocols. How figures,
intervals and differences are made stands in [studies](studies.md). *Copying* takes the label of the most similar
training picture; *file properties* is the source probe (see [evaluation](evaluation.md)), which measures nothing (–)
where nearly all slices of a class are of one group. `n` counts different pictures, over all folds and seeds; ± is the
standard deviation between seeds.

A run is called the best only where every interval of its paired differences leaves out 0: other patients would hardly
change that, another seed might, and no interval is corrected for the number of runs."""
CONCLUDED = (
    "Each choice against the first option, in percentage points (of an AUC, in its own units). What the authors do not "
    "say is taken from the leaky protocol. A choice is called better or worse only where the interval of the "
    "difference leaves out 0."
)
COLUMNS = (
    "study", "published", "their recipe, run by us", "the best of our runs", "the same without leaks",
    "there, copying", "there, file properties", "weights", "minutes",
)  # fmt: skip
SUMMARY = f"| {' | '.join(COLUMNS)} |"


def main() -> None:
    """Take in the folders given, then write both pages."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {"studies": {}}
    for folder in sys.argv[1:]:
        found = json.loads(Path(folder, STUDY_RESULTS).read_text(encoding="utf-8"))
        results["studies"][found["name"]] = gathered(found)
    results["studies"] = dict(sorted(results["studies"].items()))
    write_json(RESULTS, results)
    studies = list(results["studies"].values())
    write_text(PAGE, page(studies))
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"README.md lacks the markers {BEGIN} and {END}")
    write_text(README, f"{before}{BEGIN}\n{summary(studies, 'docs/results.md')}\n{END}{after}")


def gathered(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a ``study.json``: rows, differences and tables, without curves and folders."""
    protocols = {
        name: {
            **{key: protocol[key] for key in ("split", "part", "slices", "what", "leaky", "best", "differences")},
            "rows": [{key: row[key] for key in KEPT} for row in protocol["rows"]],
        }
        for name, protocol in found["protocols"].items()
    }
    keys = ("name", "title", "description", "data", "metric", "published", "cut", "tables", "conclusions", "settings",
            "version")  # fmt: skip
    return {**{key: found[key] for key in keys}, "protocols": protocols}


def summary(studies: Sequence[Mapping[str, Any]], page: str) -> str:
    """Return one line a study, linked to its part of `page`: the published figure, and ours with and without leaks.

    Only studies whose published protocol has a row with all its trainings.
    """
    studies = [study for study in studies if study["published"] and _first(_theirs(study))]
    if not studies:
        return "No study is complete yet."
    return "\n".join([SUMMARY, _rule(SUMMARY), *(_summary_line(study, page) for study in studies)])


def page(studies: Sequence[Mapping[str, Any]]) -> str:
    """Return docs/results.md."""
    parts = [
        "# What the published systems' recipes give, with leaks and without",
        INTRODUCTION,
        summary(studies, ""),
    ]
    for study in studies:
        parts += _study_parts(study)
    return "\n\n".join(parts) + "\n"


def _summary_line(study: Mapping[str, Any], page: str) -> str:
    published = study["published"]
    ours, theirs = _first(_theirs(study)), _first(_theirs(study), theirs=True)
    honest = next((p for p in study["protocols"].values() if not p["leaky"]), None)
    same = next((row for row in honest["rows"] if row["run"] == (ours or {}).get("run")), None) if honest else None
    figure = f"{100 * published['value']:.4g}% ({published['what']})"
    rows = _theirs(study)["rows"]
    done = sum(row["done"] == row["trainings"] for row in rows)
    best = "the same" if theirs is ours else _short(ours)
    best += f", best of {done}" if len(rows) > 1 else ""
    best += f" ({len(rows) - done} not done)" if done < len(rows) else ""
    link = f"[{study['name']}]({page}#{study['name']})"
    of_both = [row for row in (ours, same) if row is not None]
    cells = (
        link, figure, _short(theirs), best, _short(same), *_floors(same),
        ours["weights"] if ours else "", f"{sum(row['minutes'] or 0 for row in of_both):.0f}",
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _study_parts(study: Mapping[str, Any]) -> Iterator[str]:
    published = study["published"]
    yield f"## {study['name']}"
    yield f"{study['title']}. {study['description']}"
    if published:
        yield f"Published: **{100 * published['value']:.4g}%** ({published['what']}; {published['source']})."
    given = study.get("settings", {}).items()
    settings = "".join(f" --set {shlex.quote(f'{key}={json.dumps(value)}')}" for key, value in given)
    yield f"`tumorscope study run {study['name']} --data-root DIR --out DIR{settings}`"
    if study["cut"]:
        yield "Cut to fit a budget: " + "; ".join(map(str, study["cut"])) + "."
    for name, protocol in study["protocols"].items():
        yield f"### {name}{' (leaky)' if protocol['leaky'] else ''}"
        if protocol["what"]:
            yield f"{protocol['what'][0].upper()}{protocol['what'][1:]}."
        yield "\n".join([ROWS, _rule(ROWS), *map(_row_line, protocol["rows"])])
        yield from _class_table(protocol["rows"])
        notes = [f"- {row['run']}: {row['note']}" for row in protocol["rows"] if row["note"]]
        if notes and name == next(iter(study["protocols"])):
            yield "\n".join(notes)
        if protocol["best"]:
            yield f"{protocol['best']} is better than every other row."
    for table in study["tables"]:
        yield f"### {table['title']}"
        head = f"| protocol | {table['of']} | difference to {table['against']} | 95% interval | real |"
        share = is_share(study["metric"])
        yield "\n".join([head, _rule(head), *(_contrast_line(row, share=share) for row in table["rows"])])
    if study.get("conclusions"):
        yield "### Which conclusions stand without leaks"
        yield CONCLUDED
        leaky = study["conclusions"][0]["published"]["protocol"]
        head = f"| choice | authors say | {leaky} (leaky) | without leaks | protocol | the conclusion |"
        share = is_share(study["metric"])
        yield "\n".join([head, _rule(head), *(_conclusion_line(row, share=share) for row in study["conclusions"])])


def _conclusion_line(row: Mapping[str, Any], *, share: bool) -> str:
    cells = (f"{row['title']}: {row['option']} against {row['against']}", row["authors"] or "",
             _says(row["published"], share=share), _says(row["honest"], share=share), row["honest"]["protocol"],
             f"**{row['verdict']}**")  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _says(found: Mapping[str, Any], *, share: bool) -> str:
    value, bounds = points_text(found["value"], share=share), point_bounds_text(found["interval"], share=share)
    return f"{found['says']}: {value} ({bounds}), n {found['n']:,}"


def _row_line(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return f"| {row['run']} | not done | | | {row['epochs']} | {row['side']} | {row['weights']} | | | |"
    done = "" if row["done"] == row["trainings"] else f" ({row['done']} of {row['trainings']} trainings)"
    share = is_share(row["metric"])
    seeds = "" if row["seed_sd"] is None else f" ± {row['seed_sd'] * (100 if share else 1):.{1 if share else 3}f}"
    values = (
        f"{row['run']}{done}", f"**{figure_text(row['value'], share=share)}**{seeds}", _bounds(row), f"{row['n']:,}",
        row["epochs"], row["side"], row["weights"], f"{row['minutes']:.1f}", *_floors(row),
    )  # fmt: skip
    return "| " + " | ".join(map(str, values)) + " |"


def _class_table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the recall and precision of every class, where there are more than tumor and none."""
    rows = [row for row in rows if len(row.get("classes", {})) > 2]
    if not rows:
        return
    names = sorted({name for row in rows for name in row["classes"]})
    sizes = {name: max(_n_of(row, name) for row in rows) for name in names}
    head = "| run | " + " | ".join(f"{name} (n {sizes[name]:,})" for name in names) + " |"
    lines = [f"| {row['run']} | " + " | ".join(_of_class(row, name) for name in names) + " |" for row in rows]
    yield "Of each class: how much is found (recall, 95% interval); how much of what is called so is right (precision)."
    yield "\n".join([head, _rule(head), *lines])


def _n_of(row: Mapping[str, Any], name: str) -> int:
    return int(row["classes"][name]["recall"]["n"]) if name in row["classes"] else 0


def _of_class(row: Mapping[str, Any], name: str) -> str:
    if name not in row["classes"]:
        return "none there; never called"
    recall, precision = (row["classes"][name][what] for what in ("recall", "precision"))
    found = (
        "none there"
        if recall["value"] is None
        else f"**{figure_text(recall['value'], share=True)}** ({_bounds(recall)})"
    )
    return f"{found}; " + (
        "never called" if precision["value"] is None else figure_text(precision["value"], share=True)
    )


def _contrast_line(row: Mapping[str, Any], *, share: bool) -> str:
    real = ("yes" if row["real"] else "no") + ("" if row["whole"] else " (not all trainings are done)")
    value, bounds = points_text(row["value"], share=share), point_bounds_text(row["interval"], share=share)
    return f"| {row['protocol']} | {row['option']} | {value} | {bounds} | {real} |"


def _theirs(study: Mapping[str, Any]) -> dict[str, Any]:
    protocol: dict[str, Any] = study["protocols"][study["published"]["protocol"]]
    return protocol


def _first(protocol: Mapping[str, Any], *, theirs: bool = False) -> dict[str, Any] | None:
    rows = [row for row in protocol["rows"] if row["value"] is not None and row["done"] == row["trainings"]]
    rows = [row for row in rows if row["theirs"] or not theirs]
    return max(rows, key=lambda row: float(row["value"]), default=None)


def _short(row: Mapping[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return "not measured"
    done = "" if row["done"] == row["trainings"] else f", {row['done']} of {row['trainings']} trainings"
    figure = figure_text(row["value"], share=is_share(row["metric"]))
    return f"{row['run']}: **{figure}** ({_bounds(row)}, n {row['n']:,}{done})"


def _bounds(row: Mapping[str, Any]) -> str:
    interval = None if row["low"] is None else (row["low"], row["high"])
    return bounds_text(interval, share=is_share(row.get("metric", "")))


def _floors(row: Mapping[str, Any] | None) -> list[str]:
    return [figure_text(None if row is None else row[floor], share=True) for floor in FLOORS]


def _rule(head: str) -> str:
    return "|" + "---|" * (head.count("|") - 1)


if __name__ == "__main__":
    main()
