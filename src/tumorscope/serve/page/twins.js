// Twins side by side: filtered, page by page, with the pictures of both.
import { html, useRef, useState } from "./dom.js";
import { Badge, Button, Empty, ErrorLine, PicturePair, Section } from "./components.js";
import { useFetched } from "./fetched.js";
import { className } from "./phrases.js";
import { bringUp, count, counted } from "./figures.js";
import { Word } from "./terms.js";

const PAGE = 12;
const TRANSFORMS = {
  none: "as it is", mirror: "mirrored", "mirror+turn180": "flipped upside down", crop: "cropped", turn90: "turned 90°", turn180: "turned 180°", turn270: "turned 270°",
};
const PARTS = { train: "training", val: "validation", test: "test" };
const ORDERS = { leaks: "Leaks first", least_alike: "Least alike first", most_alike: "Most alike first" };

/** @param {{link: string, whole: object}} props `whole` is the document of the audit, with `choices` and the first page of twins. */
export function Twins({ link, whole }) {
  const { choices, audit } = whole;
  const [wish, setWish] = useState({ order: "leaks" });
  const [offset, setOffset] = useState(0);
  const wanted = Object.entries({ ...wish, offset, limit: PAGE }).filter(([, value]) => value !== undefined);
  const tell = (found) => `${counted(found.count, "pair")}, from ${Math.min(found.count, offset + 1)} on`;
  const { found: twins, error, isBusy, again } = useFetched(`${link}/twins?${new URLSearchParams(wanted)}`, whole.twins, tell);
  const head = useRef(null);
  if (choices.flag.all === 0) {
    return html`<${Section} title="Twins, side by side"><${Empty} icon="check" title="There are none"><p>No slice is a copy of another.</p></${Empty}></${Section}>`;
  }
  const ask = (change) => {
    setOffset(0);
    setWish((before) => ({ ...before, ...change }));
  };
  const turn = (to) => {
    setOffset(to);
    bringUp(head.current);
  };
  const isPublished = audit.leaks.split === "published";
  return html`<${Section} title=${html`<span ref=${head}>Twins, side by side</span>`} note=${html`A <${Word} of="twin" /> is a copy, exact or near.${" "}
      ${counted(audit.twins.redundant, "slice is a twin", "slices are twins")} of an earlier one. A pair with one slice in training and one in test
      is a <${Word} of="leak" />.${isPublished ? "" : " Training and test are those of the random split that was tried."}`}>
    <${Filters} wish=${wish} choices=${choices} onAsk=${ask} />
    <p class="small dim" role="status">${twins ? `${counted(twins.count, "pair")} of ${count(choices.flag.all)}` : " "}</p>
    <${ErrorLine} error=${error} onRetry=${again} />
    ${twins?.count === 0 && html`<${Empty} icon="search" title="No pair is like that"><${Button} onClick=${() => setWish({ order: wish.order })}>Show all pairs</${Button}></${Empty}>`}
    <div class="pairs" aria-busy=${isBusy ? "true" : undefined}>${twins?.pairs.map((pair) => html`<${Pair} key=${pair.a.picture + pair.b.picture} pair=${pair} />`)}</div>
    ${twins && twins.count > PAGE && html`<${Pager} offset=${offset} total=${twins.count} onTurn=${turn} />`}
  </${Section}>`;
}

function Filters({ wish, choices, onAsk }) {
  const flag = (name) => ({ pressed: wish[name] === "true", disabled: !choices.flag[name], onClick: () => onAsk({ [name]: wish[name] ? undefined : "true" }) });
  return html`<div class="pair-filters" role="group" aria-label="Which pairs">
    <${Flag} ...${flag("leaks")}>Leaks <span class="dim number">${count(choices.flag.leaks)}</span></${Flag}>
    <${Flag} ...${flag("conflict")}>Labels differ <span class="dim number">${count(choices.flag.conflict)}</span></${Flag}>
    <${Choice} name="kind" label="Kind" wish=${wish} choices=${choices.kind} say=${(kind) => (kind === "exact" ? "Exact copies" : "Near twins")} all="Exact and near" onAsk=${onAsk} />
    <${Choice} name="transform" label="Change" wish=${wish} choices=${choices.transform} say=${transformed} all="Any change" onAsk=${onAsk} />
    <${Choice} name="label" label="Class" wish=${wish} choices=${choices.label} say=${className} all="All classes" onAsk=${onAsk} />
    <${Choice} name="part" label="Part" wish=${wish} choices=${choices.part} say=${(part) => `One in ${PARTS[part] ?? part}`} all="All parts" onAsk=${onAsk} />
    <label class="pair-choice"><span class="hidden">Order</span><select class="input" value=${wish.order} onChange=${(event) => onAsk({ order: event.target.value })}>
      ${Object.entries(ORDERS).map(([order, text]) => html`<option value=${order}>${text}</option>`)}</select></label>
  </div>`;
}

function Flag({ pressed, disabled, onClick, children }) {
  return html`<${Button} pressed=${pressed} disabled=${disabled} onClick=${onClick}>${children}</${Button}>`;
}

function Choice({ name, label, wish, choices, say, all, onAsk }) {
  const names = Object.keys(choices);
  if (names.length < 2) return null;
  return html`<label class="pair-choice"><span class="hidden">${label}</span><select class="input" value=${wish[name] ?? ""}
    onChange=${(event) => onAsk({ [name]: event.target.value || undefined })}>
    <option value="">${all}</option>${names.map((each) => html`<option value=${each}>${say(each)} (${count(choices[each])})</option>`)}</select></label>`;
}

function Pair({ pair }) {
  const { a, b, kind, similarity, transform, leaks, conflict } = pair;
  const title = kind === "exact" ? "Exact copy" : transform === "none" ? "Near twin" : `Near twin, ${transformed(transform)}`;
  return html`<${PicturePair} left=${side(a)} right=${side(b)} title=${title}>
    <span class="pair-facts">${kind === "near" && html`<span><${Word} of="similarity" /> ${similarity.toFixed(3)}</span>`}
      ${leaks && html`<${Badge} tone="bad" icon="failed">leak</${Badge}>`}${conflict && html`<${Badge} tone="warn" icon="unsure">labels differ</${Badge}>`}</span>
  </${PicturePair}>`;
}

function side({ path, label, part, width, height, mode, picture }) {
  const where = part ? ` · ${PARTS[part] ?? part}` : "";
  return { src: picture, name: path, note: html`<span><b class="ink">${className(label)}</b>${where}<br />${width} × ${height} ${mode}</span>` };
}

function transformed(transform) {
  return TRANSFORMS[transform] ?? transform.split("+").map((part) => TRANSFORMS[part] ?? part).join(" and ");
}

/** Buttons to the page before and after. */
export function Pager({ offset, total, onTurn, size = PAGE }) {
  const last = Math.min(total, offset + size);
  return html`<nav class="row pager" aria-label="Pages">
    <${Button} icon="left" label="Page before" disabled=${offset === 0} onClick=${() => onTurn(Math.max(0, offset - size))} />
    <span class="number small">${count(offset + 1)} to ${count(last)} of ${count(total)}</span>
    <${Button} icon="right" label="Next page" disabled=${last >= total} onClick=${() => onTurn(offset + size)} />
  </nav>`;
}
