"""Times the start of a server: until it says that it is ready, until its first picture is answered, until the page is.

    python benchmarks/serve_start.py [REPEATS]

The disk is warm. Where other work shares the machine, the CPU time is the figure to compare: a start runs on one core,
so it says how long it takes alone; the wall time is then an upper bound.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from record import write_record
from tumorscope.samples import example_scans

REPEATS = 7
COMMAND = "from tumorscope.cli import main; main()"
BOUNDARY = "tumorscope-benchmark"
POLL_SECONDS = 0.005
PATIENCE_SECONDS = 60
LIMITS = {"ready_seconds": 2.0, "first_picture_seconds": 0.3, "page_seconds": 2.0}
SHARED = "other work shared the machine: wall times are upper bounds"


def main() -> None:
    """Measure and write the figures."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    busy = os.getloadavg()[0] > 1  # before anything of ours has run
    picture = example_scans() / "mni152_axial_108.png"
    starts = [_start(picture) for _ in range(repeats)]
    figures = {
        name: {
            "best": round(min(values), 3),
            "median": round(statistics.median(values), 3),
            "worst": round(max(values), 3),
        }
        for name in starts[0]
        for values in [[start[name] for start in starts]]
    }
    write_record(
        "serve_start",
        {"repeats": repeats, "seconds": figures, "limits": LIMITS, "note": SHARED if busy else ""},
        ("fastapi", "uvicorn", "onnxruntime", "numpy", "opencv-python-headless"),
    )


def _start(picture: Path) -> dict[str, float]:
    port = _free_port()
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(port, process)
        ready, ready_cpu = time.perf_counter(), _cpu_seconds(process.pid)
        _ask(port, "POST", "/v1/findings", *_form(picture))
        answered, answered_cpu = time.perf_counter(), _cpu_seconds(process.pid)
        _ask(port, "POST", "/v1/findings", *_form(picture))
        again = time.perf_counter()
        _ask(port, "GET", "/")
        shown = time.perf_counter()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
    return {
        "ready": ready - begun,
        "ready_cpu": ready_cpu,
        "first_picture": answered - ready,
        "first_picture_cpu": answered_cpu - ready_cpu,
        "second_picture": again - answered,
        "page_after_start": ready - begun + shown - again,
    }


def _wait_until_ready(port: int, process: subprocess.Popen[Any]) -> None:
    while process.poll() is None:
        try:
            if _ask(port, "GET", "/readyz") == http.client.OK:
                return
        except OSError:
            time.sleep(POLL_SECONDS)
    raise RuntimeError("the server did not start")


def _ask(port: int, method: str, path: str, body: bytes = b"", content_type: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request(method, path, body or None, {"Content-Type": content_type} if body else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if method == "POST" and answer.status != http.client.OK:
        raise RuntimeError(f"the server answered {answer.status}")
    return answer.status


def _form(picture: Path) -> tuple[bytes, str]:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{picture.name}"\r\n\r\n'.encode()
    body = head + picture.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={BOUNDARY}"


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
