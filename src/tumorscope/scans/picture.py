"""Pictures: JPEG, PNG, TIFF, BMP, GIF and WebP of any bit depth, gray, color or palette."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tumorscope.errors import ScanError
from tumorscope.scans.scan import MAX_PIXELS, Pixels, Scan

MAGIC = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "TIFF": (b"II*\x00", b"MM\x00*"),
    "BMP": (b"BM",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "WEBP": (b"RIFF",),
}
DEEP_MODES = ("I;16", "I;16L", "I;16B", "I", "F")
"""Of Pillow: gray with more than 8 bits a pixel."""
SIXTEEN_TO_EIGHT_BITS = 257.0
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
UNEQUAL_STEP = 16
UNEQUAL_SHARE = 0.2
"""Of 157 color-noisy gray pictures of two public sets the most uneven has 0.18; of 2,934 LGG ones 19 have less."""
FOREGROUND = 20


def looks_like_picture(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a picture format that is read here."""
    return any(head.startswith(magic) for magics in MAGIC.values() for magic in magics)


def read_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Scan:
    """Read a picture as one slice, 0 to 255, upright as its EXIF tag says.

    A color picture becomes its luma; one whose three planes hold three sequences keeps them (see `holds_sequences`).

    Raises:
        ScanError: the file is truncated, damaged, of an unknown mode, or has more pixels than `max_pixels`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd tags and palettes that change no pixel
            with Image.open(path) as image:
                file_format, mode = image.format, image.mode
                _check_size(image, path, max_pixels)
                pixels = _pixels(ImageOps.exif_transpose(image))
    except ScanError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever they meet in a damaged file
        raise ScanError(
            f"is damaged or truncated ({_reason(error, path)})", file=path, remedy="export or download it again"
        ) from error
    return Scan(pixels[None], "image", path, meta={"format": file_format, "mode": mode})


def holds_sequences(rgb: Pixels) -> bool:
    """Tell a picture whose planes are three MRI sequences from a gray one saved as color.

    Planes of the LGG set differ over most of the head; in a gray picture with colored marks, or with the color noise
    of JPEG, only few pixels differ.

    Args:
        rgb: ``(height, width, 3)``, 0 to 255.
    """
    brightest = rgb.max(axis=-1)
    foreground = brightest > FOREGROUND
    unequal = brightest - rgb.min(axis=-1) > UNEQUAL_STEP
    return bool(unequal[foreground].mean() > UNEQUAL_SHARE) if foreground.any() else False


def _check_size(image: Image.Image, path: Path, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise ScanError(
            f"has {image.width} x {image.height} pixels",
            file=path,
            remedy=f"shrink it below {max_pixels // 1_000_000} megapixels",
        )


def _pixels(image: Image.Image) -> Pixels:
    if image.mode in DEEP_MODES:
        return _deep_gray(image)
    if image.mode in ("L", "1"):
        return np.asarray(image.convert("L"), np.float32)
    if image.mode in ("LA", "La"):
        return _over_black(image.convert("LA"))[..., 0]
    if image.mode in ("RGBA", "RGBa", "PA") or "transparency" in image.info:
        rgb = _over_black(image.convert("RGBA"))
    else:
        rgb = np.asarray(image.convert("RGB"), np.float32)
    return _gray_or_sequences(rgb)


def _gray_or_sequences(rgb: Pixels) -> Pixels:
    if np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2]):
        return np.ascontiguousarray(rgb[..., 0])
    return rgb if holds_sequences(rgb) else rgb @ LUMA


def _over_black(image: Image.Image) -> Pixels:
    values = np.asarray(image, np.float32)
    return values[..., :-1] * (values[..., -1:] / 255.0)


def _deep_gray(image: Image.Image) -> Pixels:
    values = np.nan_to_num(np.asarray(image, np.float32), posinf=0.0, neginf=0.0)
    return values / SIXTEEN_TO_EIGHT_BITS if values.max(initial=0) > 255 else values


def _reason(error: Exception, path: Path) -> str:
    text = str(error).replace(f" {str(path)!r}", "")  # the error names its file itself
    return text.splitlines()[0][:80] if text else type(error).__name__
