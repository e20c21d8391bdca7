// What every part of the page is built from. Design tokens stand in tokens.css, the looks of these in components.css.
//
// How to add a page:
// 1. Write `yours.js` whose default export is a component: `export default function Yours() { return html`...`; }`.
//    Put its contents into <${Page} title="..." lead="...">: it scrolls, has the margins and the heading.
// 2. Add one row to PAGES in pages.js (address, name, icon, how it is loaded). Navigation and address follow from it.
// 3. Looks of its own go into `yours.css`, linked in index.html; use the tokens (var(--panel), --ink, --dim, --line, --accent,
//    tones .bad .warn .good .note .plain that set --tone and --tone-bg), so that both themes work.
// 4. Ask the server through api.js (request, getJson, send with upload progress, followEvents for server-sent events, download,
//    save): it brings the API key, waits at 429, and throws Problem, which <${ErrorLine} error=${error}> shows.
//    What is asked for when a part is shown comes by a hook of hooks.js (useJson, useModel).
// The policy of the page: no inline script or style in markup (a `style=${{...}}` object is fine), nothing from elsewhere,
// text of files and servers only as text (never innerHTML). Every word of the trade stands in a <${Term}>.

import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "./dom.js";
import { Icon } from "./icons.js";
import { Problem, request } from "./api.js";
import { TERMS } from "./words.js";

export { Icon };

const NAME_TAIL = 11;

/** The frame of a page that is read from top to bottom. */
export function Page({ title, lead, actions, children }) {
  return html`<main class="page" id="content" tabindex="-1">
    <header class="page-head">
      <div><h1>${title}</h1>${lead && html`<p class="dim">${lead}</p>`}</div>
      ${actions && html`<div class="row">${actions}</div>`}
    </header>
    ${children}
  </main>`;
}

/** A part of a page, on a panel of its own. */
export function Section({ title, note, actions, children }) {
  return html`<section class="section">
    ${title && html`<header class="row spread"><h2>${title}</h2>${actions}</header>`}
    ${note && html`<p class="dim small">${note}</p>`}
    ${children}
  </section>`;
}

/**
 * A button. With `icon` and no children it needs a `label`, which then is its tooltip too.
 * @param {{kind?: "plain"|"main"|"quiet"|"bad", pressed?: boolean, keys?: string}} props `keys`: the key that does the same.
 */
export function Button({ icon, label, kind = "plain", pressed, keys, children, class: extra = "", ...rest }) {
  const said = keys && label ? `${label} (${keys})` : label;
  return html`<button type="button" class="button ${kind} ${children ? "" : "only-icon"} ${extra}" aria-label=${label}
    aria-pressed=${pressed === undefined ? undefined : String(pressed)} title=${said} aria-keyshortcuts=${keys} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}${children}
  </button>`;
}

/**
 * A word of the trade, explained on hover, on focus and on a tap. `word` is a key of TERMS in words.js; or give `text`.
 * Without children the word itself is shown.
 */
export function Term({ word, text, children }) {
  const [at, setAt] = useState(null);
  const id = useId();
  const shown = children ?? word;
  const open = (event) => setAt(event.currentTarget);
  const close = () => setAt(null);
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || !at) return;
    event.stopPropagation();
    close();
  };
  return html`<span class="term-place"><button type="button" class="term" aria-describedby=${id} onPointerEnter=${open}
      onPointerLeave=${close} onFocus=${open} onBlur=${close} onClick=${open} onKeyDown=${onKeyDown}>${shown}</button
    ><${Tip} id=${id} at=${at}>${text ?? TERMS[word]}</${Tip}></span>`;
}

function Tip({ id, at, children }) {
  const box = useRef(null);
  const [place, setPlace] = useState(null);
  useLayoutEffect(() => {
    if (!at) return setPlace(null);
    const put = () => setPlace(placeBeside(at.getBoundingClientRect(), box.current.getBoundingClientRect()));
    put();
    addEventListener("scroll", put, true); // focus scrolls, and the tip has to follow
    return () => removeEventListener("scroll", put, true);
  }, [at]);
  return html`<span class="tip ${place ? "shown" : ""} ${at ? "" : "away"}" id=${id} role="tooltip" ref=${box}
    style=${place ?? { left: "0px", top: "0px" }}>${children}</span>`;
}

function placeBeside(word, { width, height }) {
  const left = Math.max(8, Math.min(word.left, innerWidth - width - 8));
  const isBelow = word.bottom + height + 12 < innerHeight;
  return { left: `${left}px`, top: `${isBelow ? word.bottom + 6 : Math.max(8, word.top - height - 6)}px` };
}

