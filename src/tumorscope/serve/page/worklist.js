// The files of the session: sent one by one, a few at a time, each with its own state. No drawing here.
import { send } from "./api.js";
import { makeThumb, packLayers } from "./slices.js";

const AT_ONCE = 3;
const NO_KEY = 401;
const FINDINGS = "/v1/findings?layers=true&channels=";
const NOTICE_MS = 60;
const KEPT = 20;

/**
 * One file of the worklist.
 * @typedef {object} Entry
 * @property {number} id
 * @property {string} name as the user knows it, with folders where a folder was given
 * @property {() => Promise<Blob>} open
 * @property {"one"|"all"} channels which sequences of a color picture are read
 * @property {"queued"|"sending"|"done"|"failed"} status
 * @property {number} share of the file that is sent
 * @property {number} wait seconds that the server asked to wait, 0 where it did not
 * @property {object[]} findings one a slice
 * @property {(object|null)[]} layers one a slice
 * @property {object[]} volumes what the slices of a scan amount to
 * @property {object[]} said what is said of the file: of its volumes, or else of each of its sequences
 * @property {string[]} verdicts those of `said`, each once; see VERDICTS in phrases.js
 * @property {number} first the slice that is shown first
 * @property {?Error} error why it failed
 * @property {?import("./slices.js").Thumb} thumb
 */

export class Worklist {
  /** @type {Entry[]} in the order in which they were added */
  entries = [];
  #listeners = new Set();
  #running = new Map();
  #removed = [];
  #next = 1;
  #notice = null;

