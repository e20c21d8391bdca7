// The list of the worklist: only the rows in sight are in the document, so that thousands stay fluid.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./dom.js";
import { Button, Empty, Icon, Menu, Name, Progress } from "./components.js";
import { MIXED, VERDICTS, asPercent, capital, partName, spoken } from "./phrases.js";
import { drawThumb } from "./slices.js";
import { ORDERS, countEntries } from "./worklist.js";

const ROW = 58;
const SPARE = 6;

/**
 * @param {object} props
 * @param {object[]} props.all every entry
 * @param {object[]} props.shown those that filter and search leave, in order
 * @param {number[]} props.open ids in the panes, the active one first
 * @param {{verdict: string, text: string, order: string}} props.wish
 */
export function List({ all, shown, open, wish, onWish, commands }) {
  const counts = countEntries(all);
  return html`<section class="list" aria-label="Worklist">
    <div class="list-head">
      <div class="row spread"><h2>Worklist</h2><span class="row tight">
        <${Button} icon="add" kind="main" onClick=${commands.chooseFiles}>Add</${Button}>
        <${More} commands=${commands} /></span></div>
      <${Work} counts=${counts} commands=${commands} />
      <div class="row nowrap"><input class="input" type="search" id="search" placeholder="Search (/)"
          aria-label="Search by name" value=${wish.text}
          onInput=${(event) => onWish({ text: event.currentTarget.value })} />
        <select class="input order" aria-label="Order" value=${wish.order}
            onChange=${(event) => onWish({ order: event.currentTarget.value })}>
          ${Object.entries(ORDERS).map(([key, name]) => html`<option value=${key}>${name}</option>`)}</select></div>
      <${Filters} counts=${counts} chosen=${wish.verdict} onChoose=${(verdict) => onWish({ verdict })} />
    </div>
    <${Rows} shown=${shown} open=${open} commands=${commands} />
  </section>`;
}

function More({ commands }) {
  return html`<${Menu} icon="more" label="More">
    <${Button} icon="folder" onClick=${commands.chooseFolder}>Add a folder</${Button}>
    ${navigator.clipboard?.read && html`<${Button} icon="paste" onClick=${commands.paste}>Paste a picture</${Button}>`}
    <${Button} icon="scans" onClick=${commands.addAllSamples}>Add the samples</${Button}>
    <label class="check"><input type="checkbox" checked=${commands.isEachSequence}
        onChange=${(event) => commands.setEachSequence(event.currentTarget.checked)} />
      <span>Read each sequence of color pictures that hold three<br /><span
          class="dim small">Else FLAIR alone. Counts for what is added from now on.</span></span></label>
    <${Button} icon="trash" onClick=${commands.clear}>Clear the worklist</${Button}></${Menu}>`;
}

function Work({ counts, commands }) {
  const left = counts.queued + counts.sending;
  return left > 0 && html`<${Progress} label="Reading" done=${counts.done} total=${counts.total}>
    <button type="button" class="link" onClick=${commands.cancelAll}>Cancel</button></${Progress}>`;
}

function Filters({ counts, chosen, onChoose }) {
  const choices = [["all", "All", counts.total], ...Object.entries(VERDICTS).map(([key, { name }]) => [key, name, counts[key]])];
  return html`<div class="filters" role="group" aria-label="Show">${choices.map(([key, name, count]) => html`<button
      type="button"
    class="chip ${VERDICTS[key]?.tone ?? "plain"}" aria-pressed=${String(chosen === key)} disabled=${count === 0 && chosen !== key}
    onClick=${() => onChoose(key)}>${name} <span class="number">${count.toLocaleString("en")}</span></button>`)}</div>`;
}

