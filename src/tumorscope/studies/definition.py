"""What a study's folder was started with, and whether it is still asked for the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.catalog.phantom import is_phantom, parse_phantom
from tumorscope.errors import StudyError
from tumorscope.studies.ledger import DONE, Ledger, has_ledger
from tumorscope.studies.load import parse_study
from tumorscope.studies.plan import Plan, slug
from tumorscope.studies.study import Study
from tumorscope.training import Recipe
from tumorscope.training.recipe import parse_recipe

if TYPE_CHECKING:
    from tumorscope.catalog import Catalog

DEFINITION, DATA = "definition", "data"
"""Names of facts in the ledger."""
WORDS = ("title", "description", "published", "tables")
"""Of a study only its page and its tables are made from these: they may change while it goes on."""
SHOWN = 3
SLICE = ["dataset", "path", "slice", "channel", "label", "sha256"]
"""What tells whether two catalogs are of the same slices."""


def define(study: Study, plan: Plan, searched: Recipe | None, cpu_hours: float | None) -> dict[str, Any]:
    """Return all that decides what a study's trainings compute, as plain data.

    Args:
        study: as its file says.
        plan: with the resolved recipes, before any cut.
        searched: the recipe of its search.
        cpu_hours: the budget.
    """
    recipes = {experiment.name: experiment.recipe.model_dump(mode="json") for experiment in plan.experiments}
    return {
        "study": _without_words(study),
        "recipes": recipes,
        "searched": None if searched is None else searched.model_dump(mode="json"),
        "cpu_hours": cpu_hours,
    }


def check_empty(out: Path) -> None:
    """Make sure that a folder without a record of a study is empty.

    Raises:
        StudyError: what is in it would pass for trainings of this study, or be cleared away with its cache.
    """
    others = [] if has_ledger(out) else sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    if others:
        raise StudyError(
            f"holds {others[0]}{', ...' if len(others) > 1 else ''} and no record of a study",
            file=out,
            remedy="give an empty or a new --out",
        )


def check_same(ledger: Ledger, asked: dict[str, Any], out: Path) -> list[str]:
    """Make sure that a folder holds the study that is asked for, a smaller one that grew into it, or none yet.

    A study grows by runs and by protocols: what was trained stays true beside them. The recipe of a run of which no
    training is done may be mended. Under a budget neither is so, as each run's share depends on the others.

    Returns:
        The folders, under that of the runs, that what was mended has left.

    Raises:
        StudyError: it holds another; the message says what differs.
    """
    noted = ledger.noted(DEFINITION)
    if noted is None:
        return []
    old, new, mended = _compared(_renewed(json.loads(noted), out)), _compared(json.loads(json.dumps(asked))), []
    if old["cpu_hours"] is None:
        new = _without_growth(old, new)
        mended = _mended(old["recipes"], new["recipes"], ledger)
        new["recipes"].update({name: old["recipes"][name] for name in mended})
    differs = list(_differences(old, new))
    if differs:
        more = f" and {len(differs) - SHOWN} more" if len(differs) > SHOWN else ""
        raise StudyError(
            f"holds another study: {'; '.join(differs[:SHOWN])}{more}",
            file=out,
            remedy="give a new --out, or undo the change",
        )
    return [slug(name) for name in mended]


def is_begun(ledger: Ledger) -> bool:
    """Whether something was trained in a study's folder, or is about to be."""
    return ledger.noted(DEFINITION) is not None


def note_definition(ledger: Ledger, asked: dict[str, Any]) -> None:
    """Note what a folder's study computes, once it is about to train."""
    ledger.note(DEFINITION, json.dumps(asked))


