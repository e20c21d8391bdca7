"""A whole fetch from a server on this machine: terms, archive, list, layout, and what stays behind when it fails."""

import hashlib
import io
import json
import stat
import sys
import zipfile

import h5py
import numpy as np
import pytest

from tumorscope.catalog import build_catalog
from tumorscope.errors import MissingExtraError, OutputError, UsageError
from tumorscope.fetch.checklist import Checklist, Line
from tumorscope.fetch.run import SOURCE, fetch, fetch_set
from tumorscope.fetch.sets import PublicSet, PublishedFile, public_set
from tumorscope.fetch.workspace import workspace
from tumorscope.scans import read_slice
from tumorscope.twins.atlas import LABELS, load_atlas

ZIP = "/files/drawn.zip"
NAVONEEL = "/api/v1/datasets/download/navoneel/brain-mri-images-for-brain-tumor-detection?datasetVersionNumber=1"
MASOUD = "/api/v1/datasets/download/masoudnickparvar/brain-tumor-mri-dataset?datasetVersionNumber=1"
LGG = "/api/v1/datasets/download/mateuszbuda/lgg-mri-segmentation?datasetVersionNumber=2"
RADIOPAEDIA = "/api/v1/datasets/download/fernando2rad/brain-tumor-mri-images-44c"


@pytest.fixture(scope="module")
def members(pictures):
    """A set of two parts and four classes, by path."""
    return {
        f"{part}/{label}/{part}-{name}": data
        for part, of_part in (("Training", slice(0, 2)), ("Testing", slice(2, 3)))
        for label, drawn in pictures.items()
        for name, data in drawn[of_part]
    }


@pytest.fixture(scope="module")
def checklist(members):
    lines = (Line("b", hashlib.sha256(data).hexdigest()[:16], path) for path, data in members.items())
    return Checklist(tuple(lines), complete=True)


@pytest.fixture
def drawn():
    """Return a function that describes the set that the server has."""

    def describe(use="open", **named):
        file = PublishedFile(name="drawn.zip", url=f"https://publisher.example{ZIP}", **named)
        return PublicSet(
            name="drawn", title="drawn slices", pictures=12, layout="class folders under splits",
            page="https://publisher.example", licence="CC0", use=use, cite="nobody", files=(file,),
        )  # fmt: skip

    return describe


def _everything_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_fetched_set_is_what_the_list_says_and_the_catalog_knows_it(
    server, tmp_path, drawn, members, checklist, zipped
):
    wrapped = {f"wrap/{path}": data for path, data in members.items()}
    server.put(ZIP, zipped(wrapped | {"wrap/README.md": b"read", "__MACOSX/wrap/._x": b"", "wrap/other/1.png": b"no"}))
    fetched = fetch(drawn(), tmp_path / "set", checklist, mirror=server.url)
    assert (fetched.layout, fetched.pictures) == ("class folders under splits", 12)
    assert fetched.checked == "12 byte for byte"
    assert _everything_in(tmp_path) == sorted(f"set/{path}" for path in [*members, "README.md", SOURCE])
    catalog = build_catalog([tmp_path / "set"])
    assert sorted(zip(catalog.table["label"], catalog.table["official"], strict=True)) == sorted(
        (path.split("/")[1], "train" if path.startswith("Training") else "test") for path in members
    )
    source = (tmp_path / "set" / SOURCE).read_text()
    assert "licence: CC0 (open)" in source
    assert f"https://publisher.example{ZIP} sha256 {hashlib.sha256(server.served[ZIP].data).hexdigest()}" in source


def test_a_file_that_differs_lacks_or_is_too_many_is_named_and_nothing_stays(
    server, tmp_path, drawn, members, checklist, zipped
):
    first, second, *_ = sorted(members)
    changed = members | {first: members[second], "Testing/glioma/more.png": members[first]}
    del changed[second]
    server.put(ZIP, zipped(changed))
    with pytest.raises(OutputError) as raised:
        fetch(drawn(), tmp_path / "set", checklist, mirror=server.url)
    said = str(raised.value)
    assert said.startswith("drawn: 3 of 12 files are not those of the list: ")
    assert {f"{first} differs", f"{second} lacks", "Testing/glioma/more.png is not in the list"} == set(
        said.split(": ", 2)[2].split("; ", maxsplit=1)[0].split(", ")
    )
    assert "\n" not in said
    assert list(tmp_path.iterdir()) == []
    assert fetch(drawn(), tmp_path / "set", checklist, mirror=server.url, check=False).pictures == 12


