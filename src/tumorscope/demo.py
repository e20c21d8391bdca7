"""The demo: a phantom set with planted leaks is audited, the shipped model reads the examples, one page shows both."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.audits.audit import Audit, run_audit, write_audit
from tumorscope.catalog.phantom import draw_phantom
from tumorscope.errors import OutputError
from tumorscope.files.atomic import write_bytes, write_text
from tumorscope.findings import Findings, SliceFinding
from tumorscope.inference import load
from tumorscope.progress import Progress
from tumorscope.samples import example_scans

SLICES, TEST_SHARE, SEED = 144, 4, 7
"""Slices drawn, every fourth patient of which is test."""
MARKER = "planted.csv"
PAGE = "index.html"
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Plant:
    """A leak to be planted: a copy of a training slice, changed, filed under Testing."""

    name: str
    suffix: str
    change: Callable[[Picture], Picture]
    quality: int = 92


PLANTS = (
    Plant("copy", ".png", lambda image: image),
    Plant("mirrored", ".png", lambda image: image[:, ::-1]),
    Plant("turned", ".png", np.rot90),
    Plant("half", ".png", lambda image: np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5), np.uint8)),
    Plant("recompressed", ".jpg", lambda image: image, quality=30),
    Plant("stretched", ".png", lambda image: np.clip(image.astype(np.float32) * 1.35 - 12, 0, 255).astype(np.uint8)),
)


def run_demo(out: Path, *, say: Callable[[str], None] = lambda _: None, progress: Progress | None = None) -> Path:
    """Run the demo into the folder `out`; a demo that lies there is made anew.

    Args:
        out: the folder.
        say: told a line at each stage.
        progress: told how far a stage is.

    Returns:
        The page.

    Raises:
        OutputError: `out` holds something else, or cannot be written.
    """
    if out.exists() and any(out.iterdir()) and not (out / "phantom" / MARKER).is_file():
        raise OutputError("holds something that is no demo", file=out, remedy="give another --out")
    shutil.rmtree(out / "phantom", ignore_errors=True)
    planted = plant_leaks(out / "phantom")
    say(f"drew {SLICES} phantom slices and planted {len(planted)} leaks")
    audit = run_audit(out / "phantom", use_atlas=False, seed=SEED, progress=progress)
    write_audit(audit, out / "audit")
    leaks = audit.summary["leaks"]
    say(f"the audit found {leaks['near']} of {len(planted)} planted test slices (exact copies: {leaks['exact']})")
    findings = load().predict(example_scans(), out=out / "findings", progress=progress)
    say(f"the shipped model read {len(findings)} example scans")
    page = out / PAGE
    write_text(page, _page(audit, findings, planted))
    return page


def plant_leaks(folder: Path) -> list[str]:
    """Write a phantom set under Training|Testing with planted leaks, and what was planted as ``planted.csv``.

    Each change of `PLANTS` is planted twice, once in a class of its own and once under a wrong label; beside them lie a
    PNG that is named .jpg and a file that is cut short.

    Returns:
        The planted test slices.
    """
    write_text(folder / MARKER, "planted,original\n")  # first, so that an interrupted demo is known as one
    slices = list(draw_phantom(SLICES, seed=SEED))
    training = []
    for number, drawn in enumerate(slices):
        part = "Testing" if (number // 3) // 4 % TEST_SHARE == TEST_SHARE - 1 else "Training"
        path = folder / part / drawn.label / f"{number:04d}.png"
        _write(path, drawn.image)
        if part == "Training":
            training.append((path, drawn))
    planted = []
    for number, plant in enumerate(PLANTS * 2):
        original, drawn = training[number * 7]
        wrong = number == len(PLANTS)  # the second copy of the first is filed under another class
        label = drawn.label if not wrong else "notumor" if drawn.label != "notumor" else "glioma"
        path = folder / "Testing" / label / f"{plant.name}_{number}{plant.suffix}"
        _write(path, np.ascontiguousarray(plant.change(drawn.image)), plant.quality)
        planted.append(f"{path.relative_to(folder).as_posix()},{original.relative_to(folder).as_posix()}")
    misnamed = training[1][0]
    misnamed.rename(misnamed.with_suffix(".jpg"))
    cut = folder / "Training" / "glioma" / "cut_short.png"
    write_bytes(cut, training[0][0].read_bytes()[:700])
    write_text(folder / MARKER, "\n".join(["planted,original", *planted]) + "\n")
    return planted


def _write(path: Path, image: Picture, quality: int = 92) -> None:
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
    write_bytes(path, cv2.imencode(path.suffix, image, settings)[1].tobytes())


def _page(audit: Audit, findings: Findings, planted: list[str]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from tumorscope.audits.report import audit_page

    environment = Environment(
        loader=PackageLoader("tumorscope", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("demo.html.j2").render(
        findings=[_shown(finding) for finding in findings if finding.kind == "slice"],
        model=findings[0].model,
        planted=len(planted),
        leaks=audit.summary["leaks"],
        slices=audit.summary["images"],
        audit=audit_page(audit),
    )


def _shown(finding: SliceFinding) -> dict[str, Any]:
    picture = b"" if finding.heatmap is None else Path(finding.heatmap).read_bytes()
    return {
        "name": Path(finding.file).name,
        "picture": "data:image/png;base64," + base64.b64encode(picture).decode("ascii"),
        "verdict": finding.verdict,
        "tumor": finding.tumor_probability,
        "sentence": finding.sentence,
    }
