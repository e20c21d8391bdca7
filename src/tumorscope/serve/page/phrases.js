// How findings and figures are set; pure functions. What a finding says is its verdict and its sentence: nothing is decided here.

const NOTUMOR = "notumor";
const CLASS_NAMES = { notumor: "no tumor", pituitary: "pituitary tumor" };
const METRIC_NAMES = {
  auc: "AUC, tumor against none",
  accuracy: "Accuracy",
  sensitivity: "Sensitivity",
  specificity: "Specificity",
  sensitivity_at_95_specificity: "Sensitivity at 95% specificity",
  ece: "Calibration error",
  pointing: "Heatmap peaks inside the tumor",
};
/** How each verdict of a finding is shown, in the order in which a reader wants them: what needs a look first. */
export const VERDICTS = {
  tumor: { name: "Tumor", tone: "tumor", icon: "tumor" },
  unsure: { name: "Unsure", tone: "unsure", icon: "unsure" },
  refused: { name: "Refused", tone: "refused", icon: "refused" },
  error: { name: "Failed", tone: "failed", icon: "failed" },
  notumor: { name: "No tumor", tone: "clear", icon: "clear" },
};
/** How a file is shown whose sequences have different verdicts. */
export const MIXED = { name: "Several answers", tone: "plain", icon: "scans" };

/** The sentence of a finding, its headline apart: what stands before the first full stop. `{headline, detail}` */
export function spoken({ sentence }) {
  const end = sentence.indexOf(". ");
  return end < 0 ? { headline: sentence.replace(/\.$/, ""), detail: "" } : { headline: sentence.slice(0, end), detail: sentence.slice(end + 2) };
}

/** Which part of a file a finding is about: "FLAIR", "slice 3", "T1, slice 3", or "" where there is one alone. */
export function partName({ slice = null, sequence }) {
  return [sequence, slice === null ? null : `slice ${slice + 1}`].filter(Boolean).join(", ");
}

/** The probabilities behind an answer, `{share, of}`: of a tumor of any kind, and where one is called of each kind in question. */
export function shares(finding) {
  const { label, prediction_set: kept, probabilities } = finding;
  const isNamed = finding.verdict === "tumor" && probabilities;
  const kinds = isNamed ? new Set([label, ...kept.filter((name) => name !== NOTUMOR)]) : [];
  const ofKinds = [...kinds].map((name) => ({ share: probabilities[name], of: className(name) }));
  return [{ share: finding.tumor_probability, of: "tumor of any kind" }, ...ofKinds];
}

/** The same in one line. */
export function sharesText(finding) {
  return shares(finding).map(({ share, of }) => `${asPercent(share)} ${of}`).join(", ");
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

export function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}
