// What can be taken along: the picture in view as PNG, findings as JSON, the worklist as CSV. The report has its own file.
import { drawSlice, overlaysOf } from "./draw.js";
import { className, spoken } from "./phrases.js";
import { isFinished } from "./worklist.js";

const COLUMNS = [
  "file", "slice", "sequence", "kind", "status", "verdict", "sentence", "label", "tumor_probability", "prediction_set", "flags", "message",
];
const FOOT = 46;
const LEAST_SIDE = 512;

/** The findings of finished entries, as the server gave them. */
export function findingsJson(entries) {
  return new Blob([JSON.stringify(findingsOf(entries), null, 2) + "\n"], { type: "application/json" });
}

/** One row a finding; entries that failed on the way have one too. `classes`: in the order of the model. */
export function worklistCsv(entries, classes) {
  const head = [...COLUMNS, ...classes.map((name) => `p_${name}`), "model", "model_sha256"];
  const rows = entries.filter(isFinished).flatMap((entry) => rowsOf(entry, classes));
  const text = [head, ...rows].map((cells) => cells.map(asCell).join(",")).join("\r\n");
  return new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" }); // the mark tells spreadsheets that it is UTF-8
}

/**
 * Panes as one picture, as they are seen, with what is said of them beneath.
 * @param {{entry: object, index: number, slice: object, size: {width: number, height: number}}[]} panes
 */
export async function viewPng(panes, look) {
  const scale = Math.max(1, LEAST_SIDE / panes[0].size.width);
  const [width, height] = [panes[0].size.width, panes[0].size.height].map((side) => Math.round(side * scale));
  const canvas = new OffscreenCanvas(width * panes.length, height + FOOT);
  const context = canvas.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  panes.forEach((pane, at) => drawPane(context, pane, look, { left: at * width, width, height, ratio: scale }));
  return canvas.convertToBlob({ type: "image/png" });
}

/** A slice alone, whole, with or without overlays: for the report. */
export async function slicePicture(slice, overlays, view, side) {
  const scale = side / Math.max(slice.width, slice.height);
  const [width, height] = [slice.width, slice.height].map((length) => Math.max(1, Math.round(length * scale)));
  const canvas = new OffscreenCanvas(width, height);
  drawSlice(canvas.getContext("2d"), slice, view, overlays, { width, height });
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.88 });
}

export function findingsOf(entries) {
  return entries.flatMap(({ findings, volumes }) => [...findings, ...volumes]);
}

/** A name for a download: what it is, and when it was made. */
export function fileName(what, ending) {
  return `tumorscope-${what}-${new Date().toISOString().slice(0, 16).replace(/[-:]/g, "").replace("T", "-")}.${ending}`;
}

function rowsOf(entry, classes) {
  const unsent = () => [{ file: entry.name, status: "error", verdict: "error", message: entry.error.message }];
  const findings = entry.findings.length > 0 ? findingsOf([entry]) : unsent();
  return findings.map((finding) => [
    ...COLUMNS.map((column) => [finding[column] ?? ""].flat().join(" ")),
    ...classes.map((name) => finding.probabilities?.[name] ?? ""), finding.model?.name ?? "", finding.model?.sha256 ?? "",
  ]);
}

// A spreadsheet runs a cell that begins like a formula; a quote before it makes it text.
function asCell(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function drawPane(context, { entry, index, slice }, look, { left, width, height, ratio }) {
  context.save();
  context.translate(left, 0);
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  const finding = entry.findings[index];
  const overlays = overlaysOf(look, finding);
  drawSlice(context, slice, look.view, overlays, { width, height, ratio });
  context.restore();
  const heat = overlays.heat > 0 ? ` Warm: where the network looked for ${className(slice.shown)}.` : "";
  const lines = [`${entry.name}: ${spoken(finding).headline}`, `tumorscope, ${finding.model.name}. Research use only.${heat}`];
  lines.forEach((line, at) => {
    context.fillStyle = at === 0 ? "#e8edf2" : "#a3b0be";
    context.font = `${at === 0 ? 14 : 11.5}px system-ui, sans-serif`;
    context.fillText(line, left + 10, height + 19 + 17 * at, width - 20);
  });
}