/**
 * A share as a bar. `limits` are drawn as ticks, `band` as a shaded stretch; `strong` marks the one that counts.
 * @param {{label: any, name?: string, value: number, said: string, limits?: {at: number, text: string}[], band?: [number, number]}} props
 *   value, limits and band between 0 and 1; `said` is the value in words, `name` the label without markup.
 */
export function Bar({ label, name = label, value, said, limits = [], band, strong, tone = "plain", badge }) {
  const words = [said, ...limits.map(({ text }) => text)].join(", ");
  return html`<div class="bar ${tone} ${strong ? "strong" : ""}">
    <div class="bar-head"><span class="bar-label">${label}${badge && html` <span class="badge">${badge}</span>`}</span>
      <span class="number">${said}</span></div>
    <div class="track" role="img" aria-label="${name}: ${words}">
      <i class="fill" style=${{ width: percent(value) }}></i>
      ${band && html`<i class="band" style=${{ left: percent(band[0]), width: percent(band[1] - band[0]) }}></i>`}
      ${limits.map(({ at, text }) => html`<i class="limit" title=${text}
          style=${{ left: percent(at) }}></i>`)}
    </div>
  </div>`;
}

function percent(share) {
  return `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
}

/** How far a piece of work is; without `total` it only says that it runs. */
export function Progress({ done, total, label, children }) {
  const known = total > 0;
  return html`<div class="progress">
    <div class="row spread small"><span>${label}</span>
      <span class="row dim number">${known && `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`}${children}</span></div>
    <div class="track" role="progressbar" aria-label=${label} aria-valuemin="0"
        aria-valuemax=${known ? total : undefined}
      aria-valuenow=${known ? done : undefined}><i class="fill ${known ? "" : "running"}"
      style=${{ width: known ? percent(done / total) : "30%" }}></i></div>
  </div>`;
}

/** What went wrong, in one line, read out when it appears. `error` is an Error, a Problem or a text. */
export function ErrorLine({ error, onRetry }) {
  if (!error) return null;
  const title = error instanceof Problem && error.title !== error.message ? error.title : null;
  return html`<div class="notice bad" role="alert"><${Icon} name="failed" />
    <p>${title && html`<b>${title}. </b>`}${error.message ?? String(error)}</p>
    ${onRetry && html`<${Button} icon="retry" onClick=${onRetry}>Try again</${Button}>`}</div>`;
}

/** A remark; `tone` is good, note, warn, bad or plain. */
export function Notice({ tone = "note", icon, children }) {
  return html`<div class="notice ${tone}">${icon && html`<${Icon} name=${icon} />`}<div>${children}</div></div>`;
}

/** What stands where nothing is yet, and what to do about it. */
export function Empty({ icon = "scans", title, children }) {
  return html`<div class="empty"><${Icon} name=${icon} size=${34} /><h2>${title}</h2><div
      class="dim">${children}</div></div>`;
}

/** A verdict or state as a small labeled mark; never by color alone. */
export function Badge({ tone = "plain", icon, children }) {
  return html`<span class="pill ${tone}">${icon && html`<${Icon} name=${icon} size=${14} />`}${children}</span>`;
}

/** Big figures side by side: `[{value, label, note, tone}]`, label and note may be markup. */
export function Tiles({ tiles }) {
  return html`<dl class="tiles">${tiles.map(({ value, label, note, tone = "plain" }) => html`<div class="tile ${tone}">
    <dt>${label}</dt><dd class="number">${value}</dd>${note && html`<dd class="dim small">${note}</dd>`}</div>`)}</dl>`;
}

/**
 * A table that sorts by a click on a head.
 * @param {{columns: {key: string, head: any, number?: boolean, cell?: (row) => any, sort?: (row) => any}[], rows: object[],
 *   caption: string}} props a column without `cell` shows `row[key]`; without `sort` it does not sort.
 */
export function Table({ columns, rows, caption, onRow }) {
  const [order, setOrder] = useState(null);
  const column = columns.find(({ key }) => key === order?.key);
  const sorted = column ? rows.toSorted((a, b) => order.way * compare(column.sort(a), column.sort(b))) : rows;
  const turn = (key) => setOrder({ key, way: order?.key === key ? -order.way : 1 });
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table class="table">
    <caption class="hidden">${caption}</caption>
    <thead><tr>${columns.map(({ key, head, number, sort }) => html`<th scope="col" class=${number ? "right" : ""}
      aria-sort=${order?.key === key ? (order.way > 0 ? "ascending" : "descending") : undefined}>
      ${sort ? html`<button type="button" class="sorter"
          onClick=${() => turn(key)}>${head}</button>` : head}</th>`)}</tr></thead>
    <tbody>${sorted.map((row) => html`<tr class=${onRow ? "pressable" : ""} onClick=${onRow && (() => onRow(row))}>
      ${columns.map(({ key, number, cell }) => html`<td
          class=${number ? "right number" : ""}>${cell ? cell(row) : row[key]}</td>`)}</tr>`)}
    </tbody></table></div>`;
}

