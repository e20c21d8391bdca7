// What the audit page and the evaluation page show alike: shares with intervals on one axis, sentences by their weight, formats.
import { html } from "./dom.js";
import { hasKey, download } from "./api.js";
import { Icon } from "./components.js";
import { asPercent } from "./phrases.js";
import { Word } from "./terms.js";

const LEVELS = {
  bad: { icon: "failed", said: "Serious" },
  warn: { icon: "tumor", said: "Look at this" },
  note: { icon: "files", said: "To know" },
  good: { icon: "check", said: "Good" },
};

/** A count with thousands set apart. */
export function count(value) {
  return value.toLocaleString("en");
}

/** "1 image", "7,023 images". */
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A share as `93.1%`, never a false 0% or 100%; a dash where there is none. */
export function share(value, digits = 1) {
  return value === null || value === undefined ? "–" : asPercent(value, digits);
}

/** An area under a curve as `0.953`, never a false 1. */
export function area(value) {
  return value < 1 && value >= 0.9995 ? ">0.999" : value.toFixed(3);
}

/** An interval as `91.4 to 97.2%`; a dash where there is none. */
export function range(interval, digits = 1) {
  return interval ? `${(100 * interval[0]).toFixed(digits)} to ${(100 * interval[1]).toFixed(digits)}%` : "–";
}

/** Sentences with a level each, as audits and reports have them: `[{level, text}]`. */
export function Sentences({ of }) {
  return html`<ul class="sentences">${of.map(({ level, text }) => {
    const { icon, said } = LEVELS[level] ?? LEVELS.note;
    return html`<li class=${level}><span class="mark"><${Icon} name=${icon} size=${15} label=${said} /></span><span>${text}</span></li>`;
  })}</ul>`;
}

/**
 * Shares on one axis, each a dot in its 95% interval.
 * @param {{rows: {name: any, said: string, note?: any, value: number|null, interval: number[]|null, majority?: number, dim?: boolean,
 *   copy?: number}[]}} props `said` is the name in plain text; `majority` is drawn as a tick, `copy` as a diamond.
 */
export function Axis({ rows, legend = [] }) {
  return html`<div class="axis">
    ${rows.map((row) => html`<div class="axis-row ${row.dim ? "faded" : ""}">
      <div class="axis-name">${row.name}${row.note && html`<small>${row.note}</small>`}</div>
      <div class="axis-track" role="img" aria-label=${spoken(row)}>
        ${row.majority !== undefined && row.majority !== null && html`<i class="tick" style=${{ left: at(row.majority) }}></i>`}
        ${row.interval && html`<i class="span" style=${{ left: at(row.interval[0]), width: at(row.interval[1] - row.interval[0]) }}></i>`}
        ${row.copy !== undefined && row.copy !== null && html`<i class="diamond" style=${{ left: at(row.copy) }}></i>`}
        ${row.value !== null && html`<i class="dot" style=${{ left: at(row.value) }}></i>`}
      </div>
      <b class="number">${share(row.value)}</b>
    </div>`)}
    <div class="axis-row axis-scale" aria-hidden="true"><div></div><div class="axis-ticks">${[0, 25, 50, 75, 100].map((tick) =>
      html`<span style=${{ left: `${tick}%` }}>${tick}%</span>`)}</div><b></b></div>
    ${legend.length > 0 && html`<div class="legend" aria-hidden="true">${legend.map(([mark, text]) => html`<span><i class=${mark}></i>${text}</span>`)}</div>`}
  </div>`;
}

function spoken({ said, value, interval, majority, copy }) {
  if (value === null) return `${said}: not measured`;
  const parts = [`${said}: ${share(value)}`];
  if (interval) parts.push(`95% interval ${range(interval)}`);
  if (copy !== undefined && copy !== null) parts.push(`copying ${share(copy)}`);
  if (majority !== undefined && majority !== null) parts.push(`commonest class ${share(majority)}`);
  return parts.join(", ");
}

function at(value) {
  return `${(100 * Math.min(1, Math.max(0, value))).toFixed(2)}%`;
}

/** A figure with its interval under it, for a cell of a table. */
export function Figure({ of, digits = 1 }) {
  if (!of) return html`<span class="dim">–</span>`;
  return html`<span class="figure">${share(of.value, digits)}${of.interval && html`<small>${range(of.interval, digits)}</small>`}</span>`;
}

/** A link that opens a page of the server beside this one; with an API key, which a link cannot carry, it is saved instead. */
export function PageLink({ href, name, icon = "files", children }) {
  const onClick = (event) => {
    if (!hasKey()) return;
    event.preventDefault();
    download(href, name);
  };
  return html`<a class="button" href=${href} target="_blank" rel="noopener" onClick=${onClick}><${Icon} name=${icon} />${children}</a>`;
}

/** Bring a part of a page to its top; only the page scrolls, never the shell around it. */
export function bringUp(part) {
  const page = part?.closest("main");
  page?.scrollBy({ top: part.getBoundingClientRect().top - page.getBoundingClientRect().top - 12 });
}

/** The three floors in words, once, so that both pages say the same. */
export const FLOORS_NOTE = html`Neither <${Word} of="copy baseline">copying</${Word}> nor the <${Word} of="source probe" /> understands a
  picture. Where they score high, a high score of a model proves little.`;
