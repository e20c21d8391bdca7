"""Make docs/primer.md: train small models on the phantom, draw the pictures, fill the numbers into the text.

usage: python tools/make_primer.py            trains anew (some minutes), then draws and writes everything
       python tools/make_primer.py --text     draws and writes from the trainings that are committed
       python tools/make_primer.py --check    changes nothing; ends with 1 where page, pictures and numbers disagree

Every number of the page stands in docs/images/primer/numbers.json: those of the trainings (one seed, one core), and
those of committed results. The text is tools/primer/primer.md.j2.
"""

from __future__ import annotations

import json
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from primer import canvas, facts, pictures_images, pictures_learning, pictures_measuring

from tumorscope.files.atomic import write_text

ROOT = Path(__file__).resolve().parent.parent
PAGE, FOLDER = ROOT / "docs" / "primer.md", ROOT / "docs" / "images" / "primer"
NUMBERS, TEXT = FOLDER / "numbers.json", ROOT / "tools" / "primer" / "primer.md.j2"
MOST_BYTES, LINE = 600_000, 120
PICTURES: dict[str, tuple[Callable[[dict[str, Any]], Figure], tuple[str, ...]]] = {
    "phantom": (pictures_images.phantom, ()),
    "matrix": (pictures_images.matrix, ()),
    "window": (pictures_images.window, ("facts.window",)),
    "sequences": (pictures_images.sequences, ()),
    "convolution": (pictures_images.convolution, ("facts.convolution",)),
    "network": (pictures_images.network, ("many",)),
    "parts": (pictures_learning.parts, ()),
    "overfitting": (pictures_learning.overfitting, ("few", "many", "slices")),
    "augmentation": (pictures_learning.augmentation, ("few", "augmented", "slices")),
    "transfer": (pictures_learning.transfer, ("scratch", "transfer", "slices")),
    "leakage": (pictures_learning.leakage, ("random", "grouped")),
    "floors": (pictures_learning.floors, ("facts.project.published", "facts.project.apart")),
    "metrics": (pictures_measuring.metrics, ("many",)),
    "intervals": (pictures_measuring.intervals, ("draws",)),
    "calibration": (pictures_measuring.calibration, ("few", "many", "slices")),
    "heatmaps": (pictures_measuring.heatmaps, ("facts.heatmaps",)),
}
"""By file name: what draws it, and which numbers it shows."""


def main(arguments: list[str]) -> int:
    """Do what the usage says and return the exit code."""
    if arguments == ["--check"]:
        problems = check()
        print("\n".join(problems) or "docs/primer.md is up to date")
        return int(bool(problems))
    numbers = json.loads(NUMBERS.read_text(encoding="utf-8")) if arguments == ["--text"] else experiment()
    numbers["facts"] = facts.measured() | {"heatmaps": facts.heatmaps()}
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_text(NUMBERS, as_json(numbers))
    for name, (draw, shown) in PICTURES.items():
        canvas.save(draw(numbers), FOLDER / f"{name}.png", chosen(numbers, shown))
    write_text(PAGE, page(numbers))
    problems = check()
    print("\n".join(problems) or f"wrote {PAGE.relative_to(ROOT)}")
    return int(bool(problems))


def experiment() -> dict[str, Any]:
    """Train everything in a folder that is taken away afterwards."""
    from primer.experiments import run_experiments

    start = time.process_time()
    with tempfile.TemporaryDirectory() as work:
        found = run_experiments(Path(work))
    return found | {"processor_seconds": round(time.process_time() - start)}


def check() -> list[str]:
    """Return what is out of date: the facts, the page, a picture, or the size of all pictures."""
    numbers = json.loads(NUMBERS.read_text(encoding="utf-8"))
    again = "run python tools/make_primer.py --text"
    problems = [f"{NUMBERS.name}: {name} changed; {again}" for name in _stale(numbers["facts"])]
    if PAGE.read_text(encoding="utf-8") != page(numbers):
        problems.append(f"{PAGE.name} is not what the numbers and the text give; {again}")
    for name, (_, shown) in PICTURES.items():
        path = FOLDER / f"{name}.png"
        if not path.is_file() or canvas.stamp_of(path) != canvas.digest(chosen(numbers, shown)):
            problems.append(f"{path.name} does not show the numbers; {again}")
        if f"images/primer/{name}.png" not in page(numbers):
            problems.append(f"{path.name} stands nowhere on the page; mend {TEXT.name}")
    size = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    if size > MOST_BYTES:
        problems.append(f"the pictures take {size:,} bytes, more than {MOST_BYTES:,}; draw them smaller")
    return problems


def page(numbers: dict[str, Any]) -> str:
    """Return the text of the page with its numbers."""
    environment = Environment(
        loader=FileSystemLoader(TEXT.parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    environment.filters |= {"share": share, "figure": figure}
    text = environment.get_template(TEXT.name).render(numbers)
    return "\n\n".join(_wrapped(block) for block in text.strip().split("\n\n")) + "\n"


def share(value: float) -> str:
    """Write a share as a whole percentage."""
    return f"{100 * value:.0f}%"


def figure(found: dict[str, Any]) -> str:
    """Write a figure with its interval and n."""
    value = found["value"] if "value" in found else found["accuracy"]
    low, high = found["interval"]
    return f"{100 * value:.0f}% (95% interval {100 * low:.0f} to {100 * high:.0f}, n = {found['n']:,})"


def chosen(numbers: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the numbers under some dotted names."""
    out = {}
    for name in names:
        value: Any = numbers
        for key in name.split("."):
            value = value[key]
        out[name] = value
    return out


def as_json(numbers: dict[str, Any]) -> str:
    """Return the numbers as JSON, a line for each first key and each second."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    parts = []
    for key, value in numbers.items():
        inner = [f"  {line(name)}: {line(item)}" for name, item in value.items()] if isinstance(value, dict) else []
        parts.append(f"{line(key)}: {{\n" + ",\n".join(inner) + "\n}" if inner else f"{line(key)}: {line(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _wrapped(block: str) -> str:
    """Wrap a paragraph anew, since numbers are longer or shorter than their names in the text."""
    is_plain = not block.startswith(("#", "!", "|", "```"))
    return textwrap.fill(block, LINE, break_long_words=False, break_on_hyphens=False) if is_plain else block


def _stale(written: dict[str, Any]) -> list[str]:
    """Return the names of facts that differ from what is committed now."""
    fresh = json.loads(json.dumps(facts.measured()))
    changed = [name for name, value in fresh.items() if written.get(name) != value]
    is_released = written["heatmaps"]["model"] == facts.released_model()
    return changed if is_released else [*changed, "the shipped model"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
