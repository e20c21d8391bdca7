// What buttons, keys and drops of the scans page do; each name may stand in keys.js.
import { getJson } from "./api.js";
import { RESTING, moveWindow, panBy, zoomAt } from "./draw.js";
import { fromClipboard, fromDrop, fromField, fromPaste, fromSamples } from "./intake.js";
import { openSlice } from "./slices.js";
import { leaveList, returnToList } from "./way-back.js";
import { arrange } from "./worklist.js";

const ZOOM_STEP = 1.25;
const LEVEL_STEP = 0.05;
const WIDTH_STEP = 1.1;
const NO_CLIPBOARD = "The browser does not let this page see the clipboard; paste with Ctrl+V instead";

/**
 * The commands of the scans page as it stands.
 * @param {object} place
 * @param {import("./worklist.js").Worklist} place.worklist
 * @param {object} place.state panes, active pane, wish and look, see scans.js
 * @param {(change: object | (state) => object) => void} place.change of the state
 * @param {object[]} place.shown the entries that the list shows, in order
 * @param {{files: object, folder: object}} place.fields the hidden file fields
 * @param {(name: string) => void} place.setDialog
 * @param {(error: Error) => void} place.setError
 */
export function makeCommands(place) {
  const choosing = choosingCommands(place);
  return { ...intakeCommands(place), ...choosing, ...listCommands(place, choosing), ...viewCommands(place), ...paneCommands(place) };
}

/** The number of the slice that an entry is shown at first. */
export function bestIndex(entry) {
  return entry?.first ?? 0;
}

function intakeCommands({ worklist, state, change, fields, setError }) {
  const channels = state.isEachSequence ? "all" : "one";
  const add = (files) => files.length > 0 && worklist.add(files, { channels });
  const tryTo = (work) => async (...given) => {
    try {
      add(await work(...given));
    } catch (error) {
      setError(error.name === "NotAllowedError" ? new Error(NO_CLIPBOARD) : error);
    }
  };
  return {
    addDrop: tryTo(fromDrop),
    addField: (field) => add(fromField(field)),
    addPaste: (transfer) => add(fromPaste(transfer)),
    addSamples: tryTo(fromSamples),
    addAllSamples: tryTo(async () => fromSamples((await getJson("/v1/samples")).samples)),
    paste: tryTo(fromClipboard),
    chooseFiles: () => fields.files.current.click(),
    chooseFolder: () => fields.folder.current.click(),
    isEachSequence: state.isEachSequence,
    setEachSequence: (isEachSequence) => change({ isEachSequence }),
  };
}

function choosingCommands({ worklist, state, change, shown }) {
  const { panes, active } = state;
  const at = shown.findIndex(({ id }) => id === panes[active].id);
  const showSlice = (number, index) => setPane(change, number, { index });
  const show = (id) => setPane(change, active, { id, index: bestIndex(worklist.get(id)) });
  const go = (by) => {
    const to = Math.min(shown.length - 1, Math.max(0, at < 0 ? 0 : at + by));
    if (shown.length > 0) show(shown[to].id);
  };
  const step = (by) => {
    const to = panes[active].index + by;
    const slices = worklist.get(panes[active].id)?.findings.length ?? 0;
    if (to >= 0 && to < slices) showSlice(active, to);
    else go(by);
  };
  return {
    show, showSlice, step,
    choose: (id) => {
      show(id);
      leaveList();
      change({ side: "scan" });
    },
    next: () => go(1),
    previous: () => go(-1),
    stepOn: () => step(1),
    stepBack: () => step(-1),
  };
}

