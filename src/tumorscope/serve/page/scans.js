// The scans page: worklist, viewer and answer, and the commands that buttons, keys and drops share.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./dom.js";
import { Answer } from "./answer.js";
import { Button, Dialog, ErrorLine, announce } from "./components.js";
import { useModel } from "./hooks.js";
import { bestIndex, makeCommands } from "./commands.js";
import { Downloads } from "./downloads.js";
import { RESTING } from "./draw.js";
import { Help, commandOf } from "./keys.js";
import { List } from "./list.js";
import { sharesText, spoken } from "./phrases.js";
import { openSlice } from "./slices.js";
import { Start } from "./start.js";
import { Viewer } from "./viewer.js";
import { useWayBack } from "./way-back.js";
import { Worklist, arrange, countEntries } from "./worklist.js";

const PANS = { ArrowLeft: [24, 0], ArrowRight: [-24, 0], ArrowUp: [0, 24], ArrowDown: [0, -24] };
const OFFER_MS = 10_000;
// What the keys do where the list is empty.
const ALWAYS = ["chooseFiles", "bringBack", "theme", "help"];

// The session outlives a look at another page.
const worklist = new Worklist();
const known = new WeakSet(); // the answers whose first slice was shown
const kept = {
  panes: [{ id: null, index: 0 }],
  active: 0,
  side: "list",
  isEachSequence: false,
  wish: { verdict: "all", text: "", order: "added" },
  look: {
    view: RESTING,
    tool: "window",
    heat: { on: true, opacity: 0.4 },
    outline: { on: true, opacity: 0.9 },
  },
};

export default function Scans() {
  const entries = useEntries();
  const [state, change] = useKept();
  const [dialog, setDialog] = useState(null);
  const [error, setError] = useState(null);
  const close = () => setDialog(null);
  const { model } = useModel();
  const shown = useMemo(() => arrange(entries, state.wish), [entries, state.wish]);
  const fields = { files: useRef(null), folder: useRef(null) };
  const commands = makeCommands({ worklist, state, change, shown, fields, setDialog, setError });
  const panes = state.panes.map(({ id, index }) => ({ entry: entries.find((entry) => entry.id === id) ?? null, index }));
  const active = panes[state.active];
  useChoice(entries, state, change);
  useIntake(commands, setError);
  useKeys(commands);
  useNews(entries, active);
  useNeighbors(shown, active.entry);
  useWayBack((side) => change({ side }));
  useFoothold(entries.length === 0);
  if (entries.length === 0) {
    return html`<${Fields} fields=${fields} commands=${commands} /><${Start} commands=${commands} />
      <${Toasts} error=${error} onClose=${() => setError(null)} commands=${commands} /><${DropVeil} />${dialog === "help" && html`<${Help}
          onClose=${close} />`}`;
  }
  return html`<${Fields} fields=${fields} commands=${commands} />
    <main class="scans show-${state.side}" id="content" tabindex="-1">
      <h1 class="hidden">Scans</h1>
      <${List} all=${entries} shown=${shown} open=${openIds(state)} wish=${state.wish} onWish=${commands.wish}
          commands=${commands} />
      <${Viewer} panes=${panes} active=${state.active} look=${state.look} onLook=${commands.look}
          commands=${commands} />
      <${Answer} entry=${active.entry} index=${active.index} model=${model} commands=${commands} />
    </main>
    <${Toasts} error=${error} onClose=${() => setError(null)} commands=${commands} />
    <${DropVeil} />
    ${dialog === "help" && html`<${Help} onClose=${close} />`}
    ${dialog === "clear" && html`<${ClearDialog} count=${entries.length} onClose=${close} />`}
    ${dialog === "download" && html`<${Downloads} all=${entries} shown=${shown} panes=${panes} look=${state.look}
      model=${model} onClose=${close} />`}`;
}

function Toasts({ error, onClose, commands }) {
  return html`<div class="toasts">
    ${error && html`<div class="toast"><${ErrorLine} error=${error} />
      <${Button} icon="close" kind="quiet" label="Dismiss" onClick=${onClose} /></div>`}
    <${Removed} commands=${commands} /></div>`;
}