def test_an_archive_with_a_wrong_hash_leaves_nothing(server, tmp_path, drawn, members, zipped):
    server.put(ZIP, zipped(members))
    with pytest.raises(OutputError, match=r"drawn\.zip: is not the file that was published"):
        fetch(drawn(sha256="0" * 64), tmp_path / "set", mirror=server.url)
    assert list(tmp_path.iterdir()) == []


def test_a_publisher_s_record_is_compared_and_said_to_lack(server, tmp_path, drawn, members, zipped):
    data = zipped(members)
    server.put(ZIP, data)
    told = []
    record = "https://publisher.example/api/records/7"
    fetch(drawn(record=record), tmp_path / "unchecked", mirror=server.url, say=told.append)
    assert told == ["drawn.zip: the publisher's record cannot be had; its hash stays unchecked"]
    stated = f"md5:{hashlib.md5(data).hexdigest()}"
    server.put("/api/records/7", json.dumps({"files": [{"key": "drawn.zip", "checksum": stated}]}).encode())
    assert fetch(drawn(record=record), tmp_path / "set", mirror=server.url).pictures == 12
    server.put(ZIP, zipped(members | {"more": b""}))
    with pytest.raises(OutputError, match="md5 differs"):
        fetch(drawn(record=record), tmp_path / "other", mirror=server.url)


