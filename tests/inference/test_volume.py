"""What the slices of a scan amount to, from findings made by hand."""

import pytest

from tumorscope.findings import FindingGeometry, ModelName, SliceFinding, TumorSlice, failed_finding
from tumorscope.inference.volume import volume_finding, volume_findings

MODEL = ModelName(name="m", version="1", sha256="ab")


def said(index, verdict, share, *, label="notumor", status="ok", message=None, flags=(), sequence=None):
    return SliceFinding(
        file="a.nii", slice=index, sequence=sequence, status=status, label=label, tumor_probability=share,
        probabilities={label: 1.0}, prediction_set=[label], flags=list(flags), message=message, verdict=verdict,
        sentence=f"Said of {index}.", model=MODEL,
    )  # fmt: skip


def clear(index, share=0.1):
    return said(index, "notumor", share)


def tumor(index, share, label="glioma"):
    return said(index, "tumor", share, label=label)


def refused(index, share=0.99):
    return said(index, "refused", share, label="glioma", status="refused", message="strange",
                flags=["out_of_distribution"])  # fmt: skip


def broken(index):
    return failed_finding("a.nii", "is cut short; export it again", MODEL, slice=index)


def test_the_gravest_slice_speaks_for_the_scan():
    found = volume_finding([clear(0), tumor(1, 0.9), tumor(2, 0.95, "meningioma"), clear(3), tumor(4, 0.92)])
    assert (found.file, found.kind, found.status, found.verdict) == ("a.nii", "volume", "ok", "tumor")
    assert (found.label, found.prediction_set, found.speaker) == ("meningioma", ["meningioma"], 2)
    assert found.tumor_probability == 0.95
    assert found.slices == [
        TumorSlice(slice=1, tumor_probability=0.9),
        TumorSlice(slice=2, tumor_probability=0.95),
        TumorSlice(slice=4, tumor_probability=0.92),
    ]
    assert found.sentence == (
        "Said of 2. Slice 3 of 5, the gravest, speaks for the scan. A tumor is called on slices 2 to 3 and 5."
    )
    assert found.message is None


def test_an_unsure_slice_is_graver_than_a_clear_one_of_a_higher_probability():
    unsure = said(0, "unsure", 0.15, flags=["kind_unsure"])
    found = volume_finding([unsure, clear(1, 0.2)])
    assert (found.verdict, found.speaker, found.flags, found.label) == ("unsure", 0, ["kind_unsure"], "notumor")
    assert found.tumor_probability == 0.2, "the largest of the answered slices"
    assert found.slices == []


def test_refused_and_unreadable_slices_do_not_speak_but_are_told_of():
    found = volume_finding([refused(0), clear(1), broken(2), clear(3, 0.3), broken(4)])
    assert (found.status, found.verdict, found.speaker, found.tumor_probability) == ("ok", "notumor", 3, 0.3)
    assert found.flags == []
    assert found.message == "slices 3 and 5 could not be read"
    assert found.sentence == (
        "Said of 3. Slice 4 of 5, the gravest, speaks for the scan. Slice 1 was refused. Slices 3 and 5 could not be "
        "read."
    )


def test_a_scan_is_refused_where_no_slice_is_answered():
    found = volume_finding([refused(0, 0.5), refused(1, 0.7), broken(2)])
    assert (found.status, found.verdict, found.speaker) == ("refused", "refused", None)
    assert (found.label, found.tumor_probability, found.flags) == ("glioma", 0.7, ["out_of_distribution"])
    assert found.slices == [], "what was refused carries nothing"
    assert found.message == "strange; slice 3 could not be read"
    assert found.sentence == "Said of 1. No slice of 3 was answered. Slice 3 could not be read."


def test_a_scan_of_which_nothing_can_be_read_is_an_error():
    found = volume_finding([broken(0), broken(1)])
    assert (found.status, found.verdict, found.label, found.tumor_probability) == ("error", "error", None, None)
    assert found.message == "slices 1 to 2 could not be read: is cut short; export it again"
    assert found.sentence == (
        "This scan could not be read. None of its 2 slices could be: is cut short; export it again."
    )


def test_each_sequence_of_several_slices_is_a_volume_of_its_own():
    slices = [said(i, "notumor", 0.1 * i, sequence=name) for i in range(2) for name in ("T1", "FLAIR")]
    assert [(f.sequence, f.tumor_probability) for f in volume_findings(slices)] == [("T1", 0.1), ("FLAIR", 0.1)]


@pytest.mark.parametrize("sequences", [[None], ["T1", "FLAIR", "T1ce"]])
def test_a_picture_is_no_volume_whatever_its_sequences(sequences):
    slices = [said(None, "notumor", 0.1, sequence=name) for name in sequences]
    assert volume_findings(slices) == []


def test_the_geometry_is_passed_on():
    lies = FindingGeometry(spacing=(5.0, 1.0, 1.0), plane="axial", sides_known=True, is_regular=True)
    assert volume_findings([clear(0), clear(1)], lies)[0].geometry == lies


def test_a_slice_that_could_not_be_read_lacks_in_the_volume_of_each_sequence():
    slices = [said(index, "notumor", 0.1, sequence=name) for index in (0, 2) for name in ("T1", "FLAIR")]
    found = volume_findings([*slices[:2], broken(1), *slices[2:]])
    assert [(volume.sequence, volume.status, volume.message) for volume in found] == [
        (name, "ok", "slice 2 could not be read") for name in ("T1", "FLAIR")
    ]
    assert all("Slice 1 of 3" in volume.sentence for volume in found)
