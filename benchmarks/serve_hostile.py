"""Sends the server what nobody should send, and watches its answers, its memory and its temporary files.

    python benchmarks/serve_hostile.py [--uploads 50000] [--clients 16] [--seed 0]

Real pictures with bytes changed, cut, doubled and spliced; pictures that claim or unpack to far more than they hold;
other kinds of files under a picture's name; bodies that are no form; connections that stall or break off. Every answer
must be one of 200, 4xx; what is asked between them with a good picture must be answered as ever.
Writes ``benchmarks/results/serve_hostile.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from record import write_record
from serving import Connection, Server, findings_request, request, serving

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "scans"
GOOD_EVERY = 100
"""Of so many requests one is a good picture, whose answer is compared with the first one."""
LOOKS = 20
"""How often memory and temporary files are looked at."""
PATIENCE = 90.0
"""Seconds after which an answer counts as missing."""
NAMES = ("scan.png", "../../etc/passwd", "/etc/shadow", "a" * 5000, "x.png\0.exe", "<img src=x onerror=alert(1)>", "")
HEADS = (
    b"%PDF-1.7\n", b"PK\x03\x04", b"\x7fELF", b"MZ", b"<svg xmlns='http://www.w3.org/2000/svg'>", b"#!/bin/sh\n",
    b"\x1f\x8b\x08", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"RIFF\0\0\0\0WAVE", b"", b"DICM".rjust(132, b"\0"),
)  # fmt: skip
"""How files of other kinds begin."""
LINES = (b"PUT /v1/findings", b"POST /v1/%00", b"POST /v1/findings?layers=%ff&channels=x")
Maker = Callable[[random.Random, list[bytes]], bytes]


def main() -> None:
    """Send everything and write what came back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=50_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, serving(temporary=Path(temporary)) as server:
        figures = asyncio.run(attack(server, Path(temporary), given.uploads, given.clients, given.seed))
        alive = server.process.poll() is None
    write_record("serve_hostile", {"seed": given.seed, "alive_at_the_end": alive} | figures, ("pillow", "fastapi"))


