"""The server: a REST API and a page over one loaded model.

``from tumorscope.serve import create_app, serve``; this file loads them only when asked for, since the command line
imports the package at its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tumorscope.serve.app import create_app
    from tumorscope.serve.server import serve
    from tumorscope.serve.settings import Limits, ServeSettings

__all__ = ["Limits", "ServeSettings", "create_app", "serve"]
_HOMES = {"create_app": "app", "serve": "server", "Limits": "settings", "ServeSettings": "settings"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
