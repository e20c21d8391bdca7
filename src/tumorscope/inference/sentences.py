"""The finding of a slice, made once: its numbers, its verdict in a word and its sentence. All others print these."""

from __future__ import annotations

from collections.abc import Sequence

from tumorscope.findings import ModelName, SliceFinding, capital
from tumorscope.inference.decide import Decision
from tumorscope.model_file import Card
from tumorscope.words import NOTUMOR, TUMOR

CLASS_WORDS = {NOTUMOR: "no tumor", "pituitary": "pituitary tumor"}
REFUSALS = {
    "out_of_distribution": (
        "This does not look like a brain MRI the model knows: in content, frame, crop or contrast it is unlike the "
        "pictures that the model was trained on"
    ),
    "empty_slice": "This picture is empty: it holds only one gray level",
}
FEW_PIXELS = "Few pixels: the head is so small in this picture that a small tumor could not be seen"


def slice_finding(
    card: Card, said: Decision, *, file: str, index: int | None, sequence: str | None, model: ModelName
) -> SliceFinding:
    """Return the finding of a slice from what was decided.

    Args:
        card: of the model that spoke.
        said: the decision.
        file: as findings name it.
        index: which slice of the file, None where it has one.
        sequence: which sequence it shows, where the file holds several.
        model: the name of the model.
    """
    return SliceFinding(
        file=file, slice=index, sequence=sequence, status=said.status, label=said.label,
        probabilities=said.probabilities, tumor_probability=said.tumor_probability, prediction_set=said.prediction_set,
        flags=said.flags, message=said.message, verdict=said.verdict, sentence=sentence(card, said), model=model,
    )  # fmt: skip


def sentence(card: Card, said: Decision) -> str:
    """Return a decision in plain words: a headline up to the first full stop, then what there is to say of it."""
    parts = _parts(card, said)
    if "low_resolution" in said.flags and said.status == "ok":
        parts = (*parts, FEW_PIXELS)
    return "".join(f"{part}. " for part in parts).rstrip()


def _parts(card: Card, said: Decision) -> tuple[str, ...]:
    if said.status == "refused":
        why = next(text for flag, text in REFUSALS.items() if flag in said.flags)
        return "No answer: refused", why, "What the model would have said is not to be used"
    if "abstain" in said.flags:
        why = "The model abstains: it would be wrong too often either way"
        return "Too close to call", why, "Look for yourself"
    if said.verdict == "tumor":
        return _tumor(said)
    if said.verdict == "notumor":
        return "No tumor seen", "No kind of tumor that the model knows is left in question on this slice"
    return _suspicion(said, f"{round(100 * card.thresholds.tumor, 1):g}%")


def _tumor(said: Decision) -> tuple[str, ...]:
    if said.label == TUMOR:
        return ("Tumor likely",)
    kind = class_words(said.label)
    others = [class_words(name) for name in said.prediction_set if name not in (NOTUMOR, said.label)]
    headline = f"Tumor likely: {listed([kind, *others], 'or')}"
    if not others:
        return (headline,)
    return (
        headline, "The kind is not sure", f"{capital(kind)} fits best; {listed(others, 'and')} cannot be ruled out"
    )  # fmt: skip


def _suspicion(said: Decision, limit: str) -> tuple[str, ...]:
    kinds = [class_words(name) for name in said.prediction_set if name != NOTUMOR]
    left = f", but {listed(kinds, 'and')} cannot be ruled out" if kinds else ""
    why = f"the probability lies under the model's limit of {limit}{left}"
    if said.is_suspected:
        return "Tumor suspected, not called", f"A tumor is likelier than none; {why}"
    return "No tumor called, not ruled out", capital(why)


def class_words(name: str) -> str:
    """Return a class by the name that people use."""
    return CLASS_WORDS.get(name, name)


def listed(words: Sequence[str], joint: str) -> str:
    """Return words as a list: "a", "a or b", "a, b or c"."""
    return " ".join([", ".join(words[:-1]), joint, words[-1]]) if len(words) > 1 else "".join(words)
