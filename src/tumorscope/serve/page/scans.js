// The scans page: worklist, viewer and answer, and the commands that buttons, keys and drops share.
import { html, useEffect, useMemo, useRef, useState } from "./dom.js";
import { getJson } from "./api.js";
import { Answer } from "./answer.js";
import { Button, Dialog, ErrorLine, announce, useModel } from "./components.js";
import { Downloads } from "./downloads.js";
import { RESTING, panBy, zoomAt } from "./draw.js";
import { fromClipboard, fromDrop, fromField, fromPaste, fromSamples } from "./intake.js";
import { Help, commandOf } from "./keys.js";
import { List } from "./list.js";
import { asPercent, sentence } from "./phrases.js";
import { openSlice } from "./slices.js";
import { Start } from "./start.js";
import { Viewer } from "./viewer.js";
import { Worklist, arrange, countEntries } from "./worklist.js";

// What the keys do where the list is empty.
const ALWAYS = ["chooseFiles", "theme", "help"];
const ZOOM_STEP = 1.25;
const LEVEL_STEP = 0.05;
const WIDTH_STEP = 1.1;

// The session outlives a look at another page.
const worklist = new Worklist();
const kept = {
  panes: [{ id: null, index: 0 }],
  active: 0,
  side: "list",
  isEachSequence: false,
  wish: { verdict: "all", text: "", order: "added" },
  look: { view: RESTING, tool: "window", heat: { on: true, opacity: 0.4 }, outline: { on: true, opacity: 0.9 } },
};

export default function Scans() {
  const entries = useEntries();
  const [state, change] = useKept();
  const [dialog, setDialog] = useState(null);
  const [error, setError] = useState(null);
  const { model } = useModel();
  const shown = useMemo(() => arrange(entries, state.wish), [entries, state.wish]);
  const fields = { files: useRef(null), folder: useRef(null) };
  const commands = makeCommands({ state, change, shown, fields, setDialog, setError });
  const panes = state.panes.map(({ id, index }) => ({ entry: entries.find((entry) => entry.id === id) ?? null, index }));
  const active = panes[state.active];
  useChoice(entries, state, change);
  useIntake(commands, setError);
  useKeys(commands);
  useNews(entries, active, model);
  useNeighbors(shown, active.entry);
  const isEmpty = entries.length === 0;
  return html`<${Fields} fields=${fields} commands=${commands} />
    ${isEmpty ? html`<${Start} commands=${commands} />` : html`<main class="scans show-${state.side}" id="content" tabindex="-1">
      <h1 class="hidden">Scans</h1>
      <${List} all=${entries} shown=${shown} open=${openIds(state)} wish=${state.wish} commands=${commands}
        onWish=${commands.wish} />
      <${Viewer} panes=${panes} active=${state.active} look=${state.look} onLook=${commands.look} commands=${commands} />
      <${Answer} entry=${active.entry} index=${active.index} model=${model} commands=${commands} />
    </main>`}
    ${error && html`<div class="toast"><${ErrorLine} error=${error} /><${Button} icon="close" kind="quiet" label="Dismiss" onClick=${() => setError(null)} /></div>`}
    <${DropVeil} />
    ${dialog === "help" && html`<${Help} onClose=${() => setDialog(null)} />`}
    ${dialog === "clear" && html`<${ClearDialog} count=${entries.length} onClose=${() => setDialog(null)} />`}
    ${dialog === "download" && html`<${Downloads} all=${entries} shown=${shown} panes=${panes} look=${state.look} model=${model} onClose=${() => setDialog(null)} />`}`;
}

function useEntries() {
  const [entries, setEntries] = useState([...worklist.entries]);
  // entries change inside, so that a new list tells that something did
  useEffect(() => worklist.subscribe(() => setEntries([...worklist.entries])), []);
  return entries;
}

function useKept() {
  const [state, setState] = useState(kept);
  const change = (make) => setState((before) => Object.assign(kept, typeof make === "function" ? make(before) : make) && { ...kept });
  return [state, change];
}

function openIds({ panes, active }) {
  return [panes[active].id, ...panes.filter((_, number) => number !== active).map(({ id }) => id)];
}

