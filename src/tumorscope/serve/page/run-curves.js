// How a run learned, and its curves over all thresholds, from log.csv and metrics.json.
import { html } from "./dom.js";
import { Section } from "./components.js";
import { share } from "./figures.js";
import { Chart, around } from "./charts.js";
import { Word } from "./terms.js";
import { SPLITS } from "./run-entry.js";

const MIN_BIN = 3;
const LOSSES = [["loss", "training", "other"], ["val_loss", "validation", "main"]];

/** Loss and accuracy by epoch. */
export function Learning({ log }) {
  const epochs = log.epoch ?? [];
  const points = (key) => epochs.map((epoch, i) => [epoch, log[key]?.[i]]).filter(([x, y]) => x !== null && y !== null && y !== undefined);
  const losses = LOSSES.map(([key, name, look]) => ({ name, look, dots: true, points: points(key) })).filter((line) => line.points.length);
  const accuracy = points("val_accuracy");
  if (losses.length === 0 && accuracy.length === 0) return null;
  const best = bestEpoch(points("val_loss"));
  const x = { label: "epoch", from: Math.min(...epochs), to: Math.max(...epochs), whole: true };
  if (x.from === x.to) Object.assign(x, { from: x.from - 1, to: x.to + 1 });
  const kept = (y) => (best === null ? [] : [{ name: "", look: "guide", points: [[best, y.from], [best, y.to]] }]);
  const yLoss = { label: "loss", ...around(losses.flatMap((line) => line.points.map(([, y]) => y)), { least: 0 }) };
  const yRight = { label: "right, %", percent: true, ...around(accuracy.map(([, y]) => y), { least: 0, most: 1 }) };
  return html`<${Section} title="How it learned" note=${html`By <${Word} of="epoch" />. ${best === null ? "" : html`Epoch ${best} was kept (dotted line): the lowest${" "}
      <${Word} of="loss" /> on <${Word} of="validation" />.`}`}>
    <div class="charts">
      ${losses.length > 0 && html`<${Chart} title="Loss" words="Lower is better. Where validation rises while training falls, it learns by heart."
        x=${x} y=${yLoss} lines=${[...kept(yLoss), ...losses]} />`}
      ${accuracy.length > 0 && html`<${Chart} title="Accuracy on validation" words="The share of the slices set aside that is answered right."
        x=${x} y=${yRight} lines=${[...kept(yRight), { name: "validation", look: "main", dots: true, points: accuracy }]} />`}
    </div></${Section}>`;
}

function bestEpoch(points) {
  return points.length ? points.reduce((best, point) => (point[1] < best[1] ? point : best))[0] : null;
}

/** ROC, precision and recall, reliability, accuracy against coverage: those that the labels allow. */
export function Curves({ metrics }) {
  const split = metrics.headline_split;
  const chosen = metrics.curves ?? {};
  const other = metrics.leaky && split !== "full" ? metrics.details?.full?.curves ?? {} : {};
  const lines = (key) => [
    ...(isCurve(other[key]) ? [{ name: "full (leaky)", look: "other", points: pointsOf(other[key]) }] : []),
    ...(isCurve(chosen[key]) ? [{ name: SPLITS[split] ?? split, look: "main", points: pointsOf(chosen[key]) }] : []),
  ];
  const drawn = [
    isCurve(chosen.roc) && html`<${Roc} lines=${lines("roc")} found=${metrics.headline} />`,
    isCurve(chosen.precision_recall) && html`<${PrecisionRecall} lines=${lines("precision_recall")} />`,
    metrics.calibration?.reliability && html`<${Reliability} calibration=${metrics.calibration} found=${metrics.headline} />`,
    isCurve(chosen.coverage) && html`<${Coverage} lines=${lines("coverage")} found=${metrics.headline} />`,
  ].filter(Boolean);
  return drawn.length > 0 && html`<${Section} title="Curves and calibration"
    note="What every threshold would give, and whether stated probabilities come true."><div class="charts">${drawn}</div></${Section}>`;
}

const shares = (label, short, from = 0) => ({ label, short, percent: true, from, to: 1, ticks: from ? undefined : [0, 0.25, 0.5, 0.75, 1] });

function Roc({ lines, found }) {
  const { sensitivity, specificity } = found;
  const mark = sensitivity && specificity ? [{ name: "the model's threshold", look: "mark", points: [[1 - specificity.value, sensitivity.value]] }] : [];
  return html`<${Chart} title="Tumors found against false alarms" words="ROC curve: at every threshold, how many tumors are found and how many tumor-free slices raise an alarm."
    x=${shares("false alarms, of the tumor-free slices", "false alarms")} y=${shares("tumors found", "found")}
    lines=${[{ name: "", look: "guide", points: [[0, 0], [1, 1]] }, ...lines, ...mark]} />`;
}

function PrecisionRecall({ lines }) {
  return html`<${Chart} title="True alarms against tumors found" words="Precision and recall. It depends on the share of tumors among these slices."
    x=${shares("tumors found", "found")} y=${shares("alarms that are true", "true alarms")} lines=${lines} />`;
}

function Reliability({ calibration, found }) {
  const { before, after } = calibration.reliability;
  const line = (bins, name, look) => {
    const full = bins.filter((bin) => bin.n >= MIN_BIN);
    const total = full.reduce((sum, bin) => sum + bin.n, 0) || 1;
    const sizes = look === "main" ? full.map((bin) => 2.5 + 9 * Math.sqrt(bin.n / total)) : undefined;
    return { name, look, sizes, points: full.map((bin) => [bin.confidence, bin.accuracy]) };
  };
  const lines = [...(before ? [line(before, "before temperature", "other")] : []), ...(after ? [line(after, "as the model answers", "main")] : [])];
  const gap = found.ece ? ` The mean gap is ${share(found.ece.value)} (calibration error).` : "";
  return html`<${Chart} title="Stated against true" words=${html`<${Word} of="calibration">Calibration</${Word}>: on the diagonal a stated 80% is right 80 times in 100. Larger dots hold more slices.${gap}`}
    x=${shares("stated confidence", "stated")} y=${shares("right", "right")} lines=${[{ name: "", look: "guide", points: [[0, 0], [1, 1]] }, ...lines.filter((each) => each.points.length)]} />`;
}

function Coverage({ lines, found }) {
  const { answered, accuracy_answered: right } = found;
  const mark = answered && right ? [{ name: "the model's own limits", look: "mark", points: [[answered.value, right.value]] }] : [];
  const { from } = around([...lines, ...mark].flatMap((line) => line.points.map(([, y]) => y)), { least: 0, most: 1 });
  return html`<${Chart} title="Accuracy when only the surest count" words=${html`Against <${Word} of="coverage" />, the share of slices that is answered.${mark.length ? " The dot is where the model itself refuses or abstains." : ""}`}
    x=${shares("slices answered, the surest first", "answered")} y=${shares("right", "right", Math.min(from, 0.95))} lines=${[...lines, ...mark]} />`;
}

function isCurve(curve) {
  return Array.isArray(curve?.x) && Array.isArray(curve.y) && curve.x.length > 0 && curve.x.length === curve.y.length;
}

function pointsOf({ x, y }) {
  return x.map((value, i) => [value, y[i]]);
}
