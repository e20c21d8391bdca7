"""Pictures in every mode and depth give the gray levels they hold."""

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from tumorscope.errors import ScanError
from tumorscope.scans import open_scan
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
    scan = open_scan(_save(tmp_path, MODES[mode](GRAY)))
    assert scan.read(0).dtype == np.float32
    assert (scan.header.slices, scan.header.height, scan.header.width) == (1, 24, 32)
    np.testing.assert_array_equal(scan.read(0), GRAY)
    assert scan.header.sequences == ()


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "gif", "webp"])
def test_lossless_formats_keep_every_level(tmp_path, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    scan = open_scan(_save(tmp_path, Image.fromarray(GRAY), f"scan.{suffix}", **options))
    np.testing.assert_array_equal(scan.read(0), GRAY)


def test_the_content_tells_the_format_and_not_the_name(tmp_path):
    path = _save(tmp_path, Image.fromarray(GRAY)).rename(tmp_path / "scan.jpg")
    scan = open_scan(path)
    assert (scan.header.format, scan.header.mode, scan.header.bits) == ("PNG", "L", 8)
    np.testing.assert_array_equal(scan.read(0), GRAY)


def test_sixteen_bits_that_hold_eight_are_taken_as_they_are(tmp_path):
    scan = open_scan(_save(tmp_path, Image.fromarray(GRAY.astype(np.uint16))))
    np.testing.assert_array_equal(scan.read(0), GRAY)


def test_floats_that_are_no_numbers_are_black(tmp_path):
    values = GRAY.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    scan = open_scan(_save(tmp_path, Image.fromarray(values), "scan.tif"))
    assert scan.read(0)[0, :3].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(scan.read(0)[1:], GRAY[1:])


def test_what_is_transparent_is_black(tmp_path):
    alpha = np.full_like(GRAY, 255)
    alpha[:12] = 0
    scan = open_scan(_save(tmp_path, Image.fromarray(np.dstack([np.full_like(GRAY, 200)] * 3 + [alpha]))))
    assert np.unique(scan.read(0)[:12]).tolist() == [0]
    assert np.unique(scan.read(0)[12:]).tolist() == [200]


def test_a_color_becomes_its_luma(tmp_path):
    image = np.dstack([GRAY] * 3)
    image[5, 5] = 100, 200, 50  # one colored mark on a gray picture
    scan = open_scan(_save(tmp_path, Image.fromarray(image)))
    assert scan.read(0).shape == (24, 32)
    assert scan.read(0)[5, 5] == pytest.approx(0.299 * 100 + 0.587 * 200 + 0.114 * 50, abs=1e-3)
    assert scan.read(0)[7, 9] == pytest.approx(GRAY[7, 9], abs=1e-3)


def test_three_unequal_planes_are_three_sequences_and_flair_is_the_second(tmp_path):
    planes = np.dstack([GRAY, 255 - GRAY, GRAY // 2])
    scan = open_scan(_save(tmp_path, Image.fromarray(planes), "scan.tif"))
    assert scan.header.sequences == ("T1", "FLAIR", "T1ce")
    np.testing.assert_array_equal(scan.read(0), 255 - GRAY)
    np.testing.assert_array_equal(scan.read(0, "T1ce"), GRAY // 2)


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
    scan = open_scan(_save(tmp_path, image, exif=exif))
    np.testing.assert_array_equal(scan.read(0), np.rot90(GRAY, -1))


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
        open_scan(path)
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
        open_scan(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(ScanError, match="cannot be opened"):
        open_scan(tmp_path / "gone.png")
    with pytest.raises(ScanError, match="cannot be opened"):
        open_scan(tmp_path)


def test_a_picture_too_large_for_memory_is_refused_before_it_is_decoded(tmp_path):
    path = _save(tmp_path, Image.new("1", (9000, 8000)))
    with pytest.raises(ScanError, match=r"has 9000 x 8000 pixels; shrink it below 64 megapixels"):
        open_scan(path)


PAGES = [np.roll(GRAY, 3 * number, axis=1) for number in range(5)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("stack.tif", {}),
        ("stack.gif", {}),
        ("stack.webp", {"lossless": True}),
        ("stack.png", {}),
    ],
)
def test_every_page_of_a_file_is_a_slice(tmp_path, name, options):
    first, *others = map(Image.fromarray, PAGES)
    path = _save(tmp_path, first, name, save_all=True, append_images=others, **options)
    with open_scan(path) as scan:
        assert scan.header.slices == 5
        for read, page in zip(scan, PAGES, strict=True):
            np.testing.assert_array_equal(read, page)
        np.testing.assert_array_equal(scan.read(1), PAGES[1])  # and back again
        with pytest.raises(ScanError, match=r"has no slice 5; it holds 5"):
            scan.read(5)


def test_pages_may_differ_in_size_and_a_thumbnail_is_no_slice(tmp_path):
    small = Image.fromarray(GRAY[:12, :16])
    pages = [small.copy(), small.copy()]
    pages[0].encoderinfo = {"tiffinfo": {254: 1}}  # a picture of reduced resolution
    path = _save(tmp_path, Image.fromarray(GRAY), "stack.tif", save_all=True, append_images=pages)
    with open_scan(path) as scan:
        assert [slice_.shape for slice_ in scan] == [(24, 32), (12, 16)]


def test_what_a_camera_appends_to_a_jpeg_is_no_slice(tmp_path):
    shown, preview = Image.fromarray(GRAY), Image.fromarray(GRAY[:12, :16])
    path = _save(tmp_path, shown, "photo.jpg", format="MPO", save_all=True, append_images=[preview])
    with open_scan(path) as scan:
        assert scan.header.slices == 1
        assert scan.read(0).shape == (24, 32)


def test_a_damaged_page_is_named_and_the_others_are_read(tmp_path):
    first, *others = map(Image.fromarray, PAGES)
    path = _save(tmp_path, first, "stack.tif", save_all=True, append_images=others, compression="tiff_adobe_deflate")
    with open_scan(spoiled(path, 2)) as scan:
        with pytest.raises(ScanError, match=r"stack\.tif: is damaged or truncated in slice 3 of 5 "):
            scan.read(2)
        with pytest.raises(ScanError, match="in slice 3 of 5"):
            scan.read(2)
        np.testing.assert_array_equal(scan.read(3), PAGES[3])


def test_a_closed_scan_lets_go_of_its_file(tmp_path):
    path = _save(tmp_path, Image.fromarray(GRAY))
    with open_scan(path) as scan:
        assert len(scan.header.sha256) == 64
    path.unlink()
    np.testing.assert_array_equal(scan.read(0), GRAY)


def spoiled(path, page):
    """Overwrite the first bytes of a page of a TIFF."""
    with Image.open(path) as image:
        image.seek(page)
        at = image.tag_v2[273][0]  # type: ignore[attr-defined]
    data = bytearray(path.read_bytes())
    data[at : at + 20] = bytes(20)
    path.write_bytes(data)
    return path


def test_a_damaged_first_page_stays_damaged_however_often_it_is_read(tmp_path):
    first, *others = map(Image.fromarray, PAGES)
    path = _save(tmp_path, first, "stack.tif", save_all=True, append_images=others, compression="tiff_adobe_deflate")
    with open_scan(spoiled(path, 0)) as scan:
        for _ in range(2):
            with pytest.raises(ScanError, match="in slice 1 of 5"):
                scan.read(0)
        np.testing.assert_array_equal(scan.read(1), PAGES[1])


def test_a_page_without_a_header_is_told_and_those_before_it_are_read(tmp_path):
    first, *others = map(Image.fromarray, PAGES)
    path = _save(tmp_path, first, "stack.tif", save_all=True, append_images=others)
    with Image.open(path) as image:
        image.seek(2)
        data = bytearray(path.read_bytes())
        at = image._TiffImageFile__first  # type: ignore[attr-defined]
        for _ in range(2):  # along the chain of headers to the third
            count = int.from_bytes(data[at : at + 2], "little")
            at = int.from_bytes(data[at + 2 + 12 * count : at + 6 + 12 * count], "little")
    path.write_bytes(data[:at])
    with open_scan(path) as scan:
        assert scan.header.slices == 3
        np.testing.assert_array_equal(scan.read(1), PAGES[1])
        with pytest.raises(ScanError, match="in slice 3 of 3"):
            scan.read(2)


def test_a_black_first_page_does_not_decide_that_a_file_holds_no_sequences(tmp_path):
    rgb = np.dstack([GRAY, 255 - GRAY, np.full_like(GRAY, 90)])
    pages = [Image.fromarray(np.zeros_like(rgb)), Image.fromarray(rgb), Image.fromarray(rgb)]
    path = _save(tmp_path, pages[0], "stack.tif", save_all=True, append_images=pages[1:])
    with open_scan(path) as scan:
        assert scan.header.sequences == ("T1", "FLAIR", "T1ce")
        assert not scan.read(0).any()
        np.testing.assert_array_equal(scan.read(2), 255 - GRAY)


@pytest.mark.parametrize("name", ["stack.png", "stack.gif", "stack.webp", "stack.tif"])
def test_slices_are_read_in_any_order(tmp_path, name):
    first, *others = map(Image.fromarray, PAGES)
    options = {"lossless": True} if name.endswith("webp") else {}
    path = _save(tmp_path, first, name, save_all=True, append_images=others, **options)
    with open_scan(path) as scan:
        for index in (3, 1, 4, 0, 2, 1):
            np.testing.assert_array_equal(scan.read(index), PAGES[index])


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_turned_tiff_is_turned_back_compressed_or_not(tmp_path, compression):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = 6
    path = _save(tmp_path, Image.fromarray(GRAY), "turned.tif", tiffinfo=tags, compression=compression)
    with open_scan(path) as scan:
        np.testing.assert_array_equal(scan.read(0), np.rot90(GRAY, -1))
