"""Whatever a file holds, its reader gives a scan or a `ScanError` that names the file."""

from io import BytesIO
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tumorscope.errors import ScanError
from tumorscope.scans import looks_like_scan, open_scan, read_slice

MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "GIF": ("1", "L", "P", "RGB"),
    "WEBP": ("L", "RGB", "RGBA"),
}
BYTES_A_PIXEL = {"LA": 2, "RGB": 3, "YCbCr": 3, "LAB": 3, "RGBA": 4, "CMYK": 4, "I;16": 2, "I": 4, "F": 4}
DEEP = ("I;16", "I", "F")
SEVERAL_PAGES = ("TIFF", "GIF", "WEBP")
STARTS = (
    b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"BM", b"GIF89a",
    b"RIFF\x40\0\0\0WEBPVP8 ", b"RIFF\x40\0\0\0WEBPVP8L", bytes(128) + b"DICM", bytes(344) + b"n+1\0", b"",
)  # fmt: skip
MOST_PIXELS = 1_000_000
"""In a slice; what a damaged header claims is not worth decoding here."""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file that every example writes anew."""
    return tmp_path_factory.mktemp("readers") / "scan.dat"


@st.composite
def pictures(draw):
    """Return format, mode, shapes (height, width) of the pages, and the bytes of a valid file."""
    file_format = draw(st.sampled_from(sorted(MODES)))
    mode = draw(st.sampled_from(MODES[file_format]))
    pages = draw(st.integers(1, 3)) if file_format in SEVERAL_PAGES else 1
    side = st.integers(1, 24)
    first = draw(st.tuples(side, side))
    shapes = [draw(st.tuples(side, side)) if file_format == "TIFF" else first for _ in range(pages)]
    noise = np.random.default_rng(draw(st.integers(0, 999)))
    images = [_noisy(mode, shape, noise) for shape in shapes]
    file = BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if pages > 1 else {}
    images[0].save(file, file_format, **more)
    return file_format, mode, shapes, file.getvalue()


def _noisy(mode, shape, noise):
    height, width = shape
    if mode == "1":
        return Image.fromarray(noise.integers(0, 2, shape).astype(bool))
    image = Image.frombytes(mode, (width, height), noise.bytes(prod(shape) * BYTES_A_PIXEL.get(mode, 1)))
    if mode == "P":
        image.putpalette(noise.bytes(768))
    return image


@settings(max_examples=200, deadline=None)
@given(picture=pictures())
def test_every_valid_picture_is_a_scan_of_the_shape_it_has(path, picture):
    file_format, mode, shapes, content = picture
    path.write_bytes(content)
    assert looks_like_scan(path)
    with open_scan(path) as scan:
        assert scan.header.format == file_format
        if file_format == "TIFF" or len(shapes) == 1:  # the others keep equal frames once
            assert scan.header.slices == len(shapes)
        for index in range(scan.header.slices):
            pixels = scan.read(index)
            assert pixels.shape == shapes[index]
            _check(pixels)
            assert mode in DEEP or 0 <= pixels.min() <= pixels.max() <= 255
    np.testing.assert_array_equal(read_slice(path, scan.header.slices - 1), pixels)


@settings(max_examples=200, deadline=None)
@given(picture=pictures(), share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_picture_is_a_scan_or_an_error(path, picture, share):
    content = picture[-1]
    _read_all(path, content[: int(share * len(content))])


@settings(max_examples=300, deadline=None)
@given(
    picture=pictures(),
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_picture_with_wrong_bytes_is_a_scan_or_an_error(path, picture, damage):
    content = bytearray(picture[-1])
    for place, value in damage:
        content[int(place * len(content))] = value
    _read_all(path, bytes(content))


@settings(max_examples=300, deadline=None)
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=300))
def test_any_bytes_are_a_scan_or_an_error(path, start, rest):
    _read_all(path, start + rest)


@settings(max_examples=50, deadline=None)
@given(picture=pictures(), index=st.integers(-3, 6))
def test_a_slice_that_is_not_there_is_an_error(path, picture, index):
    path.write_bytes(picture[-1])
    with open_scan(path) as scan:
        if 0 <= index < scan.header.slices:
            return
        with pytest.raises(ScanError, match=f"has no slice {index}"):
            scan.read(index)


def _read_all(path, content):
    """Read every slice of a file; whatever is no pixels must be a `ScanError` that names it."""
    path.write_bytes(content)
    looks_like_scan(path)
    try:
        scan = open_scan(path, max_pixels=MOST_PIXELS)
    except ScanError as error:
        _says_what_to_do(error, path)
        return
    with scan:
        for index in range(scan.header.slices):
            try:
                _check(scan.read(index))
            except ScanError as error:
                _says_what_to_do(error, path)


def _says_what_to_do(error, path):
    assert error.file == str(path)
    assert error.remedy


def _check(pixels):
    assert pixels.dtype == np.float32
    assert pixels.ndim == 2
    assert pixels.size
    assert np.isfinite(pixels).all()
