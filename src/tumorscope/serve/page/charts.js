// Line charts as SVG in the page's own colors; what they show can be read as a table too.
import { html, useId } from "./dom.js";

const WIDTH = 460, HEIGHT = 300;
const LEFT = 50, RIGHT = 22, TOP = 12, BOTTOM = 44;
const DIGITS = 3;

/**
 * A chart of lines.
 * @param {{title: string, words?: any, x: Axis, y: Axis, lines: Line[]}} props
 *   Axis: `{label, from, to, percent?, ticks?}`; Line: `{name, points: [x, y][], look: "main"|"other"|"guide"|"mark", sizes?: number[]}`.
 *   Guides are not named in the legend or the table; a mark is one point.
 */
export function Chart({ title, words, x, y, lines }) {
  const id = useId();
  const named = lines.filter((line) => line.look !== "guide");
  const place = ([px, py]) => [
    LEFT + ((px - x.from) / (x.to - x.from || 1)) * (WIDTH - LEFT - RIGHT),
    HEIGHT - BOTTOM - ((py - y.from) / (y.to - y.from || 1)) * (HEIGHT - TOP - BOTTOM),
  ];
  return html`<figure class="chart">
    <figcaption><h3 id=${id}>${title}</h3>${words && html`<p class="dim small">${words}</p>`}</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby=${id}>
      <${Grid} x=${x} y=${y} place=${place} />
      ${lines.map((line) => html`<${Marks} line=${line} place=${place} />`)}
    </svg>
    ${named.length > 0 && html`<div class="legend" aria-hidden="true">${named.map((line) => html`<span><i class="stroke ${line.look}"></i>${line.name}</span>`)}</div>`}
    <${Numbers} title=${title} x=${x} y=${y} lines=${named} />
  </figure>`;
}

function Grid({ x, y, place }) {
  return html`<g class="grid">
    ${ticksOf(y).map((tick) => {
      const [, py] = place([x.from, tick]);
      return html`<g><line x1=${LEFT} x2=${WIDTH - RIGHT} y1=${py} y2=${py} /><text x=${LEFT - 8} y=${py + 4} text-anchor="end">${shown(tick, y)}</text></g>`;
    })}
    ${ticksOf(x).map((tick) => {
      const [px] = place([tick, y.from]);
      return html`<text x=${px} y=${HEIGHT - BOTTOM + 18} text-anchor="middle">${shown(tick, x)}</text>`;
    })}
    <text class="axis-label" x=${(LEFT + WIDTH - RIGHT) / 2} y=${HEIGHT - 6} text-anchor="middle">${x.label}</text>
  </g>`;
}

function Marks({ line, place }) {
  const points = line.points.map(place);
  const d = points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  const dots = line.sizes ?? (line.look === "mark" ? [6] : line.points.length < 30 && line.look !== "guide" && line.dots ? points.map(() => 3) : []);
  return html`<g class="line ${line.look}">
    ${line.look !== "mark" && html`<path d=${d} />`}
    ${dots.map((size, i) => html`<circle cx=${points[i][0]} cy=${points[i][1]} r=${size} />`)}
  </g>`;
}

// Curves have hundreds of points; as a table every so many of them tell the same.
const MOST_ROWS = 24;

function Numbers({ title, x, y, lines }) {
  return html`<details class="numbers"><summary>The numbers</summary>
    <div class="numbers-tables" tabindex="0" role="region" aria-label="${title}: numbers">${lines.map((line) => html`<table class="table">
      <caption>${line.name}</caption>
      <thead><tr><th scope="col" class="right">${x.short ?? x.label}</th><th scope="col" class="right">${y.short ?? y.label}</th></tr></thead>
      <tbody>${thinned(line.points).map(([px, py]) => html`<tr><td class="right number">${shown(px, x, true)}</td><td class="right number">${shown(py, y, true)}</td></tr>`)}</tbody>
    </table>`)}</div></details>`;
}

function thinned(points) {
  if (points.length <= MOST_ROWS) return points;
  return Array.from({ length: MOST_ROWS }, (_, i) => points[Math.round((i * (points.length - 1)) / (MOST_ROWS - 1))]);
}

function shown(value, axis, exact = false) {
  if (axis.percent) return `${(100 * value).toFixed(exact ? 1 : Math.max(0, decimalsOf(axis) - 2))}%`;
  if (exact) return Number.isInteger(value) ? value.toLocaleString("en") : value.toPrecision(DIGITS);
  return value.toLocaleString("en", { maximumFractionDigits: decimalsOf(axis) });
}

/** As many decimals as tell the ticks of an axis apart. */
function decimalsOf(axis) {
  const [first, second = first + 1] = ticksOf(axis);
  return Math.max(0, Math.ceil(-Math.log10(second - first) - 1e-9));
}

function ticksOf(axis) {
  if (axis.ticks) return axis.ticks;
  const step = niceStep((axis.to - axis.from) / 5, axis.whole);
  const first = Math.ceil(axis.from / step - 1e-9) * step;
  const ticks = [];
  for (let tick = first; tick <= axis.to + step * 1e-6; tick += step) ticks.push(+tick.toFixed(10));
  return ticks;
}

function niceStep(rough, isWhole) {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= rough - 1e-12);
  return isWhole ? Math.max(1, Math.round(step)) : step;
}

/** An axis that starts at a round number under the least of `values`, and ends at a round number over the largest. */
export function around(values, { least = -Infinity, most = Infinity } = {}) {
  const low = Math.min(...values), high = Math.max(...values);
  const step = niceStep((high - low || Math.abs(high) || 1) / 5);
  return { from: Math.max(least, Math.floor(low / step) * step), to: Math.min(most, Math.ceil(high / step + 1e-9) * step) };
}
