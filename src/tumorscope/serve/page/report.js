// The report: one HTML file with everything in it, that opens anywhere and asks for nothing.
import { RESTING } from "./draw.js";
import { slicePicture } from "./exports.js";
import { VERDICTS, asFigure, asLimit, asPercent, capital, className, metricName, partName, sharesText, spoken } from "./phrases.js";
import { openSlice } from "./slices.js";

const SIDE = 320;
const PLAIN = { heat: 0, outline: 0 };
const OVERLAID = { heat: 0.55, outline: 1 };
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
const STYLE = `
:root { color-scheme: light dark; --paper: #f3f5f8; --panel: #fff; --ink: #16202c; --dim: #51606f; --line: #d3dae2; --tumor: #a8231c; --unsure: #7f4a00; --refused: #35547f; --failed: #51606f; --clear: #17643f; --soft: #e6ebf0; }
@media (prefers-color-scheme: dark) { :root { --paper: #0a0d11; --panel: #11161c; --ink: #e8edf2; --dim: #a3b0be; --line: #2a343f; --tumor: #ff9a91; --unsure: #f3bd66; --refused: #a9c1f5; --failed: #a3b0be; --clear: #74d3a0; --soft: #222b36; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 27px; margin: 0 0 4px; letter-spacing: -.01em; } h2 { font-size: 19px; margin: 30px 0 8px; } h3 { font-size: 16px; margin: 0; overflow-wrap: anywhere; }
p { margin: 0 0 8px; } .dim { color: var(--dim); } small { color: var(--dim); }
article, .panel { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px; margin-bottom: 12px; break-inside: avoid; }
article { display: grid; grid-template-columns: minmax(0, 340px) minmax(0, 1fr); gap: 14px 20px; }
article.bare { grid-template-columns: minmax(0, 1fr); }
.pictures { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 4px; align-content: start; }
.pictures img { width: 100%; aspect-ratio: 1; object-fit: contain; background: #000; border-radius: 6px; display: block; }
.said { font-size: 18px; font-weight: 650; margin: 4px 0; }
.verdict { font-size: 13px; font-weight: 650; }
.tumor { color: var(--tumor); } .unsure { color: var(--unsure); } .refused { color: var(--refused); } .failed { color: var(--failed); } .clear { color: var(--clear); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; } th { color: var(--dim); font-weight: 600; }
tr:last-child td { border-bottom: 0; } .right { text-align: right; }
.wide { width: 34%; } td:last-child { white-space: nowrap; } .track { height: 8px; margin-top: 6px; border-radius: 4px; background: var(--soft); overflow: hidden; } .track i { display: block; height: 100%; background: var(--dim); }
.scroll { overflow-x: auto; }
@media (max-width: 680px) { article { grid-template-columns: minmax(0, 1fr); } .wide { width: 18%; } main { padding: 20px 12px; } }
@media print { body { background: #fff; } }`;

/**
 * Make the report of finished entries.
 * @param {object[]} entries of the worklist
 * @param {object} model of GET /v1/models
 * @param {(done: number, total: number) => void} onProgress
 * @returns {Promise<Blob>}
 */
export async function makeReport(entries, model, onProgress = () => {}) {
  const finished = entries.filter(({ status }) => status === "done" || status === "failed");
  const parts = [head(model, finished)];
  for (const [at, entry] of finished.entries()) {
    parts.push(await entryHtml(entry));
    onProgress(at + 1, finished.length);
  }
  parts.push(modelHtml(model), "</main></body></html>\n");
  return new Blob(parts, { type: "text/html" });
}

