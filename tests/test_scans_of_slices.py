"""A file of several slices on its way through the whole house: every slice is kept, and none is taken for the file."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumorscope.audits.audit import run_audit
from tumorscope.catalog import Catalog, add_groups, assign_split, build_catalog, write_catalog
from tumorscope.catalog.phantom import write_phantom
from tumorscope.catalog.prepare import prepare
from tumorscope.catalog.slices import SliceRow, map_slices, mask_files, read_mask, slice_keys, slice_rows
from tumorscope.errors import CatalogError, ScanError
from tumorscope.evaluation import evaluate
from tumorscope.evaluation.overlap import find_overlap
from tumorscope.inference import load
from tumorscope.inference.inputs import read_inputs
from tumorscope.inference.model import BATCH, WINDOW
from tumorscope.preprocess import Spec
from tumorscope.scans import DecodedScan, Header, Reader, ScanRef, open_scan, read_slice, registry

MAGIC = b"STACK\n"
SLICES, SCANS = 5, 48


class StackScan(DecodedScan):
    """A format that nobody else has: arrays one after the other, which may differ in size; an empty one is damaged."""

    def __init__(self, path):
        content = path.read_bytes()
        with np.load(io.BytesIO(content.removeprefix(MAGIC))) as stored:
            self._slices = [stored[name] for name in stored.files]
        height, width = self._slices[0].shape
        super().__init__(
            path, Header("STACK", "L", len(self._slices), height, width, 8, hashlib.sha256(content).hexdigest())
        )

    def _decode(self, index):
        if not self._slices[index].size:
            raise ScanError(f"is damaged in slice {index}", file=self.source)
        return self._slices[index].astype(np.float32)


def write_stack(path, slices):
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    np.savez(out, *slices)
    path.write_bytes(MAGIC + out.getvalue())
    return path


def bright_quadrant(number):
    image, (top, left) = np.zeros((32, 32), np.uint8), divmod(number, 2)
    image[16 * top : 16 * top + 16, 16 * left : 16 * left + 16] = 255
    return image


@pytest.fixture(autouse=True)
def _stack_reader(monkeypatch):
    reader = Reader("stack", lambda head: head.startswith(MAGIC), lambda path, _: StackScan(path))
    monkeypatch.setattr(registry, "READERS", (*registry.READERS, reader))


@pytest.fixture
def stacks(tmp_path):
    """The pictures of a phantom, five of a class to a file, in class folders."""
    write_phantom(tmp_path / "flat", SLICES * SCANS, seed=1, side=64)
    table = build_catalog([tmp_path / "flat"]).table
    for label, rows in table.groupby("label"):
        files = rows["file"].to_list()
        for start in range(0, len(files), SLICES):
            pixels = [read_slice(file) for file in files[start : start + SLICES]]
            write_stack(tmp_path / "stacks" / label / f"{start // SLICES:02}.stack", pixels)
    return tmp_path / "stacks"


@pytest.fixture
def catalog(stacks):
    return assign_split(add_groups(build_catalog([stacks]), use_atlas=False), "grouped", seed=0)


def test_a_row_is_a_slice_and_the_slices_of_a_scan_stay_together(catalog, tmp_path):
    table = catalog.table
    assert len(table) == SLICES * SCANS
    assert table.groupby("path")["slice"].apply(list).map(lambda found: found == [0, 1, 2, 3, 4]).all()
    assert (table["series"] == table["path"]).all()
    assert len(set(slice_keys(table))) == len(table)
    for column in ("group", "cluster", "split"):
        assert (table.groupby("path")[column].nunique() == 1).all()
    write_catalog(catalog, tmp_path / "catalog.csv")
    again = Catalog.read(tmp_path / "catalog.csv", [catalog.roots["stacks"]])
    assert list(slice_keys(again.table)) == list(slice_keys(table))


def test_neighbors_within_a_scan_are_no_twins_and_a_copied_scan_is(stacks):
    original = next((stacks / "glioma").iterdir())
    slices = [*StackScan(original)]
    write_stack(stacks / "glioma" / "copy.stack", slices)
    write_stack(stacks / "glioma" / "still.stack", [slices[0]] * SLICES)
    catalog = add_groups(build_catalog([stacks]), use_atlas=False)
    table, pairs = catalog.table, catalog.pairs
    paths = table["path"].to_numpy()
    assert (paths[pairs["a"].to_numpy(int)] != paths[pairs["b"].to_numpy(int)]).all()
    copies = table[table["path"] == "glioma/copy.stack"]
    assert list(copies["twin_of"]) == [f"glioma/{original.name} [{number}]" for number in range(SLICES)]


def test_the_audit_counts_files_and_names_slices(stacks, tmp_path):
    original = next((stacks / "glioma").iterdir())
    write_stack(stacks / "meningioma" / "copy.stack", [*StackScan(original)])
    audit = run_audit([stacks], use_atlas=False)
    assert audit.summary["images"] == SCANS + 1
    conflicts = str(audit.summary["label_conflicts"])
    assert f"{original.name} [0]" in conflicts
    assert "copy.stack [4]" in conflicts


def test_training_takes_every_slice(catalog, tmp_path):
    pytest.importorskip("torch")
    from tumorscope.training.cache import build_cache
    from tumorscope.training.samples import training_table

    table = training_table(catalog, catalog.classes)
    assert len(table) == SLICES * SCANS
    spec = Spec(side=64, crop=False, fit="stretch", window="none")
    cache = build_cache(table, spec, tmp_path / "cache")
    for number, row in enumerate(slice_rows(table.head(12))):
        expected = [*StackScan(Path(row.file))][row.index]
        np.testing.assert_array_equal(cache.images[number, ..., 0], np.rint(expected))


def test_prepare_writes_a_picture_of_every_slice(stacks, tmp_path):
    prepared = prepare(stacks, out=tmp_path / "out", side=64)
    assert len(prepared.table) == SLICES * SCANS == len(list((tmp_path / "out").rglob("*.png")))
    assert (tmp_path / "out" / "glioma" / "00_004.png").is_file()


def test_a_half_readable_scan_gives_its_slices_and_names_the_others(stacks):
    slices = [*StackScan(stacks / "glioma" / "00.stack")]
    write_stack(stacks / "glioma" / "00.stack", [*slices[:2], np.zeros((0, 0)), *slices[3:]])
    catalog = build_catalog([stacks])
    assert len(catalog.table) == SLICES * SCANS - 1
    assert catalog.unreadable == [{"path": "glioma/00.stack [2]", "problem": "is damaged in slice 2"}]


def test_an_evaluation_counts_every_slice_and_resamples_scans(catalog, quadrant_model):
    measured = evaluate(load(quadrant_model), catalog, split="all")
    findings = measured.findings
    assert len(findings) == SLICES * SCANS
    assert findings.groupby("path")["slice"].nunique().eq(SLICES).all()
    assert findings["cluster"].nunique() == SCANS


def test_a_model_knows_the_slices_it_was_fitted_to(catalog):
    fitted = catalog.table.assign(group=[f"row:{row}" for row in range(len(catalog.table))])
    fitted = fitted.assign(split=np.where(catalog.table["slice"] == 0, "train", "test"))
    overlap = find_overlap(catalog, trained_on=fitted)
    assert list(overlap.seen) == [number == 0 for number in catalog.table["slice"]]


def test_the_slices_of_a_scan_are_answered_one_by_one_and_amount_to_a_volume(quadrant_model, tmp_path):
    bright = [bright_quadrant(number) for number in (2, 2, 0, 2, 2)]
    scan, alone = write_stack(tmp_path / "a.stack", bright), write_stack(tmp_path / "b.stack", bright[:1])
    *slices, volume, other = load(quadrant_model).predict([scan, alone], out=tmp_path / "out")
    assert [(one.kind, one.slice, one.label) for one in slices] == [
        ("slice", number, "glioma" if number == 2 else "notumor") for number in range(SLICES)
    ]
    assert [Path(one.heatmap).name for one in slices] == [f"a.{number}.png" for number in range(SLICES)]
    assert (volume.kind, volume.label, volume.speaker) == ("volume", "glioma", 2)
    assert (other.kind, other.slice) == ("slice", None)


def test_memory_holds_a_window_of_slices_however_many_a_scan_has(quadrant_model, tmp_path, monkeypatch):
    """Slices are counted from their decoding to their finding; a reader that runs ahead would pile them up."""
    count, ahead, most = 400, 0, 0
    decode = StackScan._decode

    def counted(self, index):
        nonlocal ahead, most
        ahead += 1
        most = max(most, ahead)
        return decode(self, index)

    monkeypatch.setattr(StackScan, "_decode", counted)
    scan = write_stack(tmp_path / "long.stack", [bright_quadrant(number % 4) for number in range(count)])
    found = 0
    for finding in load(quadrant_model, threads=2).iter_findings([scan]):
        ahead -= finding.kind == "slice"
        found += finding.kind == "slice"
    assert found == count
    assert most <= WINDOW + 8 * BATCH


def test_a_slice_that_cannot_be_read_is_a_finding_of_its_own(quadrant_model, tmp_path):
    slices = [bright_quadrant(0), np.zeros((0, 0)), bright_quadrant(2)]
    findings = load(quadrant_model).predict(write_stack(tmp_path / "a.stack", [slices[0], *slices[1:]]))
    assert [(one.kind, one.status) for one in findings] == [
        ("slice", "ok"), ("slice", "error"), ("slice", "ok"), ("volume", "ok"),
    ]  # fmt: skip
    assert findings[1].slice == 1
    assert findings[-1].message == "slice 2 could not be read"


def test_a_model_of_three_sequences_takes_a_gray_scan_nowhere(tmp_path):
    """The rule of `predict` is that of training and evaluation: a gray picture is not taken three times."""
    scan = write_stack(tmp_path / "gray.stack", [bright_quadrant(0)])
    (item,) = read_inputs(ScanRef(str(scan)), Spec(side=32, channels="lgg"))
    with pytest.raises(ScanError) as raised:
        next(map_slices([SliceRow(str(scan))], lambda read: read, channels="lgg"))
    assert item.error.what == raised.value.what == "is gray, and the model needs three sequences in one picture"


def test_masks_follow_one_rule(tmp_path):
    """A mask of another size is brought to that of its slice; one of another number of slices is refused."""
    picture, mask = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64), np.zeros((32, 32), np.uint8)
    mask[8:16, 8:16] = 255
    scan = write_stack(tmp_path / "scan.stack", [picture] * 2)
    fits, other = write_stack(tmp_path / "m.stack", [mask, 0 * mask]), write_stack(tmp_path / "n.stack", [mask])
    rows = [SliceRow(str(scan), number, None, str(fits)) for number in range(2)]
    first, second = map_slices(rows, lambda read: read.mask, masks=True)
    assert first.shape == (64, 64)
    assert np.argwhere(first).min(axis=0).tolist() == [16, 16]
    assert first.sum() == 16 * 16
    assert not second.any()
    with pytest.raises(ScanError, match=r"n\.stack: has 1 slice\(s\), and the scan it is the mask of has 2"):
        read_mask(SliceRow(str(scan), 1, None, str(other)), (64, 64), slices=2)


def test_a_slice_is_read_where_it_lies_whatever_was_read_before(stacks):
    table = build_catalog([stacks]).table.sample(frac=1, random_state=0).reset_index(drop=True)
    rows = slice_rows(table)
    means = [*map_slices(rows, lambda read: float(read.pixels.mean()))]
    for row, mean in zip(rows, means, strict=True):
        with open_scan(row.file) as scan:
            assert mean == float(scan.read(row.index).mean())


def test_a_mask_in_color_is_drawn_where_any_channel_is(tmp_path):
    red = np.zeros((32, 32, 3), np.uint8)
    red[8:16, 8:16, 0] = 255
    Image.fromarray(red).save(tmp_path / "mask.png")
    mask = read_mask(SliceRow("scan.png", mask=str(tmp_path / "mask.png")), (32, 32))
    assert mask is not None
    assert mask.sum() == 64


@pytest.mark.parametrize(("column", "text"), [("slice", "-1"), ("slice", "two"), ("channel", "²")])
def test_a_number_of_an_index_that_is_none_is_named_with_its_line(stacks, column, text):
    (stacks / "index.csv").write_text(f"path,label,{column}\nglioma/00.stack,glioma,{text}\n")
    with pytest.raises(CatalogError, match=rf"index\.csv: line 2 has the {column} '{text}'; number from 0"):
        build_catalog([stacks])


def test_an_index_takes_single_slices_as_tables_write_them(stacks):
    (stacks / "index.csv").write_text("path,label,slice\nglioma/00.stack,glioma,0.0\nglioma/00.stack,notumor,3.0\n")
    table = build_catalog([stacks]).table
    assert list(zip(table["label"], table["slice"], strict=True)) == [("glioma", 0), ("notumor", 3)]


def test_each_slice_of_a_patient_folder_has_the_label_of_its_own_mask(tmp_path):
    folder = tmp_path / "lgg" / "TCGA_CS_0000_19981004"
    folder.mkdir(parents=True)
    pages, empty = [bright_quadrant(number) for number in range(4)], np.zeros((32, 32), np.uint8)
    for name, drawn in (("scan.tif", pages), ("scan_mask.tif", [empty, pages[1], pages[2], empty])):
        first, *others = map(Image.fromarray, drawn)
        first.save(folder / name, save_all=True, append_images=others)
    catalog = build_catalog([tmp_path / "lgg"])
    table = catalog.table
    assert list(table["label"]) == ["notumor", "tumor", "tumor", "notumor"]
    rows = slice_rows(table, mask_files(table, catalog.roots))
    masks = [*map_slices(rows, lambda read: read.mask, masks=True)]
    assert [mask is not None and int(mask.sum()) for mask in masks] == [False, 256, 256, False]
