"""The phantom set: drawn slices with a skull, a brain, ventricles and lesions, for tests, demos and newcomers.

It is drawn from a seed with numpy alone, in any number, three sequences and three planes a set. A class looks like its
model in outline only: a glioma is irregular and lies in the white matter with a rim and a swelling around it, a
meningioma is round, even and sits on the skull, a pituitary tumor lies at the base in the middle.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tumorscope.errors import CatalogError, OutputError

WORD = "phantom"
DEFAULT_COUNT = 480
CLASSES = ("glioma", "meningioma", "notumor", "pituitary")
SEQUENCES = ("T1ce", "T2", "FLAIR")
PLANES = ("axial", "coronal", "sagittal")
VERSION = 1
"""Of the drawing; a change of it makes a new folder in the cache."""

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

LEVELS = {
    "T1ce": {"scalp": 190, "skull": 25, "white": 150, "gray": 110, "fluid": 35, "mass": 225, "core": 60, "edema": 105},
    "T2": {"scalp": 150, "skull": 20, "white": 85, "gray": 125, "fluid": 235, "mass": 165, "core": 220, "edema": 190},
    "FLAIR": {"scalp": 140, "skull": 20, "white": 95, "gray": 125, "fluid": 25, "mass": 190, "core": 70, "edema": 215},
}  # fmt: skip


@dataclass(frozen=True)
class PhantomSlice:
    """One drawn slice.

    Attributes:
        image: uint8 ``(side, side)``.
        mask: bool ``(side, side)``, the lesion; all False without one.
        label: one of `CLASSES`.
        patient: whom it is of; the slices of a patient share anatomy and lesion.
        sequence: 'T1ce', 'T2' or 'FLAIR'.
        plane: 'axial', 'coronal' or 'sagittal'.
    """

    image: NDArray[np.uint8]
    mask: Mask
    label: str
    patient: str
    sequence: str
    plane: str


def is_phantom(word: str) -> bool:
    """Whether a DATA argument asks for the phantom: ``phantom``, ``phantom:COUNT`` or ``phantom:COUNT:SEED``."""
    return word == WORD or word.startswith(f"{WORD}:")


def parse_phantom(word: str) -> tuple[int, int]:
    """Return how many slices a DATA argument asks for, and the seed that they are drawn with.

    Raises:
        CatalogError: the word is malformed.
    """
    parts = word.split(":")[1:]
    try:
        count, seed = [*map(int, parts), *(DEFAULT_COUNT, 0)[len(parts) :]]
    except ValueError as error:
        raise CatalogError(
            f"'{word}' is not understood", remedy="write phantom, phantom:COUNT or phantom:COUNT:SEED"
        ) from error
    if count < 1 or seed < 0:
        raise CatalogError(
            f"'{word}' asks for {'no slice' if count < 1 else 'a negative seed'}",
            remedy="write phantom:COUNT:SEED with a positive number and a seed of 0 or more",
        )
    return count, seed


def phantom_folder(word: str) -> Path:
    """Return the folder of the phantom set that `word` asks for, drawn into the user's cache if it is not there yet.

    Raises:
        CatalogError: the word is malformed.
        OutputError: the cache cannot be written.
    """
    count, seed = parse_phantom(word)
    folder = _cache() / f"phantom-v{VERSION}-{count}-{seed}"
    if not folder.is_dir():
        _draw_into_place(folder, count, seed)
    return folder


def write_phantom(folder: Path, count: int = DEFAULT_COUNT, *, seed: int = 0, side: int = 128) -> None:
    """Write `count` slices as ``<class>/*.png``, lesion masks as ``masks/<class>/*.png`` and an ``index.csv``."""
    rows = ["path,label,patient,sequence,plane,mask"]
    for number, drawn in enumerate(draw_phantom(count, seed=seed, side=side)):
        path = f"{drawn.label}/{drawn.patient}_{number:05d}_{drawn.sequence}.png"
        mask = f"masks/{path}" if drawn.mask.any() else ""
        _write_png(folder / path, drawn.image)
        if mask:
            _write_png(folder / mask, drawn.mask.astype(np.uint8) * 255)
        rows.append(f"{path},{drawn.label},{drawn.patient},{drawn.sequence},{drawn.plane},{mask}")
    (folder / "index.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def draw_phantom(count: int, *, seed: int = 0, side: int = 128) -> Iterator[PhantomSlice]:
    """Draw `count` slices, one patient after another; equal arguments give equal slices.

    Args:
        count: how many.
        seed: of everything random.
        side: height and width in pixels.
    """
    for number in range(count):
        patient, within = divmod(number, len(SEQUENCES))
        label, plane = CLASSES[patient % len(CLASSES)], PLANES[(patient // len(CLASSES)) % len(PLANES)]
        image, mask = _draw(
            np.random.default_rng([seed, patient]), np.random.default_rng([seed, patient, within]),
            label, SEQUENCES[within], plane, side,
        )  # fmt: skip
        yield PhantomSlice(image, mask, label, f"p{patient:04d}", SEQUENCES[within], plane)


def _draw(
    anatomy: np.random.Generator, scan: np.random.Generator, label: str, sequence: str, plane: str, side: int
) -> tuple[NDArray[np.uint8], Mask]:
    levels = {name: value * anatomy.uniform(0.85, 1.1) for name, value in LEVELS[sequence].items()}
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    y, x = _turned(y + anatomy.uniform(-0.04, 0.04), x + anatomy.uniform(-0.04, 0.04), anatomy.normal(0, 0.05))
    height, width = _head_shape(plane, anatomy)
    radius = np.sqrt((y / height) ** 2 + (x / width) ** 2) + _wobble(y, x, anatomy, 0.015)
    image = np.zeros((side, side), np.float32)
    image[radius < 1.0] = levels["scalp"]
    image[radius < 0.93] = levels["skull"]
    brain = radius < 0.87
    image[brain] = levels["gray"]
    image[brain & (radius + _wobble(y, x, anatomy, 0.09, 5.0) < 0.74)] = levels["white"]
    image[_ventricles(y, x, plane, anatomy) & brain] = levels["fluid"]
    image[brain & (np.abs(x) < 0.012) & (plane != "sagittal")] = levels["fluid"]
    mask = (
        _lesion(image, (y, x), (height, width), brain, label, levels, anatomy) if label != "notumor" else brain & False
    )
    return _scanned(image, anatomy, scan), mask


def _head_shape(plane: str, rng: np.random.Generator) -> tuple[float, float]:
    height, width = {"axial": (0.9, 0.72), "coronal": (0.8, 0.76), "sagittal": (0.76, 0.92)}[plane]
    return height * rng.uniform(0.95, 1.04), width * rng.uniform(0.95, 1.04)


def _ventricles(y: Plane, x: Plane, plane: str, rng: np.random.Generator) -> Mask:
    size = rng.uniform(0.8, 1.3)
    if plane == "sagittal":
        return np.asarray(((y + 0.1) / (0.09 * size)) ** 2 + ((x + 0.05) / (0.34 * size)) ** 2 < 1)
    length, slant = (0.3, 0.25) if plane == "axial" else (0.16, 0.6)
    across = np.abs(x) - 0.1 * size - slant * np.abs(y + 0.05) * 0.5
    return np.asarray((across / (0.055 * size)) ** 2 + ((y + 0.05) / (length * size)) ** 2 < 1)


def _lesion(
    image: Plane,
    grid: tuple[Plane, Plane],
    shape: tuple[float, float],
    brain: Mask,
    label: str,
    levels: dict[str, float],
    rng: np.random.Generator,
) -> Mask:
    """Paint a lesion of a class into `image` and return where it is."""
    y, x = grid
    height, width = shape
    side = rng.choice((-1, 1))
    if label == "meningioma":
        angle, size = rng.uniform(-1.2, 1.2), rng.uniform(0.14, 0.24)
        reach = 0.87 - 0.6 * size
        away = np.hypot(y - reach * height * np.sin(angle), x - side * reach * width * np.cos(angle))
        mass = brain & (away < size)
        image[mass] = levels["mass"]
        return mass
    if label == "pituitary":
        size = rng.uniform(0.1, 0.16)
        mass = brain & (np.hypot((y - 0.42 * height) / 0.85, x - rng.uniform(-0.04, 0.04)) < size)
        image[mass] = levels["mass"] * 0.92
        return mass
    size = rng.uniform(0.17, 0.27)
    away = np.hypot(y - rng.uniform(-0.4, 0.3) * height, x - side * rng.uniform(0.28, 0.42) * width)
    away = away + _wobble(y, x, rng, 0.05, 4.0)
    image[brain & (away < size * 1.5)] = levels["edema"]
    mass = brain & (away < size)
    image[mass] = levels["mass"]
    image[brain & (away < 0.6 * size)] = levels["core"]
    return mass


def _scanned(image: Plane, anatomy: np.random.Generator, scan: np.random.Generator) -> NDArray[np.uint8]:
    """Add what a scanner adds: texture, blur, a slow change of brightness, noise."""
    side = len(image)
    texture = cv2.GaussianBlur(anatomy.normal(0, 1, (side, side)).astype(np.float32), (0, 0), side / 60)
    image = image * (1 + 0.35 * texture)
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.5, side / 180)), np.float32)
    slope = np.linspace(-1, 1, side, dtype=np.float32)
    image = image * (1 + scan.uniform(-0.12, 0.12) * slope[:, None]) * (1 + scan.uniform(-0.12, 0.12) * slope)
    noise = scan.normal(0, scan.uniform(2, 6), (2, side, side)).astype(np.float32)
    return np.clip(np.hypot(image + noise[0], noise[1]) * scan.uniform(0.85, 1.05), 0, 255).astype(np.uint8)


def _turned(y: Plane, x: Plane, angle: float) -> tuple[Plane, Plane]:
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cosine * y - sine * x, sine * y + cosine * x


def _wobble(y: Plane, x: Plane, rng: np.random.Generator, depth: float, base: float = 2.0) -> Plane:
    """Return a smooth closed ripple around the middle, so that no outline is a perfect ellipse."""
    angle = np.arctan2(y, x)
    waves = [np.sin(round(base * k) * angle + rng.uniform(0, 6.3)) * rng.uniform(0.4, 1.0) / k for k in (1, 2, 3)]
    return np.asarray(depth * sum(waves), np.float32)


def _cache() -> Path:
    base = os.environ.get("TUMORSCOPE_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tumorscope"


def _draw_into_place(folder: Path, count: int, seed: int) -> None:
    """Draw beside the target and rename, so that a killed drawing leaves nothing that looks whole."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".phantom-", dir=folder.parent))
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror})", file=folder.parent, remedy="set TUMORSCOPE_CACHE to another folder"
        ) from error
    try:
        write_phantom(draft, count, seed=seed)
        draft.rename(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if not folder.is_dir():  # else another process was first
            raise OutputError(f"cannot be written ({error.strerror})", file=folder, remedy="free some space") from error


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    encoded = cv2.imencode(".png", image)[1]
    path.write_bytes(encoded.tobytes())
