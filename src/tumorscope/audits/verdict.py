"""What an audit's figures mean, in sentences: each tells one fact and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tumorscope.statistics import TOO_FEW

BAD, WARN, GOOD, NOTE = "bad", "warn", "good", "note"
"""How much a sentence should worry: the figures cannot be trusted, look at it, nothing to fear, a fact."""
MANY_LEAKS = 0.02
FAR_ABOVE_GUESSING = 0.5
SOME_ABOVE_GUESSING = 0.2
"""Share of the way from always naming the commonest class to being always right."""
UNBALANCED = 3.0
NAMES = {"cheng": "the Cheng set"}

Sentence = dict[str, str]


def sentences(summary: dict[str, Any]) -> list[Sentence]:
    """Return the findings of an audit, the most worrying first, each as {"level", "text"}.

    Args:
        summary: the facts of ``audit.json``.
    """
    found = [
        *_leaks(summary),
        *_copies(summary),
        *_source(summary),
        *_against(summary),
        *_conflicts(summary),
        *_files(summary),
        *_balance(summary),
        *_origin(summary),
    ]
    order = (BAD, WARN, NOTE, GOOD)
    return [{"level": level, "text": text} for level, text in sorted(found, key=lambda item: order.index(item[0]))]


def percent(share: float, digits: int = 1) -> str:
    """Return a share as text: 0.957 is '95.7%'."""
    return f"{100 * share:.{digits}f}%"


def interval_text(interval: Sequence[float] | None) -> str:
    """Return the interval of a share as text, or that there are too few clusters to say."""
    return TOO_FEW if interval is None else " to ".join(percent(bound) for bound in interval)


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: '1 image', '7,023 images'."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _leaks(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    leaks = summary["leaks"]
    near, tests = leaks["near"], leaks["test_images"]
    if not tests:
        return
    share = "under 1%" if 0 < near / tests < 0.01 else percent(near / tests, 0)
    level = BAD if near / tests > MANY_LEAKS else WARN if near else GOOD
    if leaks["split"] == "random" and near:
        yield (
            level,
            f"No test part is published. A random split would put twins of {near:,} of its {tests:,} test images "
            f"({share}) into training; the grouped split does not.",
        )
    elif leaks["split"] == "random":
        yield GOOD, f"No test part is published; of a random one none of the {tests:,} images has a twin in training."
    elif near:
        exact = leaks["exact"]
        yield (
            level,
            f"{near:,} of {tests:,} test images ({share}) have a twin in training, {exact:,} of them an exact copy: "
            "a score on this test part measures memory as much as understanding.",
        )
    else:
        yield GOOD, f"None of the {tests:,} test images has a twin in training."
    if leaks["group"] > near and leaks["split"] != "random":
        yield (
            BAD,
            f"{leaks['group']:,} of {tests:,} test images share a patient, a patient-disjoint fold or a twin with "
            "training: split by group (--split grouped) for a figure about new patients.",
        )


def _copies(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    copied, free = summary["copy_baseline"], summary["copy_baseline_twin_free"]
    if copied["accuracy"] is None:
        return
    text = f"Copying the label of the most similar training image is right {percent(copied['accuracy'])} of the time"
    if free["accuracy"] is not None and free["n"] < copied["n"]:
        text += f", and {percent(free['accuracy'])} on the {free['n']:,} images without a twin"
    yield _above_guessing(copied), text + ": a model has to be better than that."


def _source(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    probe = summary["source_probe"]
    if probe["accuracy"] is None:
        return
    yield (
        _above_guessing(probe),
        f"The file alone (size, mode, border, histogram) tells the class in {percent(probe['accuracy'])} of the "
        f"slices; always naming the commonest class is right in {percent(probe['majority'])}.",
    )


def _above_guessing(score: dict[str, Any]) -> str:
    majority = score["majority"]
    way = (score["accuracy"] - majority) / max(1e-9, 1 - majority)
    return BAD if way > FAR_ABOVE_GUESSING else WARN if way > SOME_ABOVE_GUESSING else GOOD


def _against(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, facts in summary["against"].items():
        near, images = facts["near"], facts["images"]
        level = BAD if near > MANY_LEAKS * images else WARN if near else GOOD
        yield (
            level,
            f"{near:,} of the {counted(images, 'slice')} of {name} ({percent(near / images, 0)}) stand in this data, "
            f"{facts['exact']:,} as exact copies"
            + (": it is no outside test for a model trained here." if level == BAD else "."),
        )


def _conflicts(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if conflicts := len(summary["label_conflicts"]):
        verb = "carries" if conflicts == 1 else "carry"
        yield WARN, f"{counted(conflicts, 'pair')} of twins {verb} labels that contradict each other."
    elif summary["twins"]["pairs"]:
        yield GOOD, f"The labels of all {summary['twins']['pairs']:,} pairs of twins agree."


def _files(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if empty := len(summary["empty"]):
        yield (
            WARN,
            f"{counted(empty, 'file')} {'shows' if empty == 1 else 'show'} nothing, one gray level throughout: "
            "nothing can be learned or measured on what is empty, and it counts as no twin.",
        )
    if unreadable := len(summary["unreadable"]):
        yield WARN, f"{counted(unreadable, 'file')} cannot be read and {'is' if unreadable == 1 else 'are'} left out."
    if misnamed := len(summary["misnamed"]):
        yield (
            NOTE,
            f"{counted(misnamed, 'file')} {'is' if misnamed == 1 else 'are'} of another format than the name says.",
        )
    if not unreadable and not misnamed:
        yield GOOD, "Every file can be read and is what its name says."


def _balance(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    classes = summary["classes"]
    if not classes:
        return
    largest, smallest = max(classes, key=classes.__getitem__), min(classes, key=classes.__getitem__)
    ratio = classes[largest] / classes[smallest]
    if len(classes) > 1 and ratio > UNBALANCED:
        yield WARN, f"The classes are uneven: {largest} has {ratio:.0f} times as many slices as {smallest}."
    for name, n in classes.items():
        if n == 1:
            yield WARN, f"The class {name} has a single slice: it can be learned or tested, not both."


def _origin(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    slices = summary["slices"]
    for name, n in summary["atlas"].items():
        yield (
            NOTE,
            f"{n:,} of {slices:,} are slices of {NAMES.get(name, name)}; "
            "its patient-disjoint folds are used to group them.",
        )
    known = summary["slices_of_known_patient"]
    if known:
        yield NOTE, f"{counted(summary['patients'], 'patient')} known, for {known:,} of {slices:,} slices."
    else:
        yield NOTE, "No patient is named: apart from twins and folds, slices of one patient cannot be told."