// The offer goes after a while, so that it hides nothing for long; the key goes on working.
function Removed({ commands }) {
  const { removed } = worklist;
  const [past, setPast] = useState(null);
  useEffect(() => {
    const timer = setTimeout(() => setPast(removed), OFFER_MS);
    return () => clearTimeout(timer);
  }, [removed]);
  return html`<div role="status">${removed && removed !== past && html`<p class="toast"><span
      class="toast-text">Removed <b>${removed.name}</b></span>
    <${Button} kind="quiet" icon="retry" onClick=${commands.bringBack}>Undo</${Button}></p>`}</div>`;
}

function useEntries() {
  const [entries, setEntries] = useState([...worklist.entries]);
  // entries change inside, so that a new list tells that something did
  useEffect(() => worklist.subscribe(() => setEntries([...worklist.entries])), []);
  return entries;
}

function useKept() {
  const [state, setState] = useState(kept);
  const change = (make) => setState((before) => {
    Object.assign(kept, typeof make === "function" ? make(before) : make);
    return { ...kept };
  });
  return [state, change];
}

function openIds({ panes, active }) {
  return [panes[active].id, ...panes.filter((_, number) => number !== active).map(({ id }) => id)];
}

// Something is always chosen where there is anything, from its first picture on, so that a key that comes at once finds
// it; a scan that gets its slices is shown at the one that speaks for it.
function useChoice(entries, state, change) {
  useLayoutEffect(() => {
    const isNew = ({ said: [first] }) => first && !known.has(first);
    const fresh = new Set(entries.filter(isNew));
    fresh.forEach(({ said: [first] }) => known.add(first));
    const panes = state.panes.map((pane) => {
      const entry = entries.find(({ id }) => id === pane.id);
      if (!entry) return { id: entries[0]?.id ?? null, index: bestIndex(entries[0]) };
      return fresh.has(entry) ? { ...pane, index: bestIndex(entry) } : pane;
    });
    const isOther = (pane, at) => pane.id !== state.panes[at].id || pane.index !== state.panes[at].index;
    if (panes.some(isOther)) change({ panes });
  }, [entries]);
}

// Start and worklist take each other's place: whoever moves by keyboard or by ear is not left nowhere.
function useFoothold(isEmpty) {
  const before = useRef(isEmpty);
  useEffect(() => {
    if (before.current !== isEmpty && document.activeElement === document.body) document.getElementById("content")?.focus();
    before.current = isEmpty;
  }, [isEmpty]);
}

// Both listen before the page is painted: whoever sees it may drop a file, or press a key, at once.
function useIntake(commands, setError) {
  const latest = useRef();
  latest.current = commands;
  useLayoutEffect(() => {
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
  useLayoutEffect(() => {
    const onKey = (event) => {
      const film = event.target.closest?.(".film");
      if (event.shiftKey && film && event.key in PANS) {
        event.preventDefault();
        return latest.current.pan(...PANS[event.key]);
      }
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
function useNews(entries, active) {
  const finding = active.entry?.findings[active.index];
  useEffect(() => {
    if (!finding) return;
    const { headline } = spoken(finding);
    const figures = finding.status === "ok" ? `. ${sharesText(finding)}` : "";
    announce(`${active.entry.name}: ${headline}${figures}`);
  }, [finding]);
  const { total, done, tumor, unsure, refused, error } = countEntries(entries);
  useEffect(() => {
    const sums = `${tumor} tumor, ${unsure} unsure, ${refused} refused, ${error} failed`;
    if (total > 1 && done === total) announce(`All ${total} files are read: ${sums}`);
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
  return html`<div hidden><input type="file" multiple id="files" ref=${fields.files} onChange=${onChange}
      aria-label="Files" tabindex="-1" />
    <input type="file" multiple id="folder" webkitdirectory ref=${fields.folder} onChange=${onChange}
        aria-label="Folder" tabindex="-1" /></div>`;
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
  return html`<${Dialog} title="Clear the worklist?"
      onClose=${onClose}><p>${count === 1 ? "The scan" : `All ${count} scans`} and their answers go from this page.
      They are kept nowhere else; download what you need first.</p>
    <div class="row"><${Button} kind="main" onClick=${clear}>Clear</${Button}><${Button}
        onClick=${onClose}>Keep them</${Button}></div></${Dialog}>`;
}
