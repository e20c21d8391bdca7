"""The study: one readable YAML that names data, protocols and runs, and what they are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from tumorscope.catalog.benchmark import parse_benchmark
from tumorscope.catalog.parts import FOLDS, is_benchmark
from tumorscope.catalog.splits import HOWS, LEAKY
from tumorscope.errors import UsageError, did_you_mean

Metric = Literal["accuracy", "balanced_accuracy", "auc", "sensitivity", "specificity"]
Slices = Literal["full", "copies", "twin_free", "leak_free"]
Option = bool | int | float | str | None
Seed = Annotated[int, Field(ge=0, le=999_999)]
ALL_FOLDS = tuple(range(1, FOLDS + 1))
SEEN = ("val", "train")
"""Parts that training used."""


def option_name(value: Any) -> str:
    """Return what a value of a grid is called: in tables, in the names of runs, and where claims are made of it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Published(_Part):
    """What the authors report.

    Attributes:
        value: of `metric`, as a share.
        metric: as they name it.
        what: which figure it is, in a few words.
        source: where it stands.
        protocol: which of the study's protocols is theirs; null: the one named ``published``, else the first.
        runs: names of the runs that follow the authors' own recipes; the others are ours.
    """

    value: float = Field(ge=0, le=1)
    metric: str = "accuracy"
    what: str = ""
    source: str = ""
    protocol: str | None = None
    runs: tuple[str, ...] = ()


class Protocol(_Part):
    """How the data is split, and which slices count.

    Two protocols with the same split, folds and seeds look at the same trainings: only `part` and `slices` differ.

    Attributes:
        split: as for a training: 'grouped', 'official', 'folds', 'random' or 'benchmark:NAME'.
        part: which part is measured; 'val' is the part that chose the epoch, which flatters, and 'train' the part that
            was learnt, which shows what learning by heart looks like.
        slices: 'full' counts every slice; 'copies' those with a twin in training or validation, which shows what
            learning by heart is worth; 'twin_free' those without; 'leak_free' those whose group is in neither. Null:
            'full' for splits that leak, else 'leak_free'.
        folds: tested one after the other, for split 'folds'.
        seeds: of the split and of the training; each is a training of its own.
        what: in words, for the page.
    """

    split: str
    part: Literal["test", "val", "train"] = "test"
    slices: Slices | None = None
    folds: tuple[int, ...] = ()
    seeds: tuple[Seed, ...] = Field((0,), min_length=1)
    what: str = ""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        filled = dict(values)
        if filled.get("split") == "folds" and not filled.get("folds"):
            filled["folds"] = ALL_FOLDS
        if filled.get("slices") is None:
            is_full = filled.get("split") in LEAKY or filled.get("part") in SEEN
            filled["slices"] = "full" if is_full else "leak_free"
        return filled

    @model_validator(mode="after")
    def _check(self) -> Protocol:
        _check_split(self.split, HOWS)
        if bool(self.folds) != (self.split == "folds") or not set(self.folds) <= set(ALL_FOLDS):
            raise ValueError("folds 1 to 5 go with 'split: folds', and only with it")
        if self.slices == "copies" and self.split not in LEAKY:
            raise ValueError(f"'slices: copies' finds none under 'split: {self.split}'; ask for it where copies leak")
        if self.part in SEEN and self.slices != "full":
            raise ValueError(f"'part: {self.part}' has no other slices than 'full': training used all of it")
        if len(set(self.folds)) < len(self.folds) or len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a fold or a seed stands twice")
        return self

    @property
    def is_leaky(self) -> bool:
        """Whether what is measured may have been seen in training, be of a patient who was, or chose the epoch."""
        return self.part in SEEN or (self.split in LEAKY and self.slices != "leak_free")


class RunEntry(_Part):
    """One run, or with a `grid` several.

    Attributes:
        name: in the table.
        recipe: a shipped recipe's name, or a YAML file's path from the study's folder.
        set: recipe keys and their values, dotted.
        grid: what is varied. Of a list each value of that recipe key is tried; of a mapping each named option, which
            sets several keys. Every combination is a run.
        protocols: names of those it takes part in; null: all.
        note: shown beside its row.
    """

    name: str = Field(min_length=1)
    recipe: str = "quick"
    set: dict[str, Any] = {}
    grid: dict[str, list[Any] | dict[str, dict[str, Any]]] = {}
    protocols: tuple[str, ...] | None = Field(None, min_length=1)
    note: str = ""

    @field_validator("grid", mode="before")
    @classmethod
    def _check_grid(cls, values: Any) -> Any:
        for key, options in values.items() if isinstance(values, dict) else ():
            named = isinstance(options, dict) and all(isinstance(one, dict) for one in options.values())
            if not options or not (named or isinstance(options, list)):
                raise ValueError(f"'{key}' needs a list of values, or names with the keys that each of them sets")
        return values