def test_a_broken_connection_leaves_no_set_and_the_next_call_goes_on(server, tmp_path, drawn, members, zipped):
    data = zipped({path: np.random.default_rng(0).bytes(40_000) for path in members} | {"a": b""})
    server.put(ZIP, data, cuts=[len(data) // 2, 0, 0, 0, 0])
    with pytest.raises(OutputError, match="goes on from there"):
        fetch(drawn(), tmp_path / "set", mirror=server.url, pause=0)
    assert _everything_in(tmp_path) == [".set.fetch/drawn.zip.part", ".set.fetch/drawn.zip.part.json"]
    kept = (tmp_path / ".set.fetch/drawn.zip.part").stat().st_size
    server.asked.clear()
    assert fetch(drawn(), tmp_path / "set", mirror=server.url).pictures == 12
    assert server.asked[0][1]["Range"] == f"bytes={kept}-"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("member", [
    "../evil.png", "/tmp/evil.png", "a/../../evil.png", "C:/evil.png", "..\\evil.png", "set//tmp/evil.png",
])  # fmt: skip
def test_a_member_that_leads_out_is_refused_before_anything_is_written(
    server, tmp_path, drawn, members, zipped, member
):
    server.put(ZIP, zipped(members | {member: b"evil"}))
    with pytest.raises(OutputError, match=r"drawn\.zip: has a member that leads out of its folder \(.*evil\.png\)"):
        fetch(drawn(), tmp_path / "in" / "set", mirror=server.url)
    assert _everything_in(tmp_path) == []


def test_a_link_in_an_archive_is_refused(server, tmp_path, drawn, members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("Training/glioma/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    server.put(ZIP, packed.getvalue())
    with pytest.raises(OutputError, match=r"leads out of its folder \(Training/glioma/link\.png\)"):
        fetch(drawn(), tmp_path / "set", mirror=server.url)
    assert list(tmp_path.iterdir()) == []


def test_two_processes_do_not_fetch_into_one_folder(server, tmp_path, drawn, members, zipped):
    server.put(ZIP, zipped(members))
    with workspace(tmp_path / "set"), pytest.raises(UsageError, match="is being fetched by another process"):
        fetch(drawn(), tmp_path / "set", mirror=server.url)
    assert fetch(drawn(), tmp_path / "set", mirror=server.url).pictures == 12


def test_what_is_no_zip_or_a_damaged_one_is_said_so(server, tmp_path, drawn, members, zipped):
    server.put(ZIP, b"<html>log in</html>")
    with pytest.raises(OutputError, match=r"drawn\.zip: is no whole zip"):
        fetch(drawn(), tmp_path / "set", mirror=server.url)
    data = bytearray(zipped(members))
    data[len(data) // 3] ^= 0xFF
    server.put(ZIP, bytes(data))
    with pytest.raises(OutputError, match=r"drawn\.zip: is no whole zip \(bad crc-32"):
        fetch(drawn(), tmp_path / "set", mirror=server.url)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_compressed_member_is_said_so(server, tmp_path, drawn):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Training/glioma/1.png", b"scan" * 4000)
    start = zipfile.ZipFile(packed).infolist()[0].header_offset + 30 + len("Training/glioma/1.png")
    data = packed.getvalue()
    server.put(ZIP, data[:start] + b"\xff" * 8 + data[start + 8 :])
    with pytest.raises(OutputError, match=r"drawn\.zip: is no whole zip"):
        fetch(drawn(), tmp_path / "set", mirror=server.url)
    assert list(tmp_path.iterdir()) == []


def test_terms_that_are_not_open_are_asked_for_before_anything_is_asked_of_the_server(
    server, tmp_path, drawn, members, zipped
):
    server.put(ZIP, zipped(members))
    for use in ("non-commercial", "unclear"):
        with pytest.raises(UsageError, match=r"nobody agreed to that; nothing was fetched; .* give --yes"):
            fetch(drawn(use), tmp_path / "set", mirror=server.url)
    asked = []
    with pytest.raises(UsageError):
        fetch(drawn("non-commercial"), tmp_path / "set", mirror=server.url, accept=asked.append)
    assert [one.licence for one in asked] == ["CC0"]
    assert server.asked == []
    assert fetch(drawn("unclear"), tmp_path / "set", mirror=server.url, accept=lambda _: True).pictures == 12


def test_what_is_not_installed_is_said_before_anything_is_downloaded(server, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"cheng_3064 needs h5py; pip install 'tumorscope\[fetch\]'"):
        fetch_set("cheng_3064", tmp_path / "set", mirror=server.url)
    assert server.asked == []


def test_a_folder_that_holds_something_is_left_alone(server, tmp_path, drawn):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not a new or empty folder"):
        fetch(drawn(), tmp_path, mirror=server.url)
    assert server.asked == []


@pytest.mark.parametrize("out", [".", "..", "/"])
def test_a_folder_without_a_name_of_its_own_is_refused_before_anything_is_downloaded(
    server, tmp_path, drawn, monkeypatch, out
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="name a folder"):
        fetch(drawn(), out, mirror=server.url)
    assert list(tmp_path.iterdir()) == []


def test_a_set_of_another_layout_than_it_should_have_is_refused(server, tmp_path, drawn, pictures, zipped):
    server.put(ZIP, zipped({f"yes/{name}": data for name, data in pictures["glioma"]}))
    with pytest.raises(OutputError, match="came as 'yes/no folders' and should be 'class folders under splits'"):
        fetch(drawn(), tmp_path / "set", mirror=server.url)
    assert list(tmp_path.iterdir()) == []


def test_known_sets_come_by_the_mirror_in_the_environment(server, tmp_path, monkeypatch, pictures, zipped):
    """As Kaggle has it, navoneel stands in the archive twice: bare and under a folder."""
    names = {"yes/Y1.jpg": pictures["glioma"][0][1], "no/1 no.jpeg": pictures["notumor"][0][1]}
    server.put(NAVONEEL, zipped(names | {f"brain_tumor_dataset/{path}": data for path, data in names.items()}))
    monkeypatch.setenv("TUMORSCOPE_MIRROR", f"{server.url}/")
    with pytest.raises(
        OutputError, match=r"navoneel_253: 253 of 253 files are not those of the list: no/1 no\.jpeg differs"
    ):
        fetch_set("navoneel_253", tmp_path / "set", accept=True)
    fetched = fetch_set("navoneel_253", tmp_path / "set", accept=True, check=False)
    assert (fetched.layout, fetched.pictures) == ("yes/no folders", 2)
    assert sorted(build_catalog([tmp_path / "set"]).table["label"]) == ["notumor", "tumor"]


def test_lgg_is_taken_from_the_first_of_its_two_places(server, tmp_path, pictures, zipped):
    patient = "TCGA_CS_4941_19960909/TCGA_CS_4941_19960909_1"
    slices = {
        f"kaggle_3m/{patient}.tif": pictures["glioma"][0][1],
        f"kaggle_3m/{patient}_mask.tif": pictures["glioma"][0][1],
    }
    twice = slices | {f"lgg-mri-segmentation/{path}": data for path, data in slices.items()}
    server.put(LGG, zipped(twice | {"kaggle_3m/data.csv": b"Patient\n"}))
    fetched = fetch_set("lgg_kaggle_3m", tmp_path / "lgg", accept=True, check=False, mirror=server.url)
    assert (fetched.layout, fetched.pictures) == ("kaggle_3m", 1)
    assert _everything_in(tmp_path / "lgg") == [SOURCE, f"{patient}.tif", f"{patient}_mask.tif", "data.csv"]


def test_folders_of_kinds_get_an_index(server, tmp_path, pictures, zipped):
    folders = {"Neurocitoma T1C+": "glioma", "_NORMAL T2": "notumor", "Granuloma T1": "meningioma"}
    server.put(
        RADIOPAEDIA,
        zipped({f"{folder}/{pictures[label][0][0]}": pictures[label][0][1] for folder, label in folders.items()}),
    )
    fetch_set("radiopaedia_44", tmp_path / "set", accept=True, check=False, mirror=server.url)
    table = build_catalog([tmp_path / "set"]).table
    assert sorted(zip(table["label"], table["kind"], table["sequence"], strict=True)) == [
        ("lesion", "granuloma", "T1"), ("notumor", "normal", "T2"), ("tumor", "neurocytoma", "T1ce"),
    ]  # fmt: skip


def test_cheng_s_matlab_files_become_pictures_with_patients_masks_and_folds(server, tmp_path, zipped):
    atlas = load_atlas()
    labels = {int(n): LABELS[label] for n, label in zip(atlas.index, atlas.label, strict=True)}
    image = np.arange(20).reshape(4, 5) * 100
    mask = np.zeros((4, 5), np.uint8)
    mask[1, 3] = 1
    chosen = public_set("cheng_3064")
    for number, file in zip((1, 800, 1600, 3064), chosen.files, strict=True):
        path = tmp_path / f"{number}.mat"
        _write_mat(path, image.astype(np.int16), mask, labels[number], f"p{number}")
        server.put(file.url.removeprefix("https://ndownloader.figshare.com"), zipped({path.name: path.read_bytes()}))
    unhashed = chosen.model_copy(
        update={"files": tuple(file.model_copy(update={"sha256": None}) for file in chosen.files)}
    )
    with pytest.raises(OutputError, match=r"3381290: is not the file that was published"):
        fetch(chosen, tmp_path / "set", mirror=server.url)
    with pytest.raises(OutputError, match=r"3,060 of 3,064 slices lack: 2\.mat"):
        fetch(unhashed, tmp_path / "set", mirror=server.url)
    fetched = fetch(chosen, tmp_path / "set", mirror=server.url, check=False)
    assert fetched.pictures == 4
    table = build_catalog([tmp_path / "set"]).table
    assert dict(zip(table["patient"], table["label"], strict=True)) == {
        f"p{n}": labels[n] for n in (1, 800, 1600, 3064)
    }
    assert set(table["sequence"]) == {"T1ce"}
    row = table[table["patient"] == "p800"].iloc[0]
    np.testing.assert_allclose(read_slice(row["file"]) * 257, image * (65535 // 1900), atol=0.6)
    np.testing.assert_array_equal(read_slice(tmp_path / "set" / row["mask"]) > 0, mask > 0)
    folds = {line.split(",")[5]: line.split(",")[6] for line in (tmp_path / "set/index.csv").read_text().split()[1:]}
    assert folds == {str(n): str(int(atlas.fold[atlas.index == n][0])) for n in (1, 800, 1600, 3064)}


def test_a_matlab_file_with_another_tumor_than_the_atlas_has_is_refused(tmp_path):
    from tumorscope.fetch.arrange import convert_cheng

    atlas = load_atlas()
    first = LABELS[atlas.label[atlas.index == 1][0]]
    other = next(label for label in LABELS if label != first)
    _write_mat(tmp_path / "1.mat", np.ones((4, 5), np.int16), np.ones((4, 5), np.uint8), other, "p")
    with pytest.raises(OutputError, match=rf"1\.mat: is a {other}, and known to be a {first}"):
        convert_cheng(tmp_path)


def _write_mat(path, image, mask, label, patient):
    """Write a slice as MATLAB 7.3 does: HDF5, columns first, text as numbers."""
    with h5py.File(path, "w") as file:
        data = file.create_group("cjdata")
        data["image"], data["tumorMask"] = image.T, mask.T
        data["label"] = [[{"meningioma": 1.0, "glioma": 2.0, "pituitary": 3.0}[label]]]
        data["PID"] = np.array([[ord(letter)] for letter in patient], np.uint16)


def test_masoud_s_parts_come_through(server, tmp_path, members, zipped):
    server.put(MASOUD, zipped(members))
    fetched = fetch_set("masoud_7023", tmp_path / "set", accept=True, check=False, mirror=server.url)
    assert (fetched.layout, fetched.pictures) == ("class folders under splits", 12)
