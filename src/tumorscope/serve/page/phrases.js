// Findings and figures in plain words; pure functions, the only place where a verdict gets its sentence.

const NOTUMOR = "notumor";
const CLASS_NAMES = { notumor: "no tumor", pituitary: "pituitary tumor" };
const SAID = ["abstain", "kind_unsure", "out_of_distribution", "empty_slice"];
const METRIC_NAMES = {
  auc: "AUC, tumor against none",
  accuracy: "Accuracy",
  sensitivity: "Sensitivity",
  specificity: "Specificity",
  sensitivity_at_95_specificity: "Sensitivity at 95% specificity",
  ece: "Calibration error",
  pointing: "Heatmap peaks inside the tumor",
};
/** Verdicts in the order in which a reader wants them: what needs a look first. */
export const VERDICTS = {
  tumor: { name: "Tumor", plural: "tumor", tone: "tumor", icon: "tumor" },
  unsure: { name: "Unsure", plural: "unsure", tone: "unsure", icon: "unsure" },
  refused: { name: "Refused", plural: "refused", tone: "refused", icon: "refused" },
  failed: { name: "Failed", plural: "failed", tone: "failed", icon: "failed" },
  clear: { name: "No tumor", plural: "no tumor", tone: "clear", icon: "clear" },
};

/** Which of VERDICTS a finding amounts to. 'unsure': the model abstains, or calls no tumor but holds one likelier than none or cannot rule one out. */
export function verdictOf(finding) {
  if (finding.status === "error") return "failed";
  if (finding.status === "refused") return "refused";
  if (finding.flags.includes("abstain")) return "unsure";
  if (finding.label !== NOTUMOR) return "tumor";
  return isSuspected(finding) || finding.prediction_set.some((name) => name !== NOTUMOR) ? "unsure" : "clear";
}

/** Whether a tumor is likelier than none although none is called, since the model's limit is higher. */
export function isSuspected({ label, tumor_probability: share }) {
  return label === NOTUMOR && share > 0.5;
}

/** The finding that stands for a file of several slices: the gravest verdict, of those the highest probability. */
export function leading(findings) {
  const order = Object.keys(VERDICTS);
  const rank = (finding) => order.indexOf(verdictOf(finding)) - (finding.tumor_probability ?? 0) / 2;
  return findings.reduce((best, finding) => (rank(finding) < rank(best) ? finding : best));
}

/** The answer as a sentence: `{headline, detail}`; its probabilities stand beside it (`shares`), not in it. */
export function sentence(finding, card) {
  const limit = card ? asLimit(card.thresholds.tumor) : "its limit";
  const verdict = verdictOf(finding);
  if (verdict === "failed") return { headline: "This file could not be read", detail: `${capital(finding.message)}.` };
  if (verdict === "refused") return { headline: "No answer: refused", detail: refusal(finding) };
  if (verdict === "tumor") return tumorSentence(finding);
  if (finding.flags.includes("abstain")) {
    return { headline: "Too close to call", detail: "The model abstains: it would be wrong too often either way. Look for yourself." };
  }
  if (verdict === "unsure") {
    const kinds = finding.prediction_set.filter((name) => name !== NOTUMOR).map(className);
    const left = kinds.length > 0 ? `, but ${either(kinds, "and")} cannot be ruled out` : "";
    const why = `the probability lies under the model's limit of ${limit}${left}.`;
    if (!isSuspected(finding)) return { headline: "No tumor called, not ruled out", detail: capital(why) };
    return { headline: "Tumor suspected, not called", detail: `A tumor is likelier than none; ${why}` };
  }
  return { headline: "No tumor seen", detail: "No kind of tumor that the model knows is left in question on this slice." };
}

