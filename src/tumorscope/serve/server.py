"""Runs the app: one process, one port, a loud line where it listens beyond this machine, a stop that loses nothing."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from tumorscope.errors import UsageError
from tumorscope.serve.app import create_app
from tumorscope.serve.jobs.place import check_free
from tumorscope.serve.protocol import protocol_with
from tumorscope.serve.service import Service
from tumorscope.serve.settings import Limits, ServeSettings

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 30
OPEN = (
    "anybody who reaches {address} can use this server and see its answers: "
    "--trust-network was given and there is no API key"
)
KEYED = "{address} can be reached from other machines; the API key crosses the network unencrypted without TLS in front"


def serve(
    settings: ServeSettings,
    *,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until the process is asked to stop (SIGINT or SIGTERM), then finish what was begun.

    Args:
        settings: how.
        say: told what the user must know.
        on_ready: told the address once requests are answered.

    Raises:
        UsageError: the settings are not safe, the port cannot be had, or another server keeps its jobs there.
        ModelFileError: the model cannot be loaded.
    """
    settings.check()
    listening = _listen(settings)
    try:
        address = _address(settings, listening)
        _log_to_stderr()
        check_free(settings.keep, settings.host, settings.port)
        app = create_app(settings)
        if not settings.is_loopback:
            say(f"WARNING: {(KEYED if settings.api_key else OPEN).format(address=address)}")
        _Server(app, settings.limits, on_ready=lambda: on_ready(address)).run(sockets=[listening])
    finally:
        listening.close()


class _Server(uvicorn.Server):
    """Uvicorn, that on the first signal goes on answering until running work is done, and refuses what is new."""

    def __init__(self, app: FastAPI, limits: Limits, *, on_ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app, http=protocol_with(limits), ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="on", backlog=BACKLOG, timeout_keep_alive=KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=5,
        )  # fmt: skip
        super().__init__(config)
        self._app, self._limits = app, limits
        self._on_ready = on_ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._loop is None or self._stop is not None:  # a second signal does not wait
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._begin_to_stop)

    def _begin_to_stop(self) -> None:
        self._stop = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        service: Service = self._app.state.service
        await service.gate.close(self._limits.drain_seconds)
        self.should_exit = True


def _listen(settings: ServeSettings) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {settings.host}:{settings.port} ({(error.strerror or str(error)).lower()})",
            remedy="choose another --port or --host; port 0 takes a free one",
        ) from error
    return listening


def _address(settings: ServeSettings, listening: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listening.getsockname()[1]}"


def _log_to_stderr() -> None:
    log = logging.getLogger("tumorscope.serve")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