  /** Add files: `[{name, open}]`; `channels` as in the API: "one" or "all" sequences of a color picture. @returns {Entry[]} */
  add(files, { channels = "one" } = {}) {
    const added = files.map(({ name, open }) => ({ id: this.#next++, name, open, channels, ...untouched() }));
    this.entries = this.entries.concat(added);
    this.#changed();
    this.#fill();
    return added;
  }

  get(id) {
    return this.entries.find((entry) => entry.id === id) ?? null;
  }

  /** Take an entry out; one that is under way is cancelled. The last ones can be brought back. */
  remove(id) {
    const at = this.entries.findIndex((entry) => entry.id === id);
    if (at < 0) return; // a key that was pressed twice before the list was drawn again
    const entry = this.entries[at];
    const isUnread = !isFinished(entry);
    this.#running.get(id)?.abort();
    this.entries = this.entries.toSpliced(at, 1);
    this.#removed = [...this.#removed, { entry, at, isUnread }].slice(-KEPT);
    this.#changed();
  }

  /** The entry that was removed last and can be brought back, or null. */
  get removed() {
    return this.#removed.at(-1)?.entry ?? null;
  }

  /** Put the entry that was removed last back where it stood; one that was under way is sent anew. @returns {Entry} */
  bringBack() {
    const { entry, at, isUnread } = this.#removed.pop();
    if (isUnread) Object.assign(entry, untouched());
    this.entries = this.entries.toSpliced(at, 0, entry);
    this.#changed();
    this.#fill();
    return entry;
  }

  /** Take everything out, for good. */
  clear() {
    for (const stop of this.#running.values()) stop.abort();
    this.entries = [];
    this.#removed = [];
    this.#changed();
  }

  /** Send an entry again. */
  retry(id) {
    const entry = this.get(id);
    if (!entry || entry.status === "sending") return;
    Object.assign(entry, untouched());
    this.#changed();
    this.#fill();
  }

  /** Stop what is sent and what waits; both can be sent again. */
  cancelAll() {
    this.#failQueued(cancelled());
    for (const stop of this.#running.values()) stop.abort();
    this.#changed();
  }

  cancel(id) {
    const entry = this.get(id);
    if (entry?.status === "queued") this.#fail(entry, cancelled());
    this.#running.get(id)?.abort();
    this.#changed();
  }

  /** Be told of changes, many at once. @returns {() => void} to be told no more. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // Thousands of small steps must not draw thousands of times.
  #changed() {
    this.#notice ??= setTimeout(() => {
      this.#notice = null;
      for (const listener of this.#listeners) listener();
    }, NOTICE_MS);
  }

  #fill() {
    for (const entry of this.entries) {
      if (this.#running.size >= AT_ONCE) return;
      if (entry.status === "queued") this.#run(entry);
    }
  }

  async #run(entry) {
    const stop = new AbortController();
    this.#running.set(entry.id, stop);
    entry.status = "sending";
    this.#changed();
    try {
      await this.#send(entry, stop.signal);
    } catch (error) {
      this.#fail(entry, error.name === "AbortError" ? cancelled() : error);
      if (error.status === NO_KEY) this.#failQueued(error); // who gave no key is not asked again for each file
    } finally {
      this.#running.delete(entry.id);
      this.#changed();
      this.#fill();
    }
  }

  async #send(entry, signal) {
    const file = await entry.open();
    signal.throwIfAborted();
    const form = () => {
      const data = new FormData();
      data.append("files", file, entry.name);
      return data;
    };
    const tell = (change) => {
      Object.assign(entry, change);
      this.#changed();
    };
    const onProgress = (share) => tell({ share, wait: 0 });
    const onWait = (wait) => tell({ share: 0, wait });
    const { findings } = await send(FINDINGS + entry.channels, form, { onProgress, onWait, signal });
    // a form writes some letters of a name otherwise (quotes, line breaks); the page knows it as it is
    const named = findings.map(({ overlay, layers, ...finding }) => ({ ...finding, file: entry.name }));
    const layers = findings.filter(({ kind }) => kind === "slice").map((finding) => packLayers(finding.layers));
    const answer = answered(named);
    const shown = layers[answer.first];
    const thumb = shown ? await makeThumb(shown) : null;
    const status = answer.verdicts.every((verdict) => verdict === "error") ? "failed" : "done"; // only now, so that none is sent again while it is under way
    Object.assign(entry, { ...answer, layers, thumb, status });
  }

  #failQueued(error) {
    for (const entry of this.entries) if (entry.status === "queued") this.#fail(entry, error);
  }

  #fail(entry, error) {
    Object.assign(entry, { status: "failed", verdicts: ["error"], error, wait: 0 });
  }
}

/** Whether an entry has its answer or has failed. */
export function isFinished(entry) {
  return entry.status === "done" || entry.status === "failed";
}

/** How many entries stand where: `{total, done, queued, sending}` and under each verdict. */
export function countEntries(entries) {
  const counts = { total: entries.length, done: 0, queued: 0, sending: 0, tumor: 0, unsure: 0, refused: 0, error: 0, notumor: 0 };
  for (const { status, verdicts } of entries) {
    if (status === "queued" || status === "sending") counts[status]++;
    else counts.done++;
    for (const verdict of verdicts) counts[verdict]++;
  }
  return counts;
}

/** The ways to sort, by name: what comes first is what the name says. */
export const ORDERS = {
  added: "As added",
  tumor: "Tumor first",
  refused: "Refused first",
  failed: "Failed first",
  name: "By name",
};

/**
 * The entries that a filter and a search leave, in the order asked for.
 * @param {Entry[]} entries
 * @param {{verdict: string, text: string, order: string}} wish `verdict` "all" or one of VERDICTS
 */
export function arrange(entries, { verdict, text, order }) {
  const wanted = text.trim().toLowerCase();
  const isWanted = (entry) => (verdict === "all" || entry.verdicts.includes(verdict)) && entry.name.toLowerCase().includes(wanted);
  const left = entries.filter(isWanted);
  if (order === "added") return left;
  if (order === "name") return left.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const rank = { tumor: ["tumor", "unsure"], refused: ["refused"], failed: ["error"] }[order];
  const place = ({ verdicts }) => Math.min(rank.length, ...verdicts.filter((one) => rank.includes(one)).map((one) => rank.indexOf(one)));
  const share = ({ said }) => Math.max(-1, ...said.map(({ tumor_probability: one }) => one ?? -1));
  return left.toSorted((a, b) => place(a) - place(b) || share(b) - share(a));
}

// What the findings of a file tell of it. A scan is shown first at the slice that speaks for it.
function answered(named) {
  const findings = named.filter(({ kind }) => kind === "slice");
  const volumes = named.filter(({ kind }) => kind === "volume");
  const said = volumes.length > 0 ? volumes : findings;
  const speaks = ({ slice, sequence }) => slice === said[0].speaker && sequence === said[0].sequence;
  const first = volumes.length > 0 ? Math.max(0, findings.findIndex(speaks)) : 0;
  return { findings, volumes, said, verdicts: [...new Set(said.map(({ verdict }) => verdict))], first };
}

function untouched() {
  const nothing = { findings: [], layers: [], volumes: [], said: [], verdicts: [], first: 0 };
  return { status: "queued", share: 0, wait: 0, ...nothing, error: null, thumb: null };
}

function cancelled() {
  return new Error("Cancelled");
}
