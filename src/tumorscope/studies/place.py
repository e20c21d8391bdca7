"""Where a study works and with what: its folder, its data (read when first needed, and once), its jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tumorscope.errors import StudyError
from tumorscope.files.atomic import write_text
from tumorscope.studies.plan import Unit
from tumorscope.studies.work import Training, threads_each
from tumorscope.training import Recipe

if TYPE_CHECKING:
    from tumorscope.catalog import Catalog
    from tumorscope.progress import Progress

CACHE, LOGS, RECIPES, AUDIT = "cache", "logs", "recipes", "audit"
AGAIN = "remove the folder that it lies in, then run the study again"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where a study works and with what.

    Attributes:
        out: the study's folder.
        data: paths, or words for a phantom.
        jobs: trainings side by side.
        say: told a line.
        progress: told how far it is.
        check: told of each catalog once, with the `channels` that it is for; raises where it is not the study's.
    """

    out: Path
    data: tuple[str, ...]
    jobs: int
    say: Say = lambda _: None
    progress: Progress | None = None
    check: Callable[[str, Catalog], None] = lambda *_: None
    _catalogs: dict[str, Catalog] = field(default_factory=dict)

    def catalog(self, channels: Any) -> Catalog:
        """Return the data's catalog with groups, for a recipe's `channels`.

        Raises:
            CatalogError: the data cannot be read.
            StudyError: it is not what the study was begun on.
        """
        from tumorscope.catalog import add_groups, build_catalog

        if channels not in self._catalogs:
            catalog = build_catalog(list(self.data), channels=channels, progress=self.progress)
            self._keep(channels, add_groups(catalog, progress=self.progress))
        return self._catalogs[channels]

    def audit(self) -> dict[str, Any]:
        """Return ``audit.json`` of the data; it is made once a study.

        Raises:
            StudyError: it is damaged.
        """
        from tumorscope.audits.audit import run_audit
        from tumorscope.pages.audit import write_audit

        file = self.out / AUDIT / "audit.json"
        if not file.is_file():
            found = run_audit(list(self.data), progress=self.progress)
            self._keep("one", found.catalog)
            write_audit(found, self.out / AUDIT)
        return read_json(file)

    def training(
        self,
        label: str,
        recipe: Recipe,
        unit: Unit,
        folder: Path,
        *,
        parts: tuple[str, ...] = (),
        overrides: Mapping[str, Any] | None = None,
        jobs: int | None = None,
    ) -> Training:
        """Return what a process is told of one training.

        Args:
            label: its name in the ledger.
            recipe: as resolved; it is written to the study's folder.
            unit: split, fold and seed.
            folder: the run folder.
            parts: which parts are measured beside the test part.
            overrides: recipe keys over the recipe.
            jobs: how many work at once; the study's own number if not given.
        """
        return Training(
            label=label,
            data=self.data,
            recipe=write_recipe(recipe, self.out / RECIPES / f"{unit.run}.yaml"),
            overrides={**(overrides or {}), "seed": unit.seed},
            split=unit.split,
            fold=unit.fold or None,
            folder=folder,
            parts=parts,
            threads=threads_each(self.jobs if jobs is None else jobs),
            log=self.out / LOGS / f"{label.replace('/', '_')}.log",
            cache=self.out / CACHE,
            catalog=self.catalog(recipe.channels),
        )

    def _keep(self, channels: str, catalog: Catalog) -> None:
        self.check(channels, catalog)
        self._catalogs[channels] = catalog


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object that a study wrote.

    Raises:
        StudyError: it is gone or damaged.
    """
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError("cannot be read", file=file, remedy=AGAIN) from error
    if not isinstance(values, dict):
        raise StudyError("does not hold what it should", file=file, remedy=AGAIN)
    return values


def write_recipe(recipe: Recipe, file: Path) -> Path:
    """Write a resolved recipe as a file that a training can be started from."""
    write_text(file, yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True))
    return file
