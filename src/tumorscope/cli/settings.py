"""``--set key=value`` of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tumorscope.errors import UsageError


def parse_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """Return the keys and their values, read as YAML.

    >>> parse_settings(["schedule.epochs=3", "network.weights=none"])
    {'schedule.epochs': 3, 'network.weights': 'none'}

    Raises:
        UsageError: a pair is no ``key=value``.
    """
    from tumorscope.yaml_model import load_yaml

    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair} is not understood", remedy="write --set key=value")
        try:
            settings[key] = load_yaml(value)
        except ValueError as error:
            raise UsageError(f"--set {pair} is not understood", remedy="write the value as in YAML") from error
    return settings
