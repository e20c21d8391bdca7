// The keys of the scans page, in one table: what they are called, what they do, and the overlay that lists them.
import { html } from "./dom.js";
import { Dialog } from "./components.js";

const EDITABLE = "input:not([type=range]), textarea, select, [contenteditable]";

/** Groups of `[keys, what they do, command]`; a command is the name of one in scans.js. */
export const KEYS = [
  ["Scans", [
    [["ArrowDown", "j"], "Next scan", "next"],
    [["ArrowUp", "k"], "Previous scan", "previous"],
    [["ArrowRight"], "Next slice of the file, else next scan", "stepOn"],
    [["ArrowLeft"], "Previous slice, else previous scan", "stepBack"],
    [["a"], "Add files", "chooseFiles"],
    [["/"], "Search by name", "search"],
    [["Delete"], "Remove the scan from the list", "removeChosen"],
    [["u"], "Bring back the scan removed last", "bringBack"],
  ]],
  ["Picture", [
    [["+", "="], "Zoom in", "zoomIn"],
    [["-"], "Zoom out", "zoomOut"],
    [["0"], "Fit to the pane", "fit"],
    [["r"], "Reset zoom, window and inversion", "reset"],
    [["i"], "Invert black and white", "invert"],
    [["["], "Brighter (lower level)", "brighter"],
    [["]"], "Darker (higher level)", "darker"],
    [["{"], "More contrast (narrower window)", "sharper"],
    [["}"], "Less contrast (wider window)", "softer"],
    [["w"], "Drag changes brightness and contrast", "toolWindow"],
    [["p"], "Drag moves the picture", "toolPan"],
  ]],
  ["Overlays and panes", [
    [["h"], "Heatmap on or off", "heat"],
    [["o"], "Outline on or off", "outline"],
    [["c"], "Two scans side by side", "compare"],
    [["x"], "The other pane", "otherPane"],
    [["d"], "Downloads", "download"],
    [["l"], "Light or dark theme", "theme"],
    [["?"], "This list", "help"],
  ]],
];
const MOUSE = [
  ["Drag", "brightness (up, down) and contrast (left, right)"],
  ["Shift and drag, or the right button", "move the picture"],
  ["Wheel", "next and previous"],
  ["Ctrl and wheel, or pinch", "zoom"],
  ["Double click", "fit"],
];
const NAMES = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Delete: "Del" };
const COMMANDS = new Map(KEYS.flatMap(([, rows]) => rows.flatMap(([keys, , command]) => keys.map((key) => [key, command]))));

/** The command of a key press, or null where the press is meant for a field, a dialog or the browser. */
export function commandOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return null;
  if (event.target.closest?.(EDITABLE) || document.querySelector("dialog[open]")) return null;
  if (event.target.type === "range" && event.key.startsWith("Arrow")) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return COMMANDS.get(key) ?? null;
}

/** The list of the keys. */
export function Help({ onClose }) {
  return html`<${Dialog} title="Keys and mouse" wide=${true} onClose=${onClose}><div class="help">
    ${KEYS.map(([title, rows]) => html`<section><h3>${title}</h3><dl>${rows.map(([keys, text]) => html`<div><dt>${keys.map((key) => html`<kbd>${nameOf(key)}</kbd> `)}</dt>
      <dd>${text}</dd></div>`)}</dl></section>`)}
    <section><h3>Mouse and touch</h3><dl
        class="mouse">${MOUSE.map(([what, text]) => html`<div><dt>${what}</dt><dd>${text}</dd></div>`)}</dl></section>
  </div></${Dialog}>`;
}

function nameOf(key) {
  return NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}
