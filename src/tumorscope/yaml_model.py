"""A YAML file whose keys are checked by a pydantic model: read it, and say in a line what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ValidationError

from tumorscope.errors import TumorscopeError, did_you_mean

NO_JARGON = {
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "dict_type": "should hold keys and values",
    "model_type": "should hold keys and values",
    "model_attributes_type": "should hold keys and values",
}
"""Our words for pydantic's kinds of faults, where its own name Python's types."""


@dataclass(frozen=True)
class Wrong:
    """The first thing that is wrong with a file's values.

    Attributes:
        kind: 'unknown' for a key that there is none of, 'missing' for one that lacks, 'value' for a wrong value, and
            'check' for values that a check of ours refuses.
        where: the key, dotted; '' for the whole.
        text: what is wrong with it.
        remedy: of an unknown key the nearest known one, else ''.
    """

    kind: Literal["unknown", "missing", "value", "check"]
    where: str
    text: str
    remedy: str = ""

    @property
    def line(self) -> str:
        """What is wrong, with the key."""
        if self.kind in ("unknown", "missing") or not self.where:
            return self.text
        return f"'{self.where}': {self.text}"


def read_keys(path: Path, error: type[TumorscopeError], *, remedy: str, empty: str = "holds no keys") -> dict[str, Any]:
    """Return the keys of a YAML file and their values.

    Args:
        path: the file.
        error: what is raised.
        remedy: where the file is no YAML, or has no keys.
        empty: what is said where it has no keys.

    Raises:
        TumorscopeError: of the type `error`: the file cannot be read, is no YAML, or has no keys.
    """
    try:
        values = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error("cannot be read", file=path, remedy="check the path") from problem
    except UnicodeDecodeError as problem:
        raise error("is not UTF-8 text", file=path, remedy="save it as UTF-8") from problem
    except ValueError as problem:
        raise error(f"is not valid YAML: {problem}", file=path, remedy=remedy) from problem
    if not isinstance(values, dict):
        raise error(empty, file=path, remedy=remedy)
    return values


def load_yaml(text: str) -> Any:
    """Read YAML, plain values alone.

    >>> load_yaml("epochs: 3")
    {'epochs': 3}

    Raises:
        ValueError: it is none, a key stands twice, or a value is not what it looks like; says where in a line.
    """
    try:
        return yaml.load(text, _Loader)  # a safe loader
    except yaml.YAMLError as error:
        mark, said = getattr(error, "problem_mark", None), getattr(error, "problem", None) or "it cannot be read"
        raise ValueError(f"line {mark.line + 1}: {said}" if mark else said) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except (KeyError, IndexError, AttributeError, ValueError) as error:  # of a tag such as !!bool on another word
        raise ValueError(f"a value is not what it says it is ({error})") from error


class _Loader(yaml.SafeLoader):
    """Takes no key twice: the first would be lost without a word."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if (name := (key.tag, str(key.value))) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' stands twice", key.start_mark
                )
            seen.add(name)
        return node


def first_wrong(error: ValidationError, model: type[BaseModel]) -> Wrong:
    """Return what to tell of a failed validation: an unknown key before all else, since a typo explains the rest."""
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    parts = [str(part) for part in first["loc"] if "[" not in str(part)]  # pydantic's names of a choice between types
    where = ".".join(parts)
    if first["type"] == "extra_forbidden":
        return Wrong("unknown", where, f"unknown key '{where}'", did_you_mean(parts[-1], keys_beside(model, parts)))
    if first["type"] == "missing":
        return Wrong("missing", where, f"lacks the key '{where}'")
    if first["type"] == "too_short":
        return Wrong("value", where, "is empty")
    if first["type"] == "value_error":
        return Wrong("check", where, str(first["ctx"]["error"]))
    text = NO_JARGON.get(first["type"], first["msg"])
    return Wrong("value", where, text[:1].lower() + text[1:])


def keys_beside(model: type[BaseModel], where: list[str]) -> list[str]:
    """Return the keys that could stand where `where` leads, through lists, mappings and choices between models."""
    models = [model]
    for name in where[:-1]:
        holders = [one for one in models if name in one.model_fields]
        inner = [found for one in holders for found in _models_in(one.model_fields[name].annotation)]
        models = inner or holders or models  # a number, a key of a mapping or the name of a choice leads nowhere else
    return sorted({key for one in models for key in one.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if inner := get_args(annotation):
        return [found for one in inner for found in _models_in(one)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