function makeCommands({ state, change, shown, fields, setDialog, setError }) {
  const { panes, active, look } = state;
  const setPane = (number, pane) => change((before) => ({ panes: before.panes.map((old, at) => (at === number ? { ...old, ...pane } : old)) }));
  const show = (id) => setPane(active, { id, index: bestIndex(worklist.get(id)) });
  const onLook = (make) => change((before) => ({ look: { ...before.look, ...(typeof make === "function" ? make(before.look) : make) } }));
  const setView = (make) => onLook((before) => ({ view: make(before.view) }));
  const add = (files) => files.length > 0 && worklist.add(files, { channels: state.isEachSequence ? "all" : "one" });
  const tryTo = (work) => async (...given) => {
    try {
      add(await work(...given));
    } catch (error) {
      setError(error.name === "NotAllowedError" ? new Error("The browser does not let this page see the clipboard; paste with Ctrl+V instead") : error);
    }
  };
  const place = shown.findIndex(({ id }) => id === panes[active].id);
  const go = (by) => shown.length > 0 && show(shown[Math.min(shown.length - 1, Math.max(0, place < 0 ? 0 : place + by))].id);
  const step = (by) => {
    const { id, index } = panes[active];
    const to = index + by;
    if (to >= 0 && to < (worklist.get(id)?.findings.length ?? 0)) setPane(active, { index: to });
    else go(by);
  };
  const zoom = (factor) => onPane(active, panes, (slice, size) => setView((view) => zoomAt(slice, view, size, factor)));
  const toggle = (name) => onLook((before) => ({ [name]: { ...before[name], on: !before[name].on } }));
  const remove = (id) => {
    if (id === panes[active].id) show((shown[place + 1] ?? shown[place - 1])?.id ?? null);
    worklist.remove(id);
  };
  return {
    add, step, remove,
    isEachSequence: state.isEachSequence, setEachSequence: (isEachSequence) => change({ isEachSequence }),
    addAllSamples: tryTo(async () => fromSamples((await getJson("/v1/samples")).samples)),
    look: onLook,
    wish: (wish) => {
      change((before) => ({ wish: { ...before.wish, ...wish } }));
      const left = arrange(worklist.entries, { ...state.wish, ...wish });
      if ("verdict" in wish && left.length > 0 && !left.some(({ id }) => id === panes[active].id)) show(left[0].id);
    },
    addDrop: tryTo(fromDrop), addSamples: tryTo(fromSamples), paste: tryTo(fromClipboard),
    addField: (field) => add(fromField(field)), addPaste: (transfer) => add(fromPaste(transfer)),
    chooseFiles: () => fields.files.current.click(), chooseFolder: () => fields.folder.current.click(),
    choose: (id) => (show(id), change({ side: "scan" })), showList: () => change({ side: "list" }),
    next: () => go(1), previous: () => go(-1), stepOn: () => step(1), stepBack: () => step(-1),
    showSlice: (number, index) => setPane(number, { index }),
    retry: (id) => worklist.retry(id), cancel: (id) => worklist.cancel(id), cancelAll: () => worklist.cancelAll(),
    removeChosen: () => panes[active].id !== null && remove(panes[active].id),
    clear: () => setDialog("clear"), download: () => setDialog("download"), help: () => setDialog("help"),
    search: () => document.getElementById("search")?.focus(),
    zoomIn: () => zoom(ZOOM_STEP), zoomOut: () => zoom(1 / ZOOM_STEP),
    fit: () => setView((view) => ({ ...view, zoom: 1, x: 0.5, y: 0.5 })), reset: () => setView(() => RESTING),
    invert: () => setView((view) => ({ ...view, isInverted: !view.isInverted })),
    brighter: () => setView((view) => ({ ...view, shift: view.shift - LEVEL_STEP })), darker: () => setView((view) => ({ ...view, shift: view.shift + LEVEL_STEP })),
    sharper: () => setView((view) => ({ ...view, stretch: view.stretch / WIDTH_STEP })), softer: () => setView((view) => ({ ...view, stretch: view.stretch * WIDTH_STEP })),
    pan: (dx, dy) => onPane(active, panes, (slice, size) => setView((view) => panBy(slice, view, size, dx, dy))),
    toolWindow: () => onLook({ tool: "window" }), toolPan: () => onLook({ tool: "pan" }),
    heat: () => toggle("heat"), outline: () => toggle("outline"),
    theme: () => document.querySelector("[data-theme-button]")?.click(),
    activate: (number) => number !== active && change({ active: number }),
    otherPane: () => panes.length > 1 && change({ active: 1 - active }),
    compare: () => change(panes.length > 1 ? { panes: [panes[active]], active: 0 } : { panes: [panes[0], beside(shown, place, panes[0])], active: 1 }),
    closePane: (number) => change({ panes: [panes[1 - number]], active: 0 }),
  };
}

// The second pane begins with the next scan, so that there is something to compare with.
function beside(shown, place, pane) {
  const next = shown[place + 1] ?? shown[place - 1];
  return next ? { id: next.id, index: bestIndex(next) } : { ...pane };
}

function bestIndex(entry) {
  return entry?.lead ? Math.max(0, entry.findings.indexOf(entry.lead)) : 0;
}

