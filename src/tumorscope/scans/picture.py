"""Pictures: JPEG, PNG, TIFF, BMP, GIF and WebP of any bit depth, gray, color or palette."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tumorscope.errors import ScanError
from tumorscope.scans.scan import LGG_SEQUENCES, MAX_PIXELS, MAX_SLICES, DecodedScan, Header, Pixels

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
SUBFILE_TYPE, REDUCED, TRANSPARENCY = 254, 1, 4
"""TIFF's tag of what a page is to the others, and its bits of a thumbnail and a transparency mask (TIFF 6.0)."""
SIXTEEN_TO_EIGHT_BITS = 257.0
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
UNEQUAL_STEP = 16
UNEQUAL_SHARE = 0.2
"""Of 157 color-noisy gray pictures of two public sets the most uneven has 0.18; of 2,934 LGG ones 19 have less."""
FOREGROUND = 20


def looks_like_picture(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a picture format that is read here."""
    return any(head.startswith(magic) for magics in MAGIC.values() for magic in magics)


class PictureScan(DecodedScan):
    """A picture of one page or several. Each page is a slice, 0 to 255, upright as its EXIF tag says.

    A color page becomes its luma; where the three channels of the first page hold three sequences (see
    `holds_sequences`), those of every page are kept.
    """

    def __init__(self, path: Path, image: Image.Image, pages: tuple[int, ...], max_pixels: int) -> None:
        self.source, self._image, self._pages, self._max_pixels = path, image, pages, max_pixels
        first = self._first_page()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        height, width = (image.height, image.width) if isinstance(first, ScanError) else first.shape[:2]
        super().__init__(
            path,
            Header(
                format=image.format or "",
                mode=self._mode,
                slices=len(pages),
                height=height,
                width=width,
                bits=bits_of(self._mode),
                sha256=digest,
                sequences=LGG_SEQUENCES if isinstance(first, np.ndarray) and first.ndim == 3 else (),
            ),
        )
        if isinstance(first, np.ndarray):
            self._last = (0, first)

    def close(self) -> None:
        """Close the file."""
        self._image.close()

    def _first_page(self) -> Pixels | ScanError:
        """Decode the first page, which tells what the channels hold; of several pages one may be damaged."""
        self._mode = self._image.mode
        try:
            pixels = self._page(0)
        except ScanError as error:
            if len(self._pages) == 1:
                raise
            return error
        return _gray_or_sequences(pixels) if pixels.ndim == 3 else pixels

    def _decode(self, index: int) -> Pixels:
        pixels = self._page(index)
        if pixels.ndim == 2:
            return np.repeat(pixels[..., None], 3, axis=-1) if self.header.sequences else pixels
        return pixels if self.header.sequences else _to_gray(pixels)

    def _page(self, index: int) -> Pixels:
        """Decode a page as it is stored: gray, or color."""
        with _said_of(self.source, index if len(self._pages) > 1 else None):
            self._image.seek(self._pages[index])
            _check_size(self._image, self.source, self._max_pixels)
            return _pixels(ImageOps.exif_transpose(self._image))


def open_picture(path: Path, max_pixels: int = MAX_PIXELS) -> PictureScan:
    """Open a picture; its first page is decoded at once.

    Raises:
        ScanError: the file is truncated, damaged, of an unknown mode, or has too many pages, or more pixels in one of
            them than `max_pixels`.
    """
    with _said_of(path):
        image = Image.open(path)
    try:
        with _said_of(path):
            pages = _slice_pages(image)
        _check_count(len(pages), path)
        _check_size(image, path, max_pixels)
        return PictureScan(path, image, pages, max_pixels)
    except BaseException:
        image.close()
        raise


def bits_of(mode: str) -> int:
    """Return how many bits a sample has in a mode of Pillow's."""
    if mode == "1":
        return 1
    return 8 if mode not in DEEP_MODES else 32 if mode in ("I", "F") else 16


def _slice_pages(image: Image.Image) -> tuple[int, ...]:
    """Return the numbers of the pages that are slices: in a TIFF no thumbnails and no masks, of a JPEG the first.

    What a camera appends to a JPEG (MPO) are previews and gain maps of the first picture.
    """
    count = 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))
    if image.format != "TIFF" or count == 1 or count > MAX_SLICES:
        return tuple(range(count))
    slices = []
    for page in range(count):
        image.seek(page)
        if not int(image.tag_v2.get(SUBFILE_TYPE, 0)) & (REDUCED | TRANSPARENCY):  # type: ignore[attr-defined]
            slices.append(page)
    image.seek(0)
    return tuple(slices) or (0,)


@contextmanager
def _said_of(path: Path, index: int | None = None) -> Iterator[None]:
    """Turn whatever Pillow's plugins raise of a damaged file into one error; warnings of odd tags change no pixel."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ScanError:
        raise
    except Exception as error:
        what = "is damaged or truncated" if index is None else f"is damaged or truncated in slice {index}"
        raise ScanError(f"{what} ({_reason(error, path)})", file=path, remedy="export or download it again") from error


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


def _check_count(pages: int, path: Path) -> None:
    if pages > MAX_SLICES:
        raise ScanError(f"holds {pages:,} pictures", file=path, remedy=f"split it below {MAX_SLICES:,}")


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
    return rgb


def _gray_or_sequences(rgb: Pixels) -> Pixels:
    return rgb if not _is_gray(rgb) and holds_sequences(rgb) else _to_gray(rgb)


def _to_gray(rgb: Pixels) -> Pixels:
    return np.ascontiguousarray(rgb[..., 0]) if _is_gray(rgb) else rgb @ LUMA


def _is_gray(rgb: Pixels) -> bool:
    return np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2])


def _over_black(image: Image.Image) -> Pixels:
    values = np.asarray(image, np.float32)
    return values[..., :-1] * (values[..., -1:] / 255.0)


def _deep_gray(image: Image.Image) -> Pixels:
    values = np.nan_to_num(np.asarray(image, np.float32), posinf=0.0, neginf=0.0)
    return values / SIXTEEN_TO_EIGHT_BITS if values.max(initial=0) > 255 else values


def _reason(error: Exception, path: Path) -> str:
    text = str(error).replace(f" {str(path)!r}", "")  # the error names its file itself
    return text.splitlines()[0][:80] if text else type(error).__name__