/** The probabilities behind an answer, `{share, of}`: of a tumor of any kind, and where one is called of each kind in question. */
export function shares(finding) {
  const { label, prediction_set: kept, probabilities } = finding;
  const kinds = verdictOf(finding) === "tumor" ? new Set([label, ...kept.filter((name) => name !== NOTUMOR)]) : [];
  const ofKinds = [...kinds].map((name) => ({ share: probabilities[name], of: className(name) }));
  return [{ share: finding.tumor_probability, of: "tumor of any kind" }, ...ofKinds];
}

/** The same in one line. */
export function sharesText(finding) {
  return shares(finding).map(({ share, of }) => `${asPercent(share)} ${of}`).join(", ");
}

/** What a flag says to somebody who has never read our documentation; `words` are the server's own. */
export function flagSentence(flag, words = {}) {
  const known = {
    out_of_distribution:
      "This does not look like a brain MRI the model knows: in content, frame, crop or contrast it is unlike the pictures that the model was trained on.",
    empty_slice: "This picture is empty: it holds only one gray level.",
    low_resolution: "Few pixels: the head is so small in this picture that a small tumor could not be seen.",
    abstain: "Too close to call: tumor or none would be a guess.",
    kind_unsure: "The kind is not sure: more than one kind of tumor fits.",
  };
  return known[flag] ?? `${capital(words[flag] ?? flag.replaceAll("_", " "))}.`;
}

/** The flags that the sentence of a finding leaves unsaid, in words. */
export function remarks(finding, words) {
  return finding.flags.filter((flag) => !SAID.includes(flag)).map((flag) => flagSentence(flag, words));
}

/** A class by the name people use. */
export function className(name) {
  return CLASS_NAMES[name] ?? name;
}

/** A figure's name in words. */
export function metricName(metric) {
  return METRIC_NAMES[metric] ?? capital(metric.replaceAll("_", " "));
}

/** What a figure was measured on. */
export function setName(name) {
  return name.replace(/^all test parts/, "all test parts together");
}

/** A share as a percentage, never a false 0% or 100%. */
export function asPercent(share, digits = 0) {
  const least = 0.5 * 10 ** -digits;
  const value = 100 * share;
  if (share < 1 && value >= 100 - least) return `>${(100 - 2 * least).toFixed(digits)}%`;
  if (share > 0 && value < least) return `<${(2 * least).toFixed(digits)}%`;
  return `${value.toFixed(digits)}%`;
}

/** A limit to a tenth of a percent, so that no answer seems to lie on the wrong side of it. */
export function asLimit(share) {
  return `${Number((100 * share).toFixed(1))}%`;
}

/** An interval of shares in words. */
export function asInterval([low, high], digits = 0) {
  return `${(100 * low).toFixed(digits)} to ${(100 * high).toFixed(digits)}%`;
}

/** A figure of a card with its interval, `{value, interval}`: areas under a curve as 0.953, shares as 95.3%. */
export function asFigure(metric, { value, interval }, digits = 0) {
  if (!metric.endsWith("auc")) return { value: asPercent(value, digits), interval: interval && asInterval(interval, digits) };
  const area = (one) => (one < 1 && one >= 0.9995 ? ">0.999" : one.toFixed(3));
  return { value: area(value), interval: interval && `${area(interval[0])} to ${area(interval[1])}` };
}

/** "a", "a or b", "a, b or c". */
export function either(words, joint = "or") {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}

export function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}

function tumorSentence(finding) {
  const others = finding.prediction_set.filter((name) => name !== NOTUMOR && name !== finding.label).map(className);
  const kind = className(finding.label);
  if (others.length === 0) return { headline: `Tumor likely: ${kind}`, detail: "" };
  return {
    headline: `Tumor likely: ${either([kind, ...others])}`,
    detail: `The kind is not sure. ${capital(kind)} fits best; ${either(others, "and")} cannot be ruled out.`,
  };
}

function refusal(finding) {
  const flag = finding.flags.find((name) => name === "out_of_distribution" || name === "empty_slice");
  const why = flag ? flagSentence(flag) : `${capital(finding.message)}.`;
  return `${why} What the model would have said is not to be used.`;
}
