"""An evaluation in sentences: the headline, and what a reader must know to trust it no further than it goes."""

from __future__ import annotations

from tumorscope.evaluation.measured import Measured, Note
from tumorscope.statistics import Figure

SPLIT_WORDS = {"leak_free": "leak-free", "twin_free": "twin-free", "full": "full"}
SPLIT_MEANINGS = {
    "leak_free": "Slices of patients (or series) that the model was not fitted to: what to expect of new patients.",
    "twin_free": "Slices without a copy (the same picture, mirrored, turned, resized, recompressed) among those the "
    "model was fitted to. Other slices of the same patient may still have been seen, which flatters.",
    "full": "Every slice that was evaluated, as most papers count.",
}
METRIC_WORDS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Mean F1 of the classes",
    "macro_auc": "Mean AUC of the classes",
    "auc": "AUC, tumor against none",
    "average_precision": "Average precision, tumor",
    "sensitivity": "Sensitivity at the model's threshold",
    "specificity": "Specificity at the model's threshold",
    "sensitivity_at_95_specificity": "Sensitivity at 95% specificity",
    "ppv_at_prevalence": "Positive predictive value",
    "npv_at_prevalence": "Negative predictive value",
    "ece": "Calibration error (ECE)",
    "ece_before_temperature": "Calibration error before temperature",
    "brier": "Brier score",
    "brier_before_temperature": "Brier score before temperature",
    "refused": "Refused as unlike the training data",
    "answered": "Answered (neither refused nor abstained)",
    "accuracy_answered": "Accuracy where answered",
    "prediction_set_coverage": "Prediction sets that hold the truth",
    "prediction_set_size": "Classes in a prediction set, mean",
    "pointing": "Heatmap peaks inside the tumor's mask",
}
PLAIN_WORDS = {
    "sensitivity": "Sensitivity, the likeliest class taken",
    "specificity": "Specificity, the likeliest class taken",
}
"""Of a model without thresholds of its own."""
METRIC_HELP = {
    "accuracy": "share of slices whose label covers what the model calls them",
    "balanced_accuracy": "mean over the labels of the share right, so that a common label weighs like a rare one",
    "auc": "chance that a tumor slice gets a higher tumor probability than a tumor-free one; 0.5 is guessing",
    "sensitivity": "share of tumor slices called a tumor, at the threshold chosen on validation",
    "specificity": "share of tumor-free slices called tumor-free, at the same threshold",
    "sensitivity_at_95_specificity": "at the threshold that lets 5% of the tumor-free slices of this set through",
    "ppv_at_prevalence": "chance that a called tumor is one, at the prevalence stated above",
    "npv_at_prevalence": "chance that a slice called tumor-free is, at that prevalence",
    "ece": "mean gap between stated confidence and accuracy; 0 is perfect",
    "brier": "squared error of the probabilities, 0 (perfect) to 2",
    "refused": "their distance from the training data is above the model's limit",
    "accuracy_answered": "over the slices that the model neither refuses nor abstains from",
    "prediction_set_coverage": "made to be 95% on slices like those of validation",
    "pointing": "over tumor slices whose outline is known; the peak of the heatmap must lie in it",
}
NOT_PERCENT = (
    "auc", "macro_auc", "average_precision", "ece", "ece_before_temperature", "brier", "brier_before_temperature",
    "prediction_set_size",
)  # fmt: skip


FEW = 10
"""A share of fewer slices is not put into a sentence."""


def headline_sentence(measured: Measured) -> str:
    """Say in one sentence what the model does on the slices that count."""
    found = measured.figures[measured.headline]
    accuracy, parts = found["accuracy"], []
    known = measured.groups_known
    whom = {
        "leak_free": "slices of patients that the model was not fitted to" if known else "slices unknown to the model",
        "twin_free": "slices that the model has seen no copy of",
        "full": "slices",
    }[measured.headline]
    parts.append(f"On {accuracy.n:,} {whom}, it gives the right answer for {spoken(accuracy)}")
    if "sensitivity" in found and found["sensitivity"].n >= FEW:
        parts.append(f"finds {spoken(found['sensitivity'])} of the tumors")
    if "specificity" in found and found["specificity"].n >= FEW:
        parts.append(f"calls {spoken(found['specificity'])} of the tumor-free slices tumor-free")
    return ", ".join(parts[:-1] or parts) + (f" and {parts[-1]}" if len(parts) > 1 else "") + "."


def sentences(measured: Measured, part: str, count: int) -> list[Note]:
    """Return what a reader must know, the gravest first.

    Args:
        measured: without notes yet.
        part: which part of the set was asked for, in words.
        count: how many slices it has.
    """
    found = [
        Note("bad", _untraceable(measured)),
        Note("warn", _stated(measured)),
        Note("bad", _leaks(measured)),
        Note("warn", _headline_choice(measured)),
        Note("warn", _missing_labels(measured)),
        Note("bad", _copies(measured)),
        Note("warn", _groups(measured)),
        Note("warn", _clusters(measured)),
        Note("warn", _lesions(measured)),
        Note("warn", _unreadable(measured)),
        Note("note", _labels(measured, part, count)),
    ]
    return [note for note in found if note.text]