async function onPane(number, panes, work) {
  const layers = worklist.get(panes[number].id)?.layers[panes[number].index];
  const box = document.querySelector(`[data-pane="${number}"]`);
  if (layers && box) work(await openSlice(layers), { width: box.clientWidth, height: box.clientHeight });
}

// Something is always chosen where there is anything; a file that gets its slices is shown at the gravest one.
function useChoice(entries, state, change) {
  const seen = useRef(new Set());
  useEffect(() => {
    const panes = state.panes.map((pane) => {
      const entry = entries.find(({ id }) => id === pane.id);
      if (!entry) return { id: entries[0]?.id ?? null, index: bestIndex(entries[0]) };
      if (!entry.lead || seen.current.has(entry.lead)) return pane;
      seen.current.add(entry.lead);
      return { ...pane, index: bestIndex(entry) };
    });
    if (panes.some((pane, at) => pane !== state.panes[at] && (pane.id !== state.panes[at].id || pane.index !== state.panes[at].index))) change({ panes });
  }, [entries]);
}

function useIntake(commands, setError) {
  const latest = useRef();
  latest.current = commands;
  useEffect(() => {
    const stop = new AbortController();
    const on = (type, work) => addEventListener(type, work, { signal: stop.signal });
    on("dragover", (event) => event.preventDefault());
    on("drop", (event) => {
      event.preventDefault(); // the browser would open the file in place of the page
      setError(null);
      latest.current.addDrop(event.dataTransfer);
    });
    on("paste", (event) => event.clipboardData.files.length > 0 && latest.current.addPaste(event.clipboardData));
    on("tumorscope:help", () => latest.current.help());
    return () => stop.abort();
  }, []);
}

function useKeys(commands) {
  const latest = useRef();
  latest.current = commands;
  useEffect(() => {
    const onKey = (event) => {
      const film = event.target.closest?.(".film");
      const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (event.shiftKey && film && arrows[event.key]) return void (event.preventDefault(), latest.current.pan(...arrows[event.key].map((way) => way * 24)));
      const command = commandOf(event);
      if (!command || (worklist.entries.length === 0 && !ALWAYS.includes(command))) return;
      event.preventDefault();
      latest.current[command]();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

// For users of a screen reader: the answer of the chosen scan, and the sum when all are read.
function useNews(entries, active, model) {
  const finding = active.entry?.findings[active.index];
  useEffect(() => {
    if (!finding) return;
    const { headline } = sentence(finding, model?.card);
    announce(`${active.entry.name}: ${headline}${finding.status === "ok" ? `, probability of a tumor ${asPercent(finding.tumor_probability)}` : ""}`);
  }, [finding]);
  const { total, done, tumor, unsure, refused, failed } = countEntries(entries);
  useEffect(() => {
    if (total > 1 && done === total) announce(`All ${total} files are read: ${tumor} tumor, ${unsure} unsure, ${refused} refused, ${failed} failed`);
  }, [total, done]);
}

// The scans beside the chosen one are decoded ahead, so that the wheel turns without a wait.
function useNeighbors(shown, entry) {
  useEffect(() => {
    const place = shown.indexOf(entry);
    const timer = setTimeout(() => [1, -1].forEach((by) => {
      const near = shown[place + by];
      const layers = near?.layers[bestIndex(near)];
      if (place >= 0 && layers) openSlice(layers);
    }), 80);
    return () => clearTimeout(timer);
  }, [entry?.id]);
}

function Fields({ fields, commands }) {
  const onChange = (event) => commands.addField(event.currentTarget);
  return html`<div hidden><input type="file" multiple id="files" ref=${fields.files} onChange=${onChange} aria-label="Files" tabindex="-1" />
    <input type="file" multiple id="folder" webkitdirectory ref=${fields.folder} onChange=${onChange} aria-label="Folder" tabindex="-1" /></div>`;
}

function DropVeil() {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const on = (type, work) => addEventListener(type, work, { signal: stop.signal });
    on("dragenter", (event) => setIsOver(event.dataTransfer?.types.includes("Files") ?? false));
    on("dragleave", (event) => event.relatedTarget === null && setIsOver(false));
    on("drop", () => setIsOver(false));
    return () => stop.abort();
  }, []);
  return isOver && html`<div class="veil"><p>Drop to read them</p></div>`;
}

function ClearDialog({ count, onClose }) {
  const clear = () => {
    worklist.clear();
    onClose();
  };
  return html`<${Dialog} title="Clear the worklist?" onClose=${onClose}><p>${count === 1 ? "The scan" : `All ${count} scans`} and their answers go from this page.
      They are kept nowhere else; download what you need first.</p>
    <div class="row"><${Button} kind="main" onClick=${clear}>Clear</${Button}><${Button} onClick=${onClose}>Keep them</${Button}></div></${Dialog}>`;
}