function Rows({ shown, open, commands }) {
  const box = useRef(null);
  const [{ from, to }, setSpan] = useState({ from: 0, to: 20 });
  const chosen = shown.findIndex((entry) => entry.id === open[0]);
  const look = () => {
    const { scrollTop, clientHeight } = box.current;
    const [first, end] = [Math.floor(scrollTop / ROW), Math.ceil((scrollTop + clientHeight) / ROW)];
    setSpan({ from: Math.max(0, first - SPARE), to: end + SPARE });
  };
  useLayoutEffect(() => {
    const watch = new ResizeObserver(look);
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => bringIntoSight(box.current, chosen), [chosen, open[0]]);
  const visible = shown.slice(from, to);
  return html`<div class="rows" ref=${box} onScroll=${look}>
    ${shown.length === 0 && html`<${Empty} icon="search"
        title="Nothing here">No file fits the search and the filter.</${Empty}>`}
    <ul class="rows-all" style=${{ height: `${shown.length * ROW}px` }}
        aria-label="Files">${visible.map((entry, at) => html`<${Row} key=${entry.id} entry=${entry}
      at=${from + at} count=${shown.length} isOpen=${open.includes(entry.id)} isChosen=${entry.id === open[0]}
        isFirst=${chosen < 0 && from + at === 0} commands=${commands} />`)}</ul>
  </div>`;
}

function bringIntoSight(box, chosen) {
  if (chosen < 0) return;
  const top = chosen * ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
  if (box.contains(document.activeElement)) {
    // the keys go on from the row that is chosen now; it may be drawn only after the scroll
    requestAnimationFrame(() => box.querySelector('[aria-current="true"]')?.focus({ preventScroll: true }));
  }
}

function Row({ entry, at, count, isOpen, isChosen, isFirst, commands }) {
  const tone = lookOf(entry)?.tone ?? "waiting";
  const [only, another] = entry.said;
  return html`<li class="list-row ${tone} ${isOpen ? "open" : ""} ${isChosen ? "chosen" : ""}"
      style=${{ top: `${at * ROW}px` }} aria-posinset=${at + 1} aria-setsize=${count}>
    <button type="button" class="row-main" aria-current=${isChosen ? "true" : undefined}
        tabindex=${isChosen || isFirst ? 0 : -1} onClick=${() => commands.choose(entry.id)}>
      <${Thumb} entry=${entry} />
      <span class="row-text"><${Name}>${entry.name}</${Name}><${State} entry=${entry} /></span>
      ${only?.status === "ok" && !another && html`<span class="row-share number"
          title="Probability of a tumor of any kind"><span
          class="hidden">tumor </span>${asPercent(only.tumor_probability)}</span>`}
    </button>
    <${RowActions} entry=${entry} isReached=${isChosen || isFirst} commands=${commands} /></li>`;
}

// By Tab one reaches the chosen row and what can be done with it; a list of a thousand must not be a thousand steps.
function RowActions({ entry, isReached, commands }) {
  const tabindex = isReached ? 0 : -1;
  const isUnderWay = entry.status === "queued" || entry.status === "sending";
  return html`<span class="row-actions">
    ${entry.status === "failed" && html`<${Button} kind="quiet" icon="retry" label="Send ${entry.name} again"
        tabindex=${tabindex} onClick=${() => commands.retry(entry.id)} />`}
    ${isUnderWay && html`<${Button} kind="quiet" icon="close" label="Cancel ${entry.name}"
        tabindex=${tabindex} onClick=${() => commands.cancel(entry.id)} />`}
    ${!isUnderWay && html`<${Button} kind="quiet" icon="trash" label="Remove ${entry.name}"
        tabindex=${tabindex} onClick=${() => commands.remove(entry.id)} />`}
  </span>`;
}

function State({ entry }) {
  if (entry.status === "sending") {
    const sent = entry.share < 1 ? `sending ${Math.round(100 * entry.share)}%` : "being read";
    const said = entry.wait ? `server busy, again in ${entry.wait} s` : sent;
    return html`<span class="row-state"><span class="mini track"><i class="fill"
        style=${{ width: `${5 + 95 * entry.share}%` }}></i></span>${said}</span>`;
  }
  if (entry.status === "queued") return html`<span class="row-state"><${Icon} name="waiting"
      size=${14} />queued</span>`;
  const { icon } = lookOf(entry);
  return html`<span class="row-state toned"><${Icon} name=${icon} size=${14} /><span
      class="cut">${summary(entry)}</span></span>`;
}

function lookOf({ verdicts: [only, another] }) {
  return another ? MIXED : VERDICTS[only];
}

function summary({ said, findings, error }) {
  if (error) return capital(error.message);
  const many = said.length === 1 && findings.length > 1 ? `, ${findings.length} slices` : "";
  return said.map((finding) => [said.length > 1 && partName(finding), gist(finding)].filter(Boolean).join(": ")).join("; ") + many;
}

function gist(finding) {
  return finding.status === "ok" ? spoken(finding).headline : capital(finding.message);
}

function Thumb({ entry }) {
  const canvas = useRef(null);
  const { thumb } = entry;
  useLayoutEffect(() => {
    if (thumb) drawThumb(canvas.current.getContext("2d"), thumb);
  }, [thumb]);
  return html`<span class="thumb">${thumb
    ? html`<canvas ref=${canvas} width=${thumb.width} height=${thumb.height}
        class="${thumb.width >= thumb.height ? "wide" : "high"}" aria-hidden="true"></canvas>`
    : html`<${Icon} name=${entry.status === "failed" ? "failed" : "files"} />`}</span>`;
}

