"""What all pages share: how a template becomes text, how shares and numbers are shown, how a notebook frames a page."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from typing import Any

NOTHING = "–"


def render(template: str, *, filters: dict[str, Callable[..., Any]] | None = None, **values: Any) -> str:
    """Return a page as HTML text: one self-contained file that loads nothing.

    Args:
        template: a file of this room; it extends ``frame.html.j2``.
        filters: of this page, beside `percent` and `number`.
        **values: what the template shows.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tumorscope.pages", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "number": number, **(filters or {})}
    return environment.get_template(template).render(**values)


def in_frame(page: str, title: str, height: int = 860) -> str:
    """Return a page wrapped for a notebook, so that its styles and the notebook's stay apart."""
    style = f"width:100%;height:{height}px;border:1px solid #8884;border-radius:8px"
    return f'<iframe srcdoc="{html.escape(page)}" style="{style}" title="{html.escape(title)}"></iframe>'


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as text: ``93.1%``, and ``–`` where there is none."""
    return NOTHING if share is None else f"{100 * share:.{digits}f}%"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number as text: ``0.931``, and ``–`` where there is none."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def data_uri(picture: bytes, kind: str = "jpeg") -> str:
    """Return an encoded picture as a data URI."""
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode("ascii")
