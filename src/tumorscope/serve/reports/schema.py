"""The documents of runs as OpenAPI describes them; what is sent is plain data of these shapes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class Headline(BaseModel):
    """What leads a run: figures on the strictest set of slices that is large enough, and the floors under them."""

    split: str = Field(description="leak_free, twin_free or full.", examples=["leak_free"])
    sentence: str | None
    leaky: bool = Field(description="Whether more flattering figures of slices known from training exist.")
    figures: dict[str, dict[str, Any] | None] = Field(
        examples=[{"accuracy": {"value": 0.9457, "n": 313, "interval": [0.9144, 0.9718]}}]
    )
    copy_baseline: dict[str, Any] | None
    source_probe: dict[str, Any] | None


class RunSummary(BaseModel):
    """A run in the list."""

    name: str = Field(description="Its path below the folder of runs.", examples=["quick"])
    kind: Literal["run", "evaluation", "study"]
    is_done: bool
    changed: float = Field(description="When it last changed, in seconds of the epoch.")
    problem: str | None = Field(description="Why its metrics cannot be read.")
    study: str | None = Field(description="The study that it is a part of.")
    title: str | None = Field(description="Its recipe and data.", examples=["quick on masoud_7023"])
    headline: Headline | None


class RunsDocument(BaseModel):
    """The runs below the folder that the server was given."""

    is_given: bool = Field(description="Whether the server was given one.")
    runs: list[RunSummary]


class MistakeDocument(BaseModel):
    """A wrong answer."""

    path: str
    dataset: str
    label: str = Field(description="What it is.")
    called: str = Field(description="What the model called it.")
    certainty: float = Field(description="How sure it was.")
    tumor_probability: float | None
    picture: str | None = Field(
        description="The address of the slice, where its file lies under a data root unchanged."
    )


class MistakesDocument(BaseModel):
    """Some of the wrong answers."""

    count: int = Field(description="How many match in all.")
    offset: int
    mistakes: list[MistakeDocument]


class Leaderboard(BaseModel):
    """The table of a study."""

    columns: list[str]
    rows: list[list[str]]


class RunDocument(RunSummary):
    """A run with everything that can be read of it."""

    metrics: dict[str, Any] | None = Field(description="metrics.json; docs/evaluation.md names its keys.")
    log: dict[str, list[float | None]] | None = Field(description="log.csv, by column.")
    leaderboard: Leaderboard | None
    mistakes: MistakesDocument | None = Field(description="The worst.")
    problems: list[str] = Field(description="Files that are broken, and how.")
    files: dict[str, str] = Field(description="The files that are served, by name.")
