"""Loads the server as many clients do, and compares it with `predict` on the same pictures in the same hour.

    python benchmarks/serve_load.py [DATA] [--seconds 300]        (default: the test part of masoud_7023)

One server process, clients in this one: a single client; 64 clients that each wait for their answer (a closed loop),
with one file a request and with eight; and requests that come at random, whether or not others were answered (an open
loop), at 70% of what the closed loop reached. `predict` is timed before and after, in a process of its own.
Writes ``benchmarks/results/serve_load.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from record import DATA, write_record
from serving import Connection, Server, findings_request, serving

CLIENTS, SHARE = 64, 0.7
SEED = 0
PREDICT = """\
import sys, time, tumorscope
model = tumorscope.load()
start = time.perf_counter()
print(len(model.predict(sys.argv[1])) / (time.perf_counter() - start))
"""
LIMITS = {
    "errors_but_429": 0,
    "closed_loop_p95_in_turns": 2.0,
    "open_loop_p95_in_medians_of_one_client": 10.0,
    "share_of_predict_one_file": 0.65,
    "share_of_predict_eight_files": 0.80,
}


@dataclass
class Tally:
    """What clients met: seconds to each answer, how many answers of each status, and pictures answered."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    pictures: int = 0


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA / "masoud_7023" / "Testing")
    parser.add_argument("--seconds", type=float, default=300, help="of the closed loop; the others take a fifth")
    given = parser.parse_args()
    files = [file for file in sorted(given.data.rglob("*")) if file.is_file()]
    before = _predict(given.data)
    with serving() as server:
        loads = asyncio.run(_loads(server, files, given.seconds))
        memory = server.memory_megabytes()
    figures = _figures(loads, predict=(before + _predict(given.data)) / 2)
    write_record(
        "serve_load",
        {"pictures": len(files), "seconds": given.seconds, "memory_megabytes": round(memory)} | figures,
        ("numpy", "fastapi", "uvicorn", "onnxruntime"),
    )


async def _loads(server: Server, files: Sequence[Path], seconds: float) -> dict[str, tuple[Tally, float]]:
    one, eight = list(_requests(files, 1)), list(_requests(files, 8))
    short = seconds / 5
    await closed_loop(server, one, clients=8, seconds=min(5.0, short))  # warms up
    out = {"single": await timed(closed_loop(server, one, clients=1, seconds=short))}
    out["one_file"] = await timed(closed_loop(server, one, clients=CLIENTS, seconds=seconds))
    out["eight_files"] = await timed(closed_loop(server, eight, clients=CLIENTS // 8, seconds=short))
    rate = SHARE * out["one_file"][0].pictures / out["one_file"][1]
    out["open"] = await timed(open_loop(server, one, rate=rate, seconds=short))
    return out


async def closed_loop(server: Server, requests: Sequence[tuple[bytes, int]], *, clients: int, seconds: float) -> Tally:
    """Let clients ask one request after the other until the time is over."""
    tally, following, end = Tally(), itertools.cycle(requests), time.perf_counter() + seconds

    async def client() -> None:
        connection = Connection(server)
        while time.perf_counter() < end:
            await _ask(connection, *next(following), tally)
        connection.close()

    await asyncio.gather(*[client() for _ in range(clients)])
    return tally


async def open_loop(server: Server, requests: Sequence[tuple[bytes, int]], *, rate: float, seconds: float) -> Tally:
    """Send requests at random times, so many a second; the wait for a free connection counts."""
    tally, following, rng = Tally(), itertools.cycle(requests), random.Random(SEED)
    idle: list[Connection] = []

    async def send(due: float) -> None:
        connection = idle.pop() if idle else Connection(server)
        await _ask(connection, *next(following), tally, since=due)
        idle.append(connection)

    running, due = [], time.perf_counter()
    end = due + seconds
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        running.append(asyncio.create_task(send(due)))
        due += rng.expovariate(rate)
    await asyncio.gather(*running)
    return tally


async def timed(work: Awaitable[Tally]) -> tuple[Tally, float]:
    """Return what a load gave, and how many seconds it took."""
    start = time.perf_counter()
    return await work, time.perf_counter() - start


async def _ask(connection: Connection, message: bytes, pictures: int, tally: Tally, since: float | None = None) -> None:
    start = time.perf_counter() if since is None else since
    status, headers, _ = await connection.ask(message)
    tally.statuses[status] += 1
    if status == 200:
        tally.seconds.append(time.perf_counter() - start)
        tally.pictures += pictures
    elif status == 429:
        await asyncio.sleep(float(headers["retry-after"]))


def _requests(files: Sequence[Path], size: int) -> Iterator[tuple[bytes, int]]:
    for start in range(0, len(files), size):
        some = files[start : start + size]
        yield findings_request([(file.name, file.read_bytes()) for file in some]), len(some)


def _predict(data: Path) -> float:
    done = subprocess.run([sys.executable, "-c", PREDICT, str(data)], check=True, capture_output=True, text=True)
    return float(done.stdout)


def _figures(loads: dict[str, tuple[Tally, float]], predict: float) -> dict[str, Any]:
    described = {name: _described(*load) for name, load in loads.items()}
    one, eight = described["one_file"], described["eight_files"]
    single = described["single"]["median_seconds"]
    return {
        "predict_pictures_per_second": round(predict, 1),
        **described,
        "errors_but_429": sum(load["errors_but_429"] for load in described.values()),
        "closed_loop_p95_in_turns": round(one["p95_seconds"] / (CLIENTS / one["pictures_per_second"]), 2),
        "open_loop_p95_in_medians_of_one_client": round(described["open"]["p95_seconds"] / single, 2),
        "share_of_predict_one_file": round(one["pictures_per_second"] / predict, 3),
        "share_of_predict_eight_files": round(eight["pictures_per_second"] / predict, 3),
        "limits": LIMITS,
    }


def _described(tally: Tally, seconds: float) -> dict[str, Any]:
    median, p95 = np.percentile(tally.seconds, (50, 95))
    return {
        "pictures_per_second": round(tally.pictures / seconds, 1),
        "median_seconds": round(float(median), 4),
        "p95_seconds": round(float(p95), 4),
        "answers": sum(tally.statuses.values()),
        "busy": tally.statuses[429],
        "errors_but_429": sum(count for status, count in tally.statuses.items() if status not in (200, 429)),
    }


if __name__ == "__main__":
    main()
