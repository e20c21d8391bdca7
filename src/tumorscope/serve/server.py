"""Runs the app: one process, one port, a loud line where it listens beyond this machine, a stop that loses nothing."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from tumorscope.errors import UsageError
from tumorscope.jobs import check_free
from tumorscope.serve.app import create_app
from tumorscope.serve.keeping import Keeper
from tumorscope.serve.logs import logging_to_stderr
from tumorscope.serve.protocol import protocol_with
from tumorscope.serve.service import Service
from tumorscope.serve.settings import ServeSettings

BACKLOG = 2048
MANY_FILES = 65_536
KEEP_ALIVE_SECONDS = 30
GIVE_UP_SECONDS = 5
"""After the drain; connections that are still busy are then cut."""
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
        OutputError: the folder that keeps things cannot be written.
    """
    allow_many_files()
    server = Server(settings, on_ready=on_ready)
    if not settings.is_loopback:
        say(f"WARNING: {(KEYED if settings.api_key else OPEN).format(address=server.address)}")
    with logging_to_stderr():
        server.serve_until_stopped()


class Server(uvicorn.Server):
    """Uvicorn, that on the first signal goes on answering until running work is done, and refuses what is new.

    Args:
        settings: how to serve.
        on_ready: told the address once requests are answered.

    Attributes:
        address: as a browser takes it.

    Raises:
        UsageError, ModelFileError, OutputError: as `serve`.
    """

    def __init__(self, settings: ServeSettings, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
        settings.check()
        self._settings, self._on_ready = settings, on_ready
        self._listening = _listen(settings)
        self.address = _address(settings, self._listening)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None
        try:
            check_free(settings.keep, settings.host, settings.port)
            if settings.keep is not None:
                Keeper(settings.keep)  # what is wrong with it is told in one line here, and in a traceback later
            self._app = create_app(settings)
        except BaseException:
            self._listening.close()
            raise
        config = uvicorn.Config(
            self._app, http=protocol_with(settings.limits), ws="none", lifespan="on", log_config=None,
            access_log=False, server_header=False, proxy_headers=False, backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=GIVE_UP_SECONDS,
        )  # fmt: skip
        super().__init__(config)

    def serve_until_stopped(self) -> None:
        """Serve; a signal, or `stop` from another thread, ends it.

        Raises:
            UsageError: it could not start.
        """
        try:
            self.run(sockets=[self._listening])
        finally:
            self._listening.close()
        if not self.started:
            raise UsageError("the server could not start", remedy="see the lines above")

    def stop(self) -> None:
        """Ask the server to stop once running work is done; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin_to_stop)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen and say so."""
        await super().startup(sockets)
        if not self.started:
            return
        self._loop = asyncio.get_running_loop()
        self._on_ready(self.address)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal does not wait for running work."""
        if self._loop is None or self._draining is not None:
            super().handle_exit(sig, frame)
        else:
            self.stop()

    def _begin_to_stop(self) -> None:
        self._draining = self._draining or asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        service: Service = self._app.state.service
        await service.admission.close(self._settings.limits.drain_seconds)
        self.should_exit = True


def allow_many_files() -> None:
    """Raise this process's soft limit of open files to the hard one: every connection is a file."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(MANY_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


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
