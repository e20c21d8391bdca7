"""Zips from outside: what a good one gives, and every kind of hostile one that is refused without a file elsewhere."""

import io
import stat
import struct
import zipfile

import pytest

from tumorscope.serve.audits.unpack import ZipLimits, ZipRefusedError, check_zip, unpack_zip

LIMITS = ZipLimits(files=20, total_bytes=60_000_000, file_bytes=55_000_000, ratio=50, depth=3, name_bytes=40)


@pytest.fixture
def archive(tmp_path):
    """Return a function that writes a zip of members by name; a value may be (bytes, unix mode)."""

    def write(members, name="given.zip", packing=zipfile.ZIP_DEFLATED):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", packing) as opened:
            for member, value in members.items() if isinstance(members, dict) else members:
                data, mode = value if isinstance(value, tuple) else (value, stat.S_IFREG | 0o644)
                info = zipfile.ZipInfo(member)
                info.filename = member  # the constructor would mend it
                info.external_attr = mode << 16
                info.compress_type = packing
                opened.writestr(info, data)
        return path

    return write


@pytest.fixture
def refused(tmp_path):
    """Return a function that gives the reason for which a zip is refused, and sees that nothing was written at all."""

    def reason(path, limits=LIMITS):
        folder = tmp_path / "inside"
        folder.mkdir()
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ZipRefusedError) as checked:
            check_zip(path, limits)
        with pytest.raises(ZipRefusedError):
            unpack_zip(path, folder, limits)
        assert sorted(tmp_path.rglob("*")) == before
        return checked.value.what

    return reason


def test_a_good_zip_gives_its_files_without_clutter_and_with_forward_slashes(archive, tmp_path):
    path = archive(
        {
            "set/": b"",
            "set/yes/1.jpg": b"one",
            "set\\no\\2.jpg": b"two",
            "__MACOSX/set/._1.jpg": b"x",
            "set/ü é.txt": b"3",
        }
    )
    folder = tmp_path / "inside"
    folder.mkdir()
    assert check_zip(path, LIMITS) == 3
    assert sorted(unpack_zip(path, folder, LIMITS)) == ["set/no/2.jpg", "set/yes/1.jpg", "set/ü é.txt"]
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == {"set/yes/1.jpg": b"one", "set/no/2.jpg": b"two", "set/ü é.txt": b"3"}


@pytest.mark.parametrize(
    "name",
    [
        "../out.txt",
        "a/../../out.txt",
        "/etc/out.txt",
        "C:\\out.txt",
        "..\\out.txt",
        "a//b.txt",
        "a/../b.txt",
        "\\out.txt",
    ],
)
def test_a_member_that_leads_out_is_refused(archive, refused, name):
    assert "leads out" in refused(archive({"a/1.jpg": b"1", name: b"2"}))


def test_a_name_with_nul_is_refused(archive, refused):
    path = archive({"a/1.jpgX.png": b"1"})
    path.write_bytes(path.read_bytes().replace(b"1.jpgX.png", b"1.jpg\0.png"))
    assert "leads out" in refused(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(archive, refused, kind):
    assert "is a link" in refused(archive({"a/1.jpg": b"1", "a/etc": (b"/etc", kind | 0o777)}))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({f"a/{n}.jpg": b"1" for n in range(21)}, "more than 20 files"),
        ({"a/b/c/d/e.jpg": b"1"}, "deeper than 3"),
        ({"a/" + "x" * 41: b"1"}, "too long"),
        ({"a/big.png": bytes(56_000_000)}, "unpacks to more"),
        ({f"a/{n}.png": bytes(31_000_000) for n in range(2)}, "unpacks to more"),
        ({"a/bomb.png": bytes(54_000_000)}, "times its size"),
        ({"__MACOSX/x": b"1"}, "holds no file"),
        ([("a/1.jpg", b"1"), ("a\\1.jpg", b"2")], "two files of one path"),
        ([("a", b"1"), ("a/1.jpg", b"2")], "two files of one path"),
    ],
)
def test_limits(archive, refused, members, reason):
    assert reason in refused(archive(members))


def test_what_is_no_zip_is_refused(tmp_path, refused):
    path = tmp_path / "x.zip"
    path.write_bytes(b"\x89PNG" + bytes(5000))
    assert "no whole zip" in refused(path)


def test_a_long_list_of_files_is_refused_before_it_is_read(archive, refused):
    path = archive({"a/1.jpg": b"1"})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, len(data) - 10, LIMITS.files * 400 + 1)
    path.write_bytes(data)
    assert "more than 20 files" in refused(path)


def test_a_long_list_in_a_large_archive_is_refused_before_it_is_read(archive, refused):
    path = archive({"a/1.jpg": b"1"})
    data = path.read_bytes()
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 1 << 33, 0)
    pointer = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(data) - 22, 1)
    path.write_bytes(data[:-22] + record + pointer + data[-22:])
    assert "more than 20 files" in refused(path)


def test_an_encrypted_zip_is_refused_while_it_is_unpacked(archive, tmp_path):
    path = archive({"a/1.jpg": b"1"}, packing=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    folder = tmp_path / "inside"
    folder.mkdir()
    with pytest.raises(ZipRefusedError, match="encrypted"):
        unpack_zip(path, folder, LIMITS)


def test_a_member_that_lies_about_its_size_writes_no_more_than_it_stated(archive, tmp_path):
    path = archive({"a/1.jpg": bytes(range(256)) * 1000})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", data, data.index(signature) + offset, 100)
    path.write_bytes(data)
    folder = tmp_path / "inside"
    folder.mkdir()
    with pytest.raises(ZipRefusedError):
        unpack_zip(path, folder, LIMITS)
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 100


def test_every_truncation_and_many_mutations_are_refused_or_read_never_worse(archive, tmp_path):
    whole = archive({"a/1.jpg": b"one" * 50, "b/2.jpg": b"two" * 50}).read_bytes()
    harmed = [whole[:end] for end in range(0, len(whole), 7)]
    harmed += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, len(whole), 3)]
    for number, data in enumerate(harmed):
        path, folder = tmp_path / "harmed.zip", tmp_path / f"inside{number}"
        path.write_bytes(data)
        folder.mkdir()
        try:
            written = unpack_zip(path, folder, LIMITS)
        except ZipRefusedError:
            continue
        assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == set(written)
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