class Range(_Part):
    """Numbers that a search draws from.

    Attributes:
        low: the smallest.
        high: the largest.
        log: whether to draw evenly on a logarithmic scale.
    """

    low: int | FiniteFloat
    high: int | FiniteFloat
    log: bool = False

    @model_validator(mode="after")
    def _check(self) -> Range:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("a range goes from low to a larger high, and above 0 where it is logarithmic")
        return self


class Search(_Part):
    """An Optuna search: settings tried on the validation part; the best become a run like the others.

    Attributes:
        name: of that run.
        recipe: as of a run.
        set: as of a run.
        space: recipe keys and what to draw: a list of choices, or ``{low, high, log}``.
        trials: how many settings.
        split: on whose validation part they are judged.
        by: what is judged, at the epoch that the training keeps.
        seed: of drawing, of the split and of each training.
    """

    name: str = Field("searched", min_length=1)
    recipe: str = "quick"
    set: dict[str, Any] = {}
    space: dict[str, Range | list[Option]] = Field(min_length=1)
    trials: int = Field(10, ge=1)
    split: str = "grouped"
    by: Literal["val_accuracy", "val_loss"] = "val_accuracy"
    seed: Seed = 0

    @field_validator("space", mode="before")
    @classmethod
    def _check_space(cls, values: Any) -> Any:
        for key, drawn in values.items() if isinstance(values, dict) else ():
            if not drawn or not isinstance(drawn, list | dict | Range):
                raise ValueError(f"'{key}' needs a list of choices, or a range: {{low: 1.0e-4, high: 1.0e-2}}")
        return values

    @model_validator(mode="after")
    def _check(self) -> Search:
        whole = [how for how in HOWS if how != "folds"]  # a search has one validation part
        _check_split(self.split, whole)
        return self


class Contrast(_Part):
    """A table of what one choice of a grid does, over all runs that differ in nothing else.

    Attributes:
        of: a key of some run's grid.
        title: over the table.
        claims: what the authors of a published system say that an option is, against the first one.
    """

    of: str
    title: str = ""
    claims: dict[str, Literal["better", "worse"]] = {}

    @field_validator("claims", mode="before")
    @classmethod
    def _name_options(cls, values: Any) -> Any:
        return {option_name(key): word for key, word in values.items()} if isinstance(values, dict) else values


class Study(_Part):
    """Runs compared.

    Attributes:
        name: short, for files and tables.
        title: for the page.
        description: for the page.
        data: names of sets in the data root, paths, or ``phantom:COUNT``.
        metric: what the leaderboard ranks by.
        published: what others report.
        protocols: by name.
        runs: compared under each.
        search: a run whose settings are searched.
        tables: contrasts, beside the leaderboard.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    title: str = ""
    description: str = ""
    data: tuple[str, ...] = Field(min_length=1)
    metric: Metric = "accuracy"
    published: Published | None = None
    protocols: dict[str, Protocol] = Field(min_length=1)
    runs: tuple[RunEntry, ...] = ()
    search: Search | None = None
    tables: tuple[Contrast, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Study:
        if not self.runs and self.search is None:
            raise ValueError("there is neither a run nor a search")
        if self.search is not None and self.search.name in {run.name for run in self.runs}:
            raise ValueError(f"the search has the name of a run, '{self.search.name}'")
        named = {name for run in self.runs for name in run.protocols or ()}
        if self.published is not None and self.published.protocol is not None:
            named.add(self.published.protocol)
        if unknown := named - set(self.protocols):
            raise ValueError(f"there is no protocol '{min(unknown)}'")
        theirs = set(self.published.runs) if self.published is not None else set()
        if unknown := theirs - {run.name for run in self.runs}:
            raise ValueError(f"published: there is no run '{min(unknown)}'")
        varied = {key for run in self.runs for key in run.grid}
        if unknown := {table.of for table in self.tables} - varied:
            raise ValueError(f"no run has '{min(unknown)}' in its grid")
        return self

    @property
    def published_protocol(self) -> str:
        """The name of the protocol that the published figure belongs to."""
        if self.published is not None and self.published.protocol is not None:
            return self.published.protocol
        return "published" if "published" in self.protocols else next(iter(self.protocols))


def _check_split(split: str, known: Sequence[str]) -> None:
    if is_benchmark(split):
        try:
            parse_benchmark(split)
        except UsageError as error:
            raise ValueError(f"{error.what}; {error.remedy}") from error
    elif split not in known:
        raise ValueError(f"'{split}' cannot be a split here; {did_you_mean(split, known)}")