def spoken(figure: Figure, *, percent: bool = True) -> str:
    """Return a value with its interval: ``93.1% (90.2 to 95.4)``, or with three decimals where it is no share."""
    scale, digits, unit = (100, 1, "%") if percent else (1, 3, "")
    value = f"{figure.value * scale:.{digits}f}{unit}"
    if figure.interval is None:
        return value
    low, high = (f"{bound * scale:.{digits}f}" for bound in figure.interval)
    return f"{value} ({low} to {high})"


def _untraceable(measured: Measured) -> str:
    if measured.is_traceable:
        return ""
    if measured.is_foreign:
        return (
            "Nobody knows what this model has seen: its description names no training data. How many of these slices "
            "it was fitted to cannot be told, and the figures may measure memory."
        )
    return (
        "The model file carries no fingerprints of its training slices that can be read here: how many of these slices "
        "the model was fitted to cannot be told, and the figures may measure memory."
    )


def _stated(measured: Measured) -> str:
    if not measured.stated:
        return ""
    return (
        f"What this model has seen is what its owner says: {measured.stated}. Slices that were trained on beside "
        "these are not taken out."
    )


def _leaks(measured: Measured) -> str:
    if not measured.is_leaky:
        return ""
    total = len(measured.outcome)
    twins, groups = (total - int(measured.rows[name].sum()) for name in ("twin_free", "leak_free"))
    full, headline = (measured.figures[name].get("accuracy") for name in ("full", measured.headline))
    text = (
        f"The full set is leaky: of {total:,} slices {twins:,} have a copy among those the model was fitted to"
        f"{f', {groups:,} share a patient or series with them' if groups > twins else ''}."
    )
    if measured.headline != "full" and full and headline:
        text += f" The full accuracy, {spoken(full)}, measures memory too."
    return text


def _headline_choice(measured: Measured) -> str:
    if measured.headline == "leak_free" or not measured.is_traceable:
        return ""
    left = int(measured.rows["leak_free"].sum())
    text = (
        f"Taking out every patient and series that the model was fitted to leaves {left:,} slices of "
        f"{len(measured.outcome):,}: too few for a figure. "
    )
    if measured.headline == "full":
        return f"{text}Without the copies nothing is left either, so that the figures here measure memory."
    return f"{text}The headline is the twin-free subset; it still shares patients with training, which flatters."


def _missing_labels(measured: Measured) -> str:
    full, rows = measured.outcome.labels, measured.rows[measured.headline]
    rare = [
        f"{int((full[rows] == label).sum()):,} of {int((full == label).sum()):,} {label}"
        for label in sorted(set(full.tolist()))
        if (full[rows] == label).sum() < FEW <= (full == label).sum()
    ]
    if not rare:
        return ""
    which = "it" if len(rare) == 1 else "them"
    return f"The headline's slices hold only {', '.join(rare)}: nothing can be said of {which}."


def _groups(measured: Measured) -> str:
    if measured.groups_known or not measured.is_traceable:
        return ""
    return (
        "The patients in the training data are not known here. Leak-free means that no slice of a group has a copy in "
        "training; another slice of a training patient cannot be told."
    )


def _copies(measured: Measured) -> str:
    outcome, rows = measured.outcome, measured.rows[measured.headline]
    floor = measured.baselines.copies.to_json(outcome.labels, outcome.clusters, rows, seed=measured.seed)
    accuracy = measured.figures[measured.headline].get("accuracy")
    if floor["accuracy"] is None or accuracy is None or accuracy.value > floor["accuracy"]:
        return ""
    return (
        f"Copying the label of the most similar training slice scores {100 * floor['accuracy']:.1f}% on these "
        "slices, no less than the model: there is no sign that it understands more than a copy does."
    )


def _clusters(measured: Measured) -> str:
    unknown = int((measured.findings["patient"] == "").sum())
    if not unknown:
        return ""
    which = "No patient is" if unknown == len(measured.findings) else f"The patients of {unknown:,} slices are not"
    return (
        f"{which} named in this data; there the intervals resample twin clusters and are narrower than they should be."
    )


def _labels(measured: Measured, part: str, count: int) -> str:
    text = f"Evaluated: {part}, {count:,} slices."
    left_out = count - len(measured.outcome) - len(measured.lesions)
    if left_out:
        text += f" {left_out:,} have labels that this model cannot express and do not count."
    if measured.outcome.is_coarse:
        text += " Labels here say tumor or none, not the kind; probabilities are summed over the tumor classes."
    return text


def _unreadable(measured: Measured) -> str:
    if not (count := len(measured.unreadable)):
        return ""
    first = measured.unreadable[0]
    said = "1 file could not be read and is" if count == 1 else f"{count:,} files could not be read and are"
    return f"{said} in no figure (the first: {first['path']}, {first['problem']})."


def _lesions(measured: Measured) -> str:
    if not len(measured.lesions):
        return ""
    called = [measured.card.classes[i] != "notumor" for i in measured.lesions.called]
    return (
        f"{len(called):,} slices show a lesion that is no tumor; they are not in the figures. The model "
        f"calls {sum(called):,} of them a tumor."
    )