function listCommands({ worklist, state, change, shown, setDialog }, { show }) {
  const chosen = state.panes[state.active].id;
  const remove = (id) => {
    const at = shown.findIndex((entry) => entry.id === id);
    if (id === chosen) show((shown[at + 1] ?? shown[at - 1])?.id ?? null);
    worklist.remove(id);
  };
  return {
    remove,
    removeChosen: () => chosen !== null && remove(chosen),
    bringBack: () => {
      if (!worklist.removed) return;
      const { id } = worklist.bringBack();
      show(id);
    },
    retry: (id) => worklist.retry(id),
    cancel: (id) => worklist.cancel(id),
    cancelAll: () => worklist.cancelAll(),
    wish: (wish) => {
      change((before) => ({ wish: { ...before.wish, ...wish } }));
      const left = arrange(worklist.entries, { ...state.wish, ...wish });
      const isHidden = left.length > 0 && !left.some(({ id }) => id === chosen);
      if ("verdict" in wish && isHidden) show(left[0].id); // a filter takes the eye to what it leaves
    },
    search: () => document.getElementById("search")?.focus(),
    showList: () => returnToList(() => change({ side: "list" })),
    clear: () => setDialog("clear"),
    download: () => setDialog("download"),
    help: () => setDialog("help"),
    theme: () => document.querySelector("[data-theme-button]")?.click(),
  };
}

function viewCommands({ worklist, state, change }) {
  const look = (make) => change((before) => ({ look: { ...before.look, ...made(make, before.look) } }));
  const view = (make) => look((before) => ({ view: { ...before.view, ...make(before.view) } }));
  const onPane = (make) => withSlice(worklist, state, (slice, size) => view((before) => make(slice, before, size)));
  const toggle = (name) => look((before) => ({ [name]: { ...before[name], on: !before[name].on } }));
  return {
    look,
    zoomIn: () => onPane((slice, before, size) => zoomAt(slice, before, size, ZOOM_STEP)),
    zoomOut: () => onPane((slice, before, size) => zoomAt(slice, before, size, 1 / ZOOM_STEP)),
    pan: (dx, dy) => onPane((slice, before, size) => panBy(slice, before, size, dx, dy)),
    fit: () => view(() => ({ zoom: 1, x: 0.5, y: 0.5 })),
    reset: () => view(() => RESTING),
    invert: () => view(({ isInverted }) => ({ isInverted: !isInverted })),
    brighter: () => view((before) => moveWindow(before, { shift: -LEVEL_STEP })),
    darker: () => view((before) => moveWindow(before, { shift: LEVEL_STEP })),
    sharper: () => view((before) => moveWindow(before, { stretch: 1 / WIDTH_STEP })),
    softer: () => view((before) => moveWindow(before, { stretch: WIDTH_STEP })),
    toolWindow: () => look({ tool: "window" }),
    toolPan: () => look({ tool: "pan" }),
    heat: () => toggle("heat"),
    outline: () => toggle("outline"),
  };
}

function paneCommands({ state, change, shown }) {
  const { panes, active } = state;
  const compare = () => change({ panes: [panes[0], beside(shown, panes[0])], active: 1 });
  return {
    activate: (number) => number !== active && change({ active: number }),
    otherPane: () => panes.length > 1 && change({ active: 1 - active }),
    compare: () => (panes.length > 1 ? change({ panes: [panes[active]], active: 0 }) : compare()),
    closePane: (number) => change({ panes: [panes[1 - number]], active: 0 }),
  };
}

// The second pane begins with the next scan, so that there is something to compare with.
function beside(shown, pane) {
  const at = shown.findIndex(({ id }) => id === pane.id);
  const next = shown[at + 1] ?? shown[at - 1];
  return next ? { id: next.id, index: bestIndex(next) } : { ...pane };
}

function setPane(change, number, pane) {
  change(({ panes }) => ({ panes: panes.map((old, at) => (at === number ? { ...old, ...pane } : old)) }));
}

async function withSlice(worklist, { panes, active }, work) {
  const layers = worklist.get(panes[active].id)?.layers[panes[active].index];
  const box = document.querySelector(`[data-pane="${active}"]`);
  if (layers && box) work(await openSlice(layers), { width: box.clientWidth, height: box.clientHeight });
}

function made(make, before) {
  return typeof make === "function" ? make(before) : make;
}
