"""What the scripts that take pictures of the page share: a real server, a real browser, small pictures for the docs."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
COLORS = 256


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start Chromium and end it with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def serving(*options: str | Path) -> Iterator[str]:
    """Start ``tumorscope serve`` on a free port, give its address, and stop it with the block."""
    call = "from tumorscope.cli import main; main()"
    variables = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", call, "serve", "--port", "0", *map(str, options)]
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(30)


def write_docs(folder: Path, pictures: Mapping[str, str]) -> None:
    """Write the pictures that the documentation shows, in few colors.

    Args:
        folder: where all pictures lie.
        pictures: name in the documentation -> name in the folder.
    """
    for name, source in pictures.items():
        with Image.open(folder / f"{source}.png") as image:
            small = image.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
        small.save(IMAGES / f"{name}.png", optimize=True)


def read_arguments(about: str | None, states: Mapping[str, object]) -> argparse.Namespace:
    """Parse the command line of a script: where to, which states, and whether the documentation's are written."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(states))
    parser.add_argument("--docs", action="store_true")
    return parser.parse_args()
