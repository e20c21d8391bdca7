// How files come in: dropped, pasted, chosen, or taken from the samples. Gives `[{name, open}]`: a file is opened when
// its turn has come, so that thousands cost nothing before, and one that cannot be opened fails alone.
import { request } from "./api.js";

const CLUTTER = ["thumbs.db", "desktop.ini"];
const NOT_OPENED = "the browser cannot open it: it was moved, deleted, or is not yours to read";
const MASK = "_mask";
const ENDINGS = { "image/png": ".png", "image/jpeg": ".jpg", "image/tiff": ".tif", "image/webp": ".webp", "image/bmp": ".bmp", "image/gif": ".gif" };

let pastes = 0;

/** What a drop holds; folders are walked, and what in them is no scan by its name is left out, as `predict` does. */
export async function fromDrop(transfer) {
  // the list of items dies with the event, so that all of it is taken before anything is waited for
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const roots = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  const listed = (root) => (root instanceof File ? [opened(root.name, root)] : walk(root));
  const found = await Promise.all(roots.map(listed));
  return found.flat();
}

/** What a file field holds; with folders where a folder was chosen. */
export function fromField(field) {
  const files = [...field.files].map((file) => opened(file.webkitRelativePath || file.name, file));
  field.value = ""; // so that the same file can be chosen again
  return files.some(({ name }) => name.includes("/")) ? worthReading(files) : files;
}

/** What was pasted: pictures without a name get one. */
export function fromPaste(transfer) {
  return [...transfer.files].map((file) => opened(file.name === "image.png" ? nextPaste(file.type) : file.name, file));
}

/** What lies on the clipboard, where a page may ask for it; nothing where it holds no picture. */
export async function fromClipboard() {
  const items = await navigator.clipboard.read();
  const typeOf = (item) => item.types.find((type) => type in ENDINGS);
  const pictures = items.filter(typeOf).map((item) => item.getType(typeOf(item)));
  return (await Promise.all(pictures)).map((file) => opened(nextPaste(file.type), file));
}

/** The samples of the server by their addresses. */
export function fromSamples(samples) {
  return samples.map(({ name, url }) => ({ name, open: async () => (await request(url)).blob() }));
}

/** Of the files of a folder those that look like a scan: hidden ones, clutter and masks beside their picture are not. */
export function worthReading(files) {
  const names = new Set(files.map(({ name }) => name));
  return files.filter(({ name }) => {
    const parts = name.split("/");
    const last = parts.at(-1);
    if (parts.some((part) => part.startsWith(".")) || CLUTTER.includes(last.toLowerCase())) return false;
    const [, stem, ending] = last.match(/^(.*?)(\.[^.]*)?$/);
    const masked = [...parts.slice(0, -1), stem.slice(0, -MASK.length) + (ending ?? "")].join("/");
    return !(stem.endsWith(MASK) && names.has(masked));
  });
}

async function walk(root) {
  if (root.isFile) return [dropped(root)];
  const files = [];
  for (const waiting = [root]; waiting.length > 0; ) {
    const folder = waiting.pop();
    const children = await childrenOf(folder).catch(() => null);
    if (!children) files.push({ ...dropped(folder), open: unopened });
    for (const entry of children ?? []) {
      if (entry.isDirectory) waiting.push(entry);
      else files.push(dropped(entry));
    }
  }
  return worthReading(files).toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

function opened(name, file) {
  return { name, open: async () => file };
}

function dropped(entry) {
  return { name: entry.fullPath.replace(/^\//, ""), open: () => new Promise((resolve, reject) => entry.file(resolve, reject)).catch(unopened) };
}

async function unopened() {
  throw new Error(NOT_OPENED);
}

// A directory gives its entries a hundred at a time, and an empty list when there are no more.
async function childrenOf(directory) {
  const reader = directory.createReader();
  const children = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return children;
    children.push(...some);
  }
}

function nextPaste(type) {
  pastes += 1;
  return `pasted ${pastes}${ENDINGS[type] ?? ""}`;
}