function compare(a, b) {
  return typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : (a ?? -Infinity) - (b ?? -Infinity);
}

/** Two pictures side by side: `left` and `right` are `{src, name, note}`; `src` as in Picture. */
export function PicturePair({ left, right, title, children }) {
  return html`<figure class="pair">
    <div class="pair-pictures">${[left, right].map(({ src, name, note }) => html`<div>
      <${Picture} src=${src} alt=${name} /><${Name}>${name}</${Name}>
      ${note && html`<span class="dim small">${note}</span>`}</div>`)}</div>
    <figcaption>${title && html`<b>${title}</b>`} ${children}</figcaption>
  </figure>`;
}

/** The name of a file in one line; where it is too long, its middle gives way, since names differ at their ends. */
export function Name({ children }) {
  const name = String(children);
  const cut = name.length > NAME_TAIL ? name.length - NAME_TAIL : 0;
  return html`<span class="name" title=${name}><span class="name-head">${name.slice(0, cut)}</span><span
      class="name-tail">${name.slice(cut)}</span></span>`;
}

/** A picture: a data: address as it is; an address of the server is fetched, since an <img> would send no API key. */
export function Picture({ src, alt, class: extra = "" }) {
  const [shown, setShown] = useState(isInline(src) ? src : null);
  useEffect(() => {
    if (isInline(src)) return setShown(src);
    const stop = new AbortController();
    let url = null;
    const load = async () => {
      url = URL.createObjectURL(await (await request(src, { signal: stop.signal })).blob());
      if (stop.signal.aborted) URL.revokeObjectURL(url);
      else setShown(url);
    };
    load().catch(() => {});
    return () => {
      stop.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [src]);
  return shown ? html`<img class="picture ${extra}" src=${shown} alt=${alt} draggable=${false} />`
    : html`<span class="picture ${extra}" role="img" aria-label=${alt}></span>`;
}

function isInline(src) {
  return /^(data|blob):/.test(src ?? "");
}

/** A dialog over the page, with the focus on what has `data-first`; Escape and a click beside it close it, and focus goes back to where it was. */
export function Dialog({ title, onClose, wide, children }) {
  const box = useRef(null);
  const id = useId();
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog.showModal();
    dialog.querySelector("[data-first]")?.focus();
    return () => {
      dialog.close(); // while it is open, nothing outside can take the focus
      before?.focus?.();
    };
  }, []);
  const onClick = (event) => event.target === box.current && onClose();
  const onCancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog class="dialog ${wide ? "wide" : ""}" ref=${box} aria-labelledby=${id} onClick=${onClick}
      onCancel=${onCancel}>
    <div class="dialog-body"><header class="row spread"><h2 id=${id}>${title}</h2>
      <${Button} icon="close" kind="quiet" label="Close" onClick=${onClose} /></header>${children}</div></dialog>`;
}

/** A button that opens a small menu; the browser closes it on Escape and on a click elsewhere. */
export function Menu({ icon, label, children }) {
  const menu = useRef(null);
  const id = useId();
  const place = (event) => {
    if (event.newState !== "open") return;
    const { right, bottom } = menu.current.previousElementSibling.getBoundingClientRect();
    Object.assign(menu.current.style, { left: `${Math.max(8, right - menu.current.offsetWidth)}px`, top: `${bottom + 4}px` });
  };
  const close = (event) => event.target.closest("button") && menu.current.hidePopover();
  return html`<span class="menu-place"><${Button} icon=${icon} label=${label} popovertarget=${id}
      aria-haspopup="true" />
    <div class="menu" id=${id} popover="auto" ref=${menu} onToggle=${place} onClick=${close}>${children}</div></span>`;
}

/** Read a text out to users of a screen reader. */
export function announce(text) {
  const place = document.getElementById("announcements");
  if (!place || place.textContent === text) return;
  place.textContent = text;
}