def check_data(ledger: Ledger, channels: str, catalog: Catalog, out: Path) -> None:
    """Note which slices a folder's trainings will be of; once some were trained, make sure that they are the same.

    Args:
        ledger: of the study's runs.
        channels: of the recipes that the catalog was made for.
        catalog: of the study's data.
        out: the study's folder.

    Raises:
        StudyError: they are not; figures of two sets would stand in one table.
    """
    rows = sorted(catalog.table[SLICE].to_csv(index=False, header=False).splitlines())
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    noted = ledger.noted(f"{DATA} {channels}")
    if noted is None or not is_begun(ledger):
        ledger.note(f"{DATA} {channels}", digest)
    elif noted != digest:
        raise StudyError(
            "was begun on other data", file=out, remedy="give the same --data-root and files, or a new --out"
        )


def resolve_data(data: tuple[str, ...], root: str | Path | None) -> tuple[str, ...]:
    """Return where the data of a study lies: words for a phantom and paths as they are, names under `root`.

    Raises:
        StudyError: a set is not there.
        CatalogError: the words for a phantom are not understood.
    """
    return tuple(_resolved(name, root) for name in data)


def _resolved(name: str, root: str | Path | None) -> str:
    if is_phantom(name):
        parse_phantom(name)  # it is drawn when first read, which is late to hear of a slip
        return name
    for path in ([Path(root) / name] if root is not None else []) + [Path(name)]:
        if path.exists():
            return str(path.resolve())  # a study may go on from another working directory
    if root is None:
        raise StudyError(f"the data set '{name}' is not here", remedy="say where it lies with --data-root DIR")
    raise StudyError(f"has no data set '{name}'", file=root, remedy="get it with tumorscope fetch, or mend --data-root")


def _renewed(noted: dict[str, Any], out: Path) -> dict[str, Any]:
    """Give a definition that an older version wrote the keys that came since, at their defaults."""
    recipes = {name: parse_recipe(values, out).model_dump(mode="json") for name, values in noted["recipes"].items()}
    searched = noted["searched"]
    return {
        **noted,
        "study": _without_words(parse_study(noted["study"], out)),
        "recipes": recipes,
        "searched": None if searched is None else parse_recipe(searched, out).model_dump(mode="json"),
    }


def _compared(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition with its runs by name; what they train is told by the resolved recipes."""
    study = {key: value for key, value in definition["study"].items() if key != "runs"}
    runs = {
        run["name"]: dict.fromkeys(run["protocols"] or study["protocols"], "taken part in")
        for run in definition["study"]["runs"]
    }
    return {**definition, "study": study, "runs": runs}


def _without_growth(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return of a compared definition what another has too: runs, protocols, and who takes part in which."""
    runs = {name: _shared(old["runs"][name], one) for name, one in _shared(old["runs"], new["runs"]).items()}
    protocols = _shared(old["study"]["protocols"], new["study"]["protocols"])
    recipes = _shared(old["recipes"], new["recipes"])
    return {**new, "runs": runs, "recipes": recipes, "study": {**new["study"], "protocols": protocols}}


def _mended(old: Mapping[str, Any], new: Mapping[str, Any], ledger: Ledger) -> list[str]:
    """Return the runs whose recipe was changed before any training of theirs was done."""
    done = {label.partition("/")[0] for label, entry in ledger.entries().items() if entry.state == DONE}
    return [name for name, recipe in new.items() if recipe != old[name] and slug(name) not in done]


def _shared(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in new.items() if name in old}


def _without_words(study: Study) -> dict[str, Any]:
    values = study.model_dump(mode="json", exclude=set(WORDS))
    values["protocols"] = {
        name: {k: v for k, v in one.items() if k != "what"} for name, one in values["protocols"].items()
    }
    values["runs"] = [{k: v for k, v in run.items() if k != "note"} for run in values["runs"]]
    return values


def _differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            place = f"{where}.{key}".lstrip(".")
            if key not in new:
                yield f"{place} is no longer there"
            elif key not in old:
                yield f"{place} is new"
            else:
                yield from _differences(old[key], new[key], place)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from _differences(*pair, f"{where}.{number}")
    elif old != new:
        yield f"{where} was {_short(old)}, now {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
