"""The verb ``serve``: parse, call `serve`, print the address."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

KEY_VARIABLE = "TUMORSCOPE_API_KEY"


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but this machine's own needs a key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    api_key: Annotated[
        str | None, typer.Option("--api-key", help=f"What clients must show; also {KEY_VARIABLE}.", metavar="KEY")
    ] = None,
    trust_network: Annotated[
        bool, typer.Option("--trust-network", help="Let everybody who can reach HOST in, without a key.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="Name of a gateway in front of this server.", metavar="NAME"),
    ] = None,
    data_root: Annotated[
        list[Path] | None, typer.Option("--data-root", help="A folder that the audit page may read.", metavar="DIR")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option("--runs", help="A folder of run folders, for the evaluation page.", metavar="DIR")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep", help="Keep uploads, findings and jobs there; else jobs go after an hour.", metavar="DIR"
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="A model file; without it the shipped one.", metavar="FILE")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Serve the page and the API on this machine."""
    from tumorscope.errors import MissingExtraError

    try:
        from tumorscope.serve.server import serve as serve_app
        from tumorscope.serve.settings import ServeSettings
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tumorscope"):
            raise
        raise MissingExtraError(
            f"the server needs {error.name}", remedy="install it with: pip install 'tumorscope[serve]'"
        ) from error

    settings = ServeSettings(
        host=host, port=port, api_key=api_key or os.environ.get(KEY_VARIABLE) or None, trust_network=trust_network,
        allow_host=tuple(name.lower() for name in allow_host or ()), data_root=tuple(data_root or ()), runs=runs,
        keep=keep, model=model,
    )  # fmt: skip
    serve_app(settings, on_ready=lambda address: _tell(address, show))


def _tell(address: str, show: bool) -> None:
    print(address, flush=True)
    print("stop with Ctrl+C; research use only, not a medical device", file=sys.stderr, flush=True)
    if show and _has_screen():
        webbrowser.open(address)


def _has_screen() -> bool:
    """Whether a browser would be a window; one in the terminal would take it over."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
