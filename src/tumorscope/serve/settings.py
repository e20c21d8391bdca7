"""How a server is to run. Frozen: nothing changes them once it does."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from tumorscope.errors import UsageError

MEBI = 1024 * 1024
LOOPBACK_NAMES = ("localhost",)
MIN_KEY = 16
"""Characters of an API key; a shorter one can be guessed."""


@dataclass(frozen=True)
class Limits:
    """What one client may ask for, and how much is done at once.

    Attributes:
        body_bytes: of a request.
        job_body_bytes: of a request that starts a job or an audit.
        inbox_bytes: of all requests that are received or answered at one time, those that start a job apart.
        files: of a request for findings.
        job_files: of a job.
        pixels: of a slice; one with more fails alone.
        slices: of a file; one with more fails alone.
        file_pixels: of all slices of a file whose pictures are drawn, which are in memory together; those beyond fail.
        jobs: of every kind that may be open at one time.
        job_lifetime_seconds: from the end of a job to its removal, unless `ServeSettings.keep` keeps it.
        connections: open at one time.
        requests: requests for findings that are worked on at one time.
        files_waiting: files that may wait for the model before requests are refused.
        head_bytes: of a request's head, and of what stands between the pieces of a body or behind it.
        head_seconds: how long a request's head may take.
        idle_seconds: how long a body may stand still, and how long a client may leave an answer unread.
        receive_seconds: how long a body may take in all; longer for a larger one, see `slowest_bytes`.
        slowest_bytes: a second; the pace under which a body that takes longer than `receive_seconds` is given up.
        answer_seconds: from the last byte of a request to its answer.
        drain_seconds: how long running work may take to finish once the server was asked to stop.
    """

    body_bytes: int = 64 * MEBI
    job_body_bytes: int = 2048 * MEBI
    inbox_bytes: int = 1024 * MEBI
    files: int = 64
    job_files: int = 10_000
    pixels: int = 24_000_000
    slices: int = 512
    file_pixels: int = 128_000_000
    jobs: int = 16
    job_lifetime_seconds: float = 3600.0
    connections: int = 1024
    requests: int = 128
    files_waiting: int = 2048
    head_bytes: int = 64 * 1024
    head_seconds: float = 10.0
    idle_seconds: float = 10.0
    receive_seconds: float = 30.0
    slowest_bytes: int = 64 * 1024
    answer_seconds: float = 60.0
    drain_seconds: float = 30.0


@dataclass(frozen=True)
class ServeSettings:
    """What `serve` and `create_app` are told.

    Attributes:
        host: the address to listen on; any but a loopback one needs `api_key` or `trust_network`.
        port: 0 takes a free one.
        api_key: what clients must show; None asks for none.
        trust_network: listen beyond this machine without a key.
        allow_host: names, in small letters, by which a gateway in front is asked; with any, no other name is taken.
        data_root: folders of data sets that the audit page may read.
        runs: a folder of run folders for the evaluation page.
        keep: a folder that keeps uploads and findings; None keeps nothing after the answer.
        model: a model file; None for the shipped one.
        limits: see `Limits`.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = field(default=None, repr=False)
    trust_network: bool = False
    allow_host: tuple[str, ...] = ()
    data_root: tuple[Path, ...] = ()
    runs: Path | None = None
    keep: Path | None = None
    model: Path | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host in LOOPBACK_NAMES:
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def check(self) -> None:
        """Refuse settings that would open the server to others unasked.

        Raises:
            UsageError: another host without a key or trust, a key that is too short, or a folder that is not there.
        """
        if self.api_key is not None and (len(self.api_key) < MIN_KEY or not self.api_key.isascii()):
            raise UsageError(
                f"the API key is shorter than {MIN_KEY} characters or not plain ASCII",
                remedy="make one with: python -c 'import secrets; print(secrets.token_urlsafe(24))'",
            )
        if not (self.is_loopback or self.api_key or self.trust_network):
            raise UsageError(
                f"--host {self.host} lets other machines in",
                remedy="give --api-key KEY (or TUMORSCOPE_API_KEY), or --trust-network if everybody there may use it",
            )
        for folder in (*self.data_root, *([] if self.runs is None else [self.runs])):
            if not folder.is_dir():
                raise UsageError("is not a folder", file=folder, remedy="give a folder that is there")
