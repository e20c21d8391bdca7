"""Pictures in every mode and depth give the gray levels they hold."""

import numpy as np
import pytest
from PIL import Image

from tumorscope.errors import ScanError
from tumorscope.scans import read_scan
from tumorscope.scans.picture import holds_sequences

GRAY = np.add.outer(np.arange(24) * 4, np.arange(32) * 5).astype(np.uint8)  # 0 to 247


def _save(tmp_path, image, name="scan.png", **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def _palette(gray):
    image = Image.fromarray(255 - gray, "P")
    image.putpalette([level for index in range(256) for level in [255 - index] * 3])
    return image


MODES = {
    "gray": Image.fromarray,
    "RGB": lambda g: Image.fromarray(np.dstack([g] * 3)),
    "RGBA": lambda g: Image.fromarray(np.dstack([g] * 3 + [np.full_like(g, 255)])),
    "gray and alpha": lambda g: Image.fromarray(np.dstack([g, np.full_like(g, 255)]), "LA"),
    "palette": _palette,
    "16 bits": lambda g: Image.fromarray(g.astype(np.uint16) * 257),
}


@pytest.mark.parametrize("mode", MODES)
def test_one_picture_in_every_mode_has_one_content(tmp_path, mode):
    scan = read_scan(_save(tmp_path, MODES[mode](GRAY)))
    assert scan.pixels.dtype == np.float32
    assert scan.pixels.shape == (1, 24, 32)
    np.testing.assert_array_equal(scan.pixels[0], GRAY)
    assert scan.kind == "image"


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "gif", "webp"])
def test_lossless_formats_keep_every_level(tmp_path, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    scan = read_scan(_save(tmp_path, Image.fromarray(GRAY), f"scan.{suffix}", **options))
    np.testing.assert_array_equal(scan.pixels[0], GRAY)


def test_the_content_tells_the_format_and_not_the_name(tmp_path):
    path = _save(tmp_path, Image.fromarray(GRAY)).rename(tmp_path / "scan.jpg")
    scan = read_scan(path)
    assert scan.meta == {"format": "PNG", "mode": "L"}
    np.testing.assert_array_equal(scan.pixels[0], GRAY)


def test_sixteen_bits_that_hold_eight_are_taken_as_they_are(tmp_path):
    scan = read_scan(_save(tmp_path, Image.fromarray(GRAY.astype(np.uint16))))
    np.testing.assert_array_equal(scan.pixels[0], GRAY)


def test_floats_that_are_no_numbers_are_black(tmp_path):
    values = GRAY.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    scan = read_scan(_save(tmp_path, Image.fromarray(values), "scan.tif"))
    assert scan.pixels[0, 0, :3].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(scan.pixels[0, 1:], GRAY[1:])


def test_what_is_transparent_is_black(tmp_path):
    alpha = np.full_like(GRAY, 255)
    alpha[:12] = 0
    scan = read_scan(_save(tmp_path, Image.fromarray(np.dstack([np.full_like(GRAY, 200)] * 3 + [alpha]))))
    assert np.unique(scan.pixels[0, :12]).tolist() == [0]
    assert np.unique(scan.pixels[0, 12:]).tolist() == [200]


def test_a_color_becomes_its_luma(tmp_path):
    image = np.dstack([GRAY] * 3)
    image[5, 5] = 100, 200, 50  # one colored mark on a gray picture
    scan = read_scan(_save(tmp_path, Image.fromarray(image)))
    assert scan.pixels.shape == (1, 24, 32)
    assert scan.pixels[0, 5, 5] == pytest.approx(0.299 * 100 + 0.587 * 200 + 0.114 * 50, abs=1e-3)
    assert scan.pixels[0, 7, 9] == pytest.approx(GRAY[7, 9], abs=1e-3)


def test_three_unequal_planes_are_three_sequences_and_flair_is_the_second(tmp_path):
    planes = np.dstack([GRAY, 255 - GRAY, GRAY // 2])
    scan = read_scan(_save(tmp_path, Image.fromarray(planes), "scan.tif"))
    assert scan.has_sequences
    np.testing.assert_array_equal(scan.gray(), 255 - GRAY)
    np.testing.assert_array_equal(scan.gray(0, 2), GRAY // 2)


def test_sequences_are_told_from_noise_by_the_share_of_the_head_that_differs():
    rgb = np.zeros((100, 100, 3), np.float32)
    rgb[:50] = 100  # the head; the rest is background and does not count
    rgb[:10, :, 0] = 117  # exactly a fifth of the head is unequal
    assert not holds_sequences(rgb)
    rgb[10, :, 0] = 117
    assert holds_sequences(rgb)
    assert not holds_sequences(np.zeros((8, 8, 3), np.float32))


def test_an_upright_picture_is_read_as_its_tag_says(tmp_path):
    image, exif = Image.fromarray(GRAY), Image.Exif()
    exif[0x0112] = 6  # stored turned: rotate by 90 degrees clockwise to see it upright
    scan = read_scan(_save(tmp_path, image, exif=exif))
    np.testing.assert_array_equal(scan.pixels[0], np.rot90(GRAY, -1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; export or download it again"),
        (b"Dear doctor,", "is not an image of a known format"),
        (b"\xff\xd8\xff\xe0 no more", "is damaged or truncated"),
        (b"\x89PNG\r\n\x1a\n", "is damaged or truncated"),
        (b"RIFF and no more", "is damaged or truncated"),
    ],
)
def test_what_is_no_picture_is_one_line_that_names_the_file(tmp_path, content, said):
    path = tmp_path / "scan.png"
    path.write_bytes(content)
    with pytest.raises(ScanError) as caught:
        read_scan(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "gif", "bmp"])
def test_a_truncated_picture_is_an_error_and_no_gray_half(tmp_path, suffix, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    path = _save(tmp_path, Image.fromarray(noise), f"scan.{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ScanError, match="is damaged or truncated"):
        read_scan(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(ScanError, match="cannot be opened"):
        read_scan(tmp_path / "gone.png")
    with pytest.raises(ScanError, match="cannot be opened"):
        read_scan(tmp_path)


def test_a_picture_too_large_for_memory_is_refused_before_it_is_decoded(tmp_path):
    path = _save(tmp_path, Image.new("1", (9000, 8000)))
    with pytest.raises(ScanError, match=r"has 9000 x 8000 pixels; shrink it below 64 megapixels"):
        read_scan(path)
