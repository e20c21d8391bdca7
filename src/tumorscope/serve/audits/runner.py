"""The job of an audit: starts its process, passes on what it says, and kills it where the job is removed."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.errors import CatalogError, OutputError
from tumorscope.serve.audits.order import FILES, Order
from tumorscope.serve.roots import find_folder, named_roots

if TYPE_CHECKING:
    from tumorscope.jobs import Work
    from tumorscope.serve.service import Service

WORKER = "tumorscope.serve.audits.worker"
MOST_SECONDS = 2 * 3600.0
"""An audit that takes longer is given up; 100,000 slices take a quarter of that."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
log = logging.getLogger("tumorscope.serve")


async def run(work: Work, service: Service) -> None:
    """Make one audit; a second run of the same job begins anew with what is unpacked already.

    Raises:
        CatalogError: the data cannot be audited, or took too long.
        OutputError: the disk is full.
    """
    order = _order(work, service.settings.data_root)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", WORKER,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | ONE_THREAD,
    )  # fmt: skip
    try:
        async with asyncio.timeout(MOST_SECONDS):
            said = await _follow(process, order, work)
            code = await process.wait()
    except TimeoutError:
        raise CatalogError(
            "the audit took too long", remedy="audit a part of the data, or use tumorscope audit"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise _failure(said, code)


async def _follow(process: asyncio.subprocess.Process, order: Order, work: Work) -> dict[str, Any]:
    """Give the order, tell of progress, and return the last that the process said."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(order.to_json().encode() + b"\n")
    said: dict[str, Any] = {}
    async for line in process.stdout:
        said = json.loads(line)
        if "what" in said:
            await work.report(said["what"], said["done"], said["total"])
    return said


def _order(work: Work, data_roots: Sequence[Path]) -> Order:
    options = work.job.options
    if work.files:
        files = work.results / FILES
        return Order(work.results, files.resolve(), options["name"], archive=work.files[0].path)
    root, folder = find_folder(named_roots(data_roots), options["path"], options["root"])
    return Order(work.results, root.path, options["name"], folder=folder)


def _failure(said: dict[str, Any], code: int) -> Exception:
    if "error" in said:
        kind = OutputError if said["is_output"] else CatalogError
        return kind(said["error"], remedy=said["remedy"])
    log.error("an audit's process ended with %d: %s", code, said.get("crash", "it said nothing"))
    return CatalogError(
        "the audit failed; the server's log says where", remedy="look for a damaged file, or use tumorscope audit"
    )