async def attack(server: Server, temporary: Path, uploads: int, clients: int, seed: int) -> dict[str, Any]:
    """Send `uploads` hostile requests over `clients` connections at a time, and say what came back."""
    seeds = real_files()
    statuses: Counter[str] = Counter()
    entries: Counter[str] = Counter()
    looks: list[dict[str, float]] = []
    good = findings_request([("good.png", seeds[0])])
    expected = (await Connection(server).ask(good))[2]
    changed, sent = 0, iter(range(uploads))

    async def client(number: int) -> None:
        nonlocal changed
        rng, connection = random.Random(seed * 1000 + number), Connection(server)
        for index in sent:
            if index % max(1, uploads // LOOKS) == 0:
                looks.append(_look(server, temporary))
            if index % GOOD_EVERY == 0:
                status, _, body = await _ask(connection, good)
                changed += body != expected
            elif rng.random() < 0.02:
                status, body = await _break_off(server, rng, seeds), b""
            else:
                status, _, body = await _ask(connection, hostile_request(rng, seeds))
            statuses[str(status)] += 1
            _count(entries, body)

    await asyncio.gather(*[client(number) for number in range(clients)])
    await asyncio.sleep(2)
    looks.append(_look(server, temporary))
    return {
        "uploads": uploads,
        "clients": clients,
        "statuses": dict(sorted(statuses.items())),
        "server_errors": sum(count for status, count in statuses.items() if status.startswith("5")),
        "unanswered": statuses["no answer"],
        "entries": dict(sorted(entries.items())),
        "good_pictures": len(range(0, uploads, GOOD_EVERY)),
        "good_pictures_answered_otherwise": changed,
        "looks": looks,
        "memory_growth_megabytes": round(looks[-1]["memory_megabytes"] - looks[LOOKS // 4]["memory_megabytes"], 1),
    }


def real_files() -> list[bytes]:
    """Return real pictures in every format that the server reads."""
    out = [file.read_bytes() for file in sorted(EXAMPLES.iterdir()) if file.suffix in (".png", ".jpg")]
    picture = Image.open(io.BytesIO(out[0])).convert("L")
    deep = Image.fromarray(np.asarray(picture, np.uint16) * 257)
    for image, kind in [(picture, "JPEG"), (picture, "TIFF"), (deep, "TIFF"), (picture, "BMP"), (picture, "GIF")]:
        out.append(_encoded(image, kind))
    return [
        *out,
        _encoded(picture.convert("RGB"), "WEBP"),
        _encoded(deep, "PNG"),
        _encoded(picture.convert("P"), "PNG"),
    ]


def hostile_request(rng: random.Random, seeds: list[bytes]) -> bytes:
    """Return one request that no honest client sends."""
    if rng.random() < 0.08:
        return _hostile_body(rng, seeds)
    makers: tuple[Maker, ...] = (_flipped, _flipped, _cut, _spliced, _doubled, _bomb, _wrong_kind, _noise)
    files = [(rng.choice(NAMES), rng.choice(makers)(rng, seeds)) for _ in range(rng.choice((1, 1, 1, 2, 5)))]
    return findings_request(files)


async def _ask(connection: Connection, message: bytes) -> tuple[int | str, dict[str, str], bytes]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await connection.ask(message)
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        connection.close()
        return ("no answer" if isinstance(error, TimeoutError) else "closed"), {}, b""


async def _break_off(server: Server, rng: random.Random, seeds: list[bytes]) -> str:
    """Begin a request, wait a little or not, and go away without reading."""
    _, writer = await asyncio.open_connection(server.host, server.port)
    whole = hostile_request(rng, seeds)
    writer.write(whole[: rng.randrange(1, len(whole))])
    await asyncio.sleep(rng.choice((0, 0, 0.05, 1.0)))
    writer.transport.abort()
    return "broken off"


def _look(server: Server, temporary: Path) -> dict[str, float]:
    files = [Path(folder, name) for folder, _, names in os.walk(temporary) for name in names]
    return {
        "memory_megabytes": round(server.memory_megabytes(), 1),
        "open_files": server.open_files(),
        "temporary_files": len(files),
    }


def _count(entries: Counter[str], body: bytes) -> None:
    try:
        found = json.loads(body)["findings"]
    except (ValueError, KeyError, TypeError):
        return
    entries.update(finding["status"] for finding in found)


def _hostile_body(rng: random.Random, seeds: list[bytes]) -> bytes:
    """Return a request whose body is no form, or a broken one, or whose header lies."""
    good = findings_request([("scan.png", rng.choice(seeds))])
    body = good.split(b"\r\n\r\n", 1)[1]
    choices = (
        lambda: request(body[: rng.randrange(len(body))]),
        lambda: request(body.replace(b"--tumorscope", b"--other", rng.randrange(1, 3))),
        lambda: request(body, content_type=b"application/json"),
        lambda: request(b'{"files": []}', content_type=b"application/json"),
        lambda: request(b"", content_type=b"multipart/form-data"),
        lambda: request(rng.randbytes(rng.randrange(2000))),
        lambda: request(body.replace(b'name="files"', b'name="%b"' % rng.choice((b"file", b"", b"a" * 3000)))),
        lambda: request(body.replace(b"Content-Disposition", b"X-" + b"y" * rng.randrange(1, 9000))),
        lambda: findings_request([(f"{i}.png", b"") for i in range(rng.choice((65, 200, 2000)))]),
        lambda: good.replace(b"POST /v1/findings", rng.choice(LINES)),
    )
    return rng.choice(choices)()


def _flipped(rng: random.Random, seeds: list[bytes]) -> bytes:
    data = bytearray(rng.choice(seeds))
    reach = len(data) if rng.random() < 0.5 else min(len(data), 200)
    for _ in range(rng.choice((1, 3, 20, 200))):
        data[rng.randrange(reach)] = rng.randrange(256)
    return bytes(data)


def _cut(rng: random.Random, seeds: list[bytes]) -> bytes:
    data = rng.choice(seeds)
    return data[: rng.randrange(len(data))]


def _spliced(rng: random.Random, seeds: list[bytes]) -> bytes:
    a, b = rng.choice(seeds), rng.choice(seeds)
    return a[: rng.randrange(1, len(a))] + b[rng.randrange(len(b)) :]


def _doubled(rng: random.Random, seeds: list[bytes]) -> bytes:
    data = rng.choice(seeds)
    at = rng.randrange(len(data))
    return data[:at] + data[at : at + 500] * rng.randrange(2, 50) + data[at:]


def _bomb(rng: random.Random, seeds: list[bytes]) -> bytes:
    """Return a small file that claims, or unpacks to, a great deal."""
    width, height = rng.choice(((65535, 65535), (30000, 30000), (2**31 - 1, 1), (1, 10**6), (4800, 4800), (0, 5)))
    rows = zlib.compress(bytes(rng.choice((10, 10**5, 5 * 10**6))), 9)
    header = struct.pack(">IIBBBBB", width, height, rng.choice((1, 8, 16)), 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    png += b"".join(_chunk(b"tEXt", b"a\0" + bytes(1000)) for _ in range(rng.choice((0, 0, 300))))
    text = _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7), 9)) if rng.random() < 0.2 else b""
    choices = (png + text + _chunk(b"IDAT", rows) + _chunk(b"IEND", b""), _claiming(rng, seeds, width, height))
    return rng.choice(choices)


def _claiming(rng: random.Random, seeds: list[bytes], width: int, height: int) -> bytes:
    """Return a BMP, GIF or TIFF whose header tells of another size."""
    bmp = b"BM" + struct.pack("<IHHI", 10**6, 0, 0, 54) + struct.pack("<IiiHH", 40, width, height, 1, 24) + bytes(24)
    gif = b"GIF89a" + struct.pack("<HH", width % 65536, height % 65536) + b"\x80\0\0" + bytes(6) + b"," * 200
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, value)
        for tag, value in ((256, width), (257, height), (258, 8), (259, rng.choice((1, 5, 8))), (262, 1), (273, 8))
    )
    tiff = b"II*\0" + struct.pack("<IH", 8, 6) + entries + struct.pack("<I", rng.choice((0, 8)))
    return rng.choice((bmp, gif, tiff)) + rng.choice(seeds)[:1000]


def _wrong_kind(rng: random.Random, seeds: list[bytes]) -> bytes:
    return rng.choice(HEADS) + rng.choice(seeds)[: rng.randrange(1, 3000)] * (rng.random() < 0.7)


def _noise(rng: random.Random, seeds: list[bytes]) -> bytes:
    return rng.choice(seeds)[: rng.randrange(16)] + rng.randbytes(rng.choice((1, 100, 10_000, 200_000)))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


if __name__ == "__main__":
    main()
