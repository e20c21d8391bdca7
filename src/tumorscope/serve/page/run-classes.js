// Which class is taken for which, the figures of each, and where a run does well and where not.
import { html } from "./dom.js";
import { Section, Table } from "./components.js";
import { className, metricName } from "./phrases.js";
import { Figure, count, share } from "./figures.js";
import { Word } from "./terms.js";
import { SPLITS } from "./run-entry.js";

const NOTUMOR = "notumor";
const PARTS = [["by_dataset", "Data set"], ["by_source", "Source"], ["by_sequence", "Sequence"], ["by_plane", "Plane"], ["by_kind", "Kind"]];
const PART_METRICS = ["accuracy", "auc", "sensitivity", "specificity", "pointing"];
const PER_CLASS = ["precision", "recall", "f1", "auc"];

/** The matrix of what is taken for what; a wrong cell shows its mistakes. */
export function Confusion({ metrics, cell, onCell }) {
  const found = metrics.confusion;
  if (!Array.isArray(found?.labels) || !Array.isArray(found.called) || !Array.isArray(found.counts)) return null;
  return html`<${Section} title="Which is taken for which"
    note=${`The ${SPLITS[metrics.headline_split] ?? ""} slices. Rows: what the slice is. Columns: what the model calls it. A click on a mistake shows its pictures.`}>
    <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="confusion">
      <caption class="hidden">What the slices are, against what the model calls them</caption>
      <thead><tr><td></td>${found.called.map((name) => html`<th scope="col">${className(name)}</th>`)}</tr></thead>
      <tbody>${found.labels.map((label, i) => {
        const total = found.counts[i].reduce((sum, value) => sum + value, 0);
        return html`<tr><th scope="row">${className(label)}<br /><span class="dim number">${count(total)}</span></th>
          ${found.called.map((called, j) => html`<td><${Cell} label=${label} called=${called} n=${found.counts[i][j]} total=${total}
            isRight=${covers(label, called, found.called)} cell=${cell} onCell=${onCell} /></td>`)}</tr>`;
      })}</tbody></table></div></${Section}>`;
}

function Cell({ label, called, n, total, isRight, cell, onCell }) {
  const part = total ? n / total : 0;
  const inside = html`<span>${count(n)}<small><br />${share(part, part >= 0.1 || n === 0 ? 0 : 1)}</small></span>`;
  const style = { "--share": part.toFixed(3) };
  if (isRight || n === 0) return html`<div class="cell ${isRight ? "right" : "none"} number" style=${style}>${inside}</div>`;
  const isPressed = cell?.label === label && cell?.called === called;
  return html`<button type="button" class="cell wrong number" style=${style} aria-pressed=${String(isPressed)}
    aria-label="${count(n)} of ${className(label)} called ${className(called)}: show them" onClick=${() => onCell(isPressed ? null : { label, called })}>${inside}</button>`;
}

/** A label that names no kind (tumor) covers every kind that the model knows. */
function covers(label, called, classes) {
  return label === called || (!classes.includes(label) && label !== NOTUMOR && called !== NOTUMOR);
}

export function PerClass({ metrics }) {
  const rows = Object.entries(metrics.per_class ?? {}).map(([name, figures]) => ({ name, figures }));
  if (rows.length === 0) return null;
  const heads = { precision: ["precision", "Precision"], recall: ["recall", "Recall"], f1: ["F1", "F1"], auc: ["AUC", "AUC"] };
  const columns = [
    { key: "name", head: "Class", cell: ({ name, figures }) => html`<b>${name === "tumor" ? "tumor of any kind" : className(name)}</b>${figures.recall && html`<br /><span class="dim small">${count(figures.recall.n)} slices</span>`}` },
    ...PER_CLASS.map((key) => ({ key, head: html`<${Word} of=${heads[key][0]}>${heads[key][1]}</${Word}>`, number: true, cell: ({ figures }) => html`<${Figure} of=${figures[key]} />` })),
  ];
  return html`<${Section} title="Class by class" note=${html`Under each figure its <${Word} of="95% interval" />.`}><${Table} caption="Figures by class" columns=${columns} rows=${rows} /></${Section}>`;
}

/** The same figures by data set, source, sequence and so on, where there is more than one. */
export function Parts({ metrics }) {
  const parts = PARTS.map(([key, head]) => ({ head, rows: Object.entries(metrics[key] ?? {}).map(([name, figures]) => ({ name, figures })) }))
    .filter(({ rows }) => rows.length > 1);
  if (parts.length === 0) return null;
  const metricsOf = (rows) => PART_METRICS.filter((key) => rows.some(({ figures }) => figures[key]));
  return html`<${Section} title="Where it does well, and where not" note=${`The ${SPLITS[metrics.headline_split] ?? ""} slices, part by part. Small parts have wide intervals.`}>
    ${parts.map(({ head, rows }) => html`<${Table} caption=${`Figures by ${head.toLowerCase()}`} rows=${rows} columns=${[
      { key: "name", head, sort: ({ name }) => name }, { key: "n", head: "n", number: true, sort: ({ figures }) => figures.accuracy?.n, cell: ({ figures }) => count(figures.accuracy?.n ?? 0) },
      ...metricsOf(rows).map((key) => ({ key, head: metricName(key), number: true, sort: ({ figures }) => figures[key]?.value, cell: ({ figures }) => html`<${Figure} of=${figures[key]} />` })),
    ]} />`)}</${Section}>`;
}
