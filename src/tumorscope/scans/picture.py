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

    A color page becomes its luma; where the three channels of the first page that shows anything hold three sequences
    (see `holds_sequences`), those of every page are kept.
    """

    def __init__(self, path: Path, max_pixels: int) -> None:
        self.source, self._max_pixels = path, max_pixels
        self._damaged: dict[int, ScanError] = {}
        self._open()
        try:
            mode, size = self._image.mode, self._image.size
            with _said_of(path):
                self._pages = _slice_pages(self._image)
            _check_count(len(self._pages), path)
            _check_size(self._image, path, max_pixels)
            first, sequences = self._look()
        except BaseException:
            self.close()
            raise
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, "sha256").hexdigest()
        height, width = size[::-1] if first is None else first.shape[:2]
        name = self._image.format or ""
        super().__init__(path, Header(name, mode, len(self._pages), height, width, bits_of(mode), digest, sequences))
        if first is not None:
            self._last = (0, first if sequences or first.ndim == 2 else _to_gray(first))

    def close(self) -> None:
        """Close the file."""
        self._image.close()
        self._file.close()

    def _open(self) -> None:
        """Open the file, not its path: Pillow maps an uncompressed TIFF that has a path, and then turns it wrongly."""
        self._at = -1
        self._file = self.source.open("rb")
        try:
            with _said_of(self.source):
                self._image = Image.open(self._file)
        except BaseException:
            self._file.close()
            raise

    def _look(self) -> tuple[Pixels | None, tuple[str, ...]]:
        """Decode pages until one shows anything; return the first, None if it is damaged, and what channels hold."""
        first: Pixels | None = None
        for index in range(len(self._pages)):
            try:
                pixels = self._page(index)
            except ScanError:
                if len(self._pages) == 1:
                    raise
                continue
            first = pixels if index == 0 else first
            if (pixels > FOREGROUND).any():
                holds = pixels.ndim == 3 and not _is_gray(pixels) and holds_sequences(pixels)
                return first, LGG_SEQUENCES if holds else ()
        return first, ()

    def _decode(self, index: int) -> Pixels:
        pixels = self._page(index)
        if pixels.ndim == 2:
            return np.repeat(pixels[..., None], 3, axis=-1) if self.header.sequences else pixels
        return pixels if self.header.sequences else _to_gray(pixels)

    def _page(self, index: int) -> Pixels:
        """Decode a page as it is stored: gray, or color; what was damaged once stays so.

        After an error Pillow gives whatever it holds, so the file is opened anew; frames of an animation build on
        those before them.
        """
        builds_on = [at for at in self._damaged if at == index or (at < index and self._image.format != "TIFF")]
        if builds_on:
            raise self._damaged[builds_on[0]]
        if index < self._at and self._image.format != "TIFF":
            self.close()
            self._open()
        several = (index + 1, len(self._pages)) if len(self._pages) > 1 else None
        try:
            with _said_of(self.source, several):
                self._image.seek(self._pages[index])
                self._at = index
                _check_size(self._image, self.source, self._max_pixels)
                return _pixels(ImageOps.exif_transpose(self._image))
        except ScanError as error:
            self._damaged[index] = error
            self.close()
            self._open()
            raise


def open_picture(path: Path, max_pixels: int = MAX_PIXELS) -> PictureScan:
    """Open a picture; pages are decoded until one shows anything, mostly the first.

    Raises:
        ScanError: the file is truncated, damaged, of an unknown mode, or has too many pages, or more pixels in one of
            them than `max_pixels`.
    """
    return PictureScan(path, max_pixels)


def bits_of(mode: str) -> int:
    """Return how many bits a sample has in a mode of Pillow's."""
    if mode == "1":
        return 1
    return 8 if mode not in DEEP_MODES else 32 if mode in ("I", "F") else 16


def _slice_pages(image: Image.Image) -> tuple[int, ...]:
    """Return the numbers of the pages that are slices: in a TIFF no thumbnails and no masks, of a JPEG the first.

    What a camera appends to a JPEG (MPO) are previews and gain maps of the first picture.
    """
    if image.format in ("JPEG", "MPO"):
        return (0,)
    if image.format != "TIFF":
        return tuple(range(int(getattr(image, "n_frames", 1))))
    slices = []
    for page in range(MAX_SLICES + 1):
        try:
            image.seek(page)
        except EOFError:
            break
        except Exception:  # a page without a readable header: it is told when it is read, and none can follow it
            slices.append(page)
            break
        if not int(image.tag_v2.get(SUBFILE_TYPE, 0)) & (REDUCED | TRANSPARENCY):  # type: ignore[attr-defined]
            slices.append(page)
    image.seek(0)
    return tuple(slices) or (0,)


@contextmanager
def _said_of(path: Path, number: tuple[int, int] | None = None) -> Iterator[None]:
    """Turn whatever Pillow's plugins raise of a damaged file into one error; warnings of odd tags change no pixel."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ScanError:
        raise
    except Exception as error:
        where = "" if number is None else " in slice {} of {}".format(*number)
        what = f"is damaged or truncated{where}"
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
    text = str(error).replace(f" <_io.BufferedReader name={str(path)!r}>", "")  # the error names its file itself
    return text.splitlines()[0][:80] if text else type(error).__name__