function head(model, entries) {
  const counts = Object.entries(VERDICTS).map(([key, { name }]) => [name, entries.filter(({ verdicts }) => verdicts.includes(key)).length]);
  const said = counts.filter(([, count]) => count > 0).map(([name, count]) => `${name}: ${count}`).join(", ");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="referrer" content="no-referrer">
<title>tumorscope report</title><style>${STYLE}</style></head><body><main>
<h1>tumorscope report</h1>
<p class="dim">${entries.length} ${entries.length === 1 ? "file" : "files"}, read by ${text(model.name)} ${text(model.version)}. ${text(said)}. Made ${text(new Date().toLocaleString("en-GB"))}.</p>
<p class="panel">Research use only. Not a medical device: nothing here is a diagnosis. The left picture is the slice, the right one
the same with the heatmap (warm where the network looked) and the line at half its peak, which is not a segmentation.</p>`;
}

async function entryHtml(entry) {
  if (entry.findings.length === 0) return bareHtml({ file: entry.name, verdict: "error", sentence: `This file could not be read. ${capital(entry.error.message)}.` });
  const parts = entry.volumes.map(bareHtml);
  for (const [index, finding] of entry.findings.entries()) {
    parts.push(finding.status === "error" ? bareHtml(finding) : await findingHtml(entry, index, finding));
  }
  return parts.join("");
}

// What has no picture of its own: a whole scan, or what could not be read.
function bareHtml(finding) {
  return `<article class="bare"><div>${saidHtml(finding)}</div></article>`;
}

async function findingHtml(entry, index, finding) {
  return `<article><div class="pictures">${await pictures(entry.layers[index], nameOf(finding), finding)}</div><div>${saidHtml(finding)}
${finding.status === "ok" ? probabilities(finding) : ""}</div></article>`;
}

function saidHtml(finding) {
  const { name, tone } = VERDICTS[finding.verdict];
  const { headline, detail } = spoken(finding);
  const said = finding.status === "ok" ? `<p>${text(sharesText(finding))}.</p>` : "";
  return `<h3>${text(nameOf(finding))}</h3>
<p class="verdict ${tone}">${name}</p><p class="said">${text(headline)}</p>
${said}<p>${text(detail)}</p>`;
}

function nameOf(finding) {
  return [finding.file, partName(finding), finding.kind === "volume" ? "whole scan" : ""].filter(Boolean).join(", ");
}

async function pictures(layers, name, { status }) {
  if (!layers) return "";
  const slice = await openSlice(layers);
  const looks = status === "refused" ? [PLAIN] : [PLAIN, OVERLAID]; // the heatmap of a refused picture means nothing
  const drawn = looks.map((overlays) => slicePicture(slice, overlays, RESTING, SIDE));
  const urls = await Promise.all((await Promise.all(drawn)).map(asDataUrl));
  return urls.map((url, at) => `<img src="${url}" alt="${text(at === 0 ? name : `${name} with overlays`)}">`).join("");
}

function probabilities({ probabilities: found, prediction_set: kept }) {
  const sorted = Object.entries(found).toSorted((a, b) => b[1] - a[1]);
  const rows = sorted.map(([name, share]) => `<tr><td>${text(capital(className(name)))}</td>
<td class="wide"><div class="track"><i style="width:${(100 * share).toFixed(1)}%"></i></div></td>
<td class="right">${asPercent(share, 1)}</td><td>${kept.includes(name) ? "not ruled out" : ""}</td></tr>`);
  return `<table>${rows.join("")}</table>`;
}

function modelHtml({ name, version, sha256, card }) {
  const { tumor, abstain, conformal, coverage, outlier } = card.thresholds;
  const limits = [
    `called a tumor from a probability of ${asLimit(tumor)}`,
    abstain > 0.5 ? `too close to call between ${asLimit(1 - abstain)} and ${asLimit(abstain)}` : "",
    `not ruled out from ${asLimit(conformal)} (sets made to hold the right answer for ${asLimit(coverage)} of slices)`,
    outlier === null ? "" : `refused where the distance from the training data is over ${outlier.toFixed(2)}`,
  ].filter(Boolean);
  const rows = Object.entries(card.metrics).flatMap(([set, figures]) =>
    Object.entries(figures).map(([metric, figure]) => figureRow(set, metric, figure)));
  return `<h2>The model</h2><div class="panel"><p><b>${text(name)}</b> ${text(version)}, file fingerprint ${text(sha256)}. ${text(card.licence)}.</p>
<p>Limits: ${text(limits.join("; "))}.</p><p>Never shown: ${text(card.never_shown.join("; ") || "nothing is said")}.</p>
<p>Trained on: ${text(Object.entries(card.training.sets).map(([set, count]) => `${set} ${count.toLocaleString("en")}`).join(", "))} slices.</p></div>
<h2>Measured at</h2><div class="panel scroll"><table><tr><th>Measured on</th><th>Figure</th><th class="right">Value</th><th class="right">95% interval</th><th class="right">n</th></tr>${rows.join("")}</table></div>`;
}

function figureRow(set, metric, figure) {
  const { value, interval } = asFigure(metric, figure, 1);
  return `<tr><td>${text(set)}</td><td>${text(metricName(metric))}</td><td class="right">${text(value)}</td>
<td class="right">${text(interval ?? "")}</td><td class="right">${Number(figure.n).toLocaleString("en")}</td></tr>`;
}

function asDataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function text(value) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(value).replace(/[&<>"']/g, (letter) => entities[letter]);
}
