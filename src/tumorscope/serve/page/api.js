// Requests to the server: the key where it asks for one, problem documents as errors, waiting where it is busy.

const KEY_HEADER = "X-API-Key";
const BUSY = 429;
const LONGEST_WAIT_S = 60;

let key = "";
let asking = null;
let declined = 0;
let askForKey = async () => null;

/** What the server said is wrong, or that it cannot be reached (status 0). */
export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.title = title;
  }
}

/** Let `ask(wasWrong)` be called where the server wants a key; it gives a promise of the key, or of null. */
export function onKeyWanted(ask) {
  askForKey = ask;
}

/** Whether requests carry a key, which a plain link cannot. */
export function hasKey() {
  return key !== "";
}

/**
 * Ask the server; waits as it says where it is busy, asks for a key where it wants one.
 * @param {string} path on this server.
 * @param {RequestInit & {onWait?: (seconds: number) => void}} options of fetch; onWait is told of each wait.
 * @returns {Promise<Response>} of a good status.
 * @throws {Problem} of any other, {DOMException} AbortError where it was cancelled.
 */
export async function request(path, options = {}) {
  const { onWait, ...init } = options;
  for (;;) {
    const [sent, declinedBefore] = [key, declined];
    const response = await reach(path, { ...init, headers: { ...init.headers, ...keyHeader() } });
    if (response.status === 401) await renewKey(sent, declinedBefore);
    else if (response.status === BUSY) await wait(response.headers.get("Retry-After"), onWait, init.signal);
    else if (!response.ok) throw await asProblem(response.status, await response.text());
    else return response;
  }
}

/** Ask for JSON. */
export async function getJson(path, options) {
  return (await request(path, options)).json();
}

/** Fetch a file with the key and save it under `name`. */
export async function download(path, name) {
  save(name, await (await request(path)).blob());
}

/** Hand a blob to the browser's downloads. */
export function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Post a form and tell how much of it is sent, which fetch cannot.
 * @param {string} path on this server.
 * @param {() => FormData} form made anew for each attempt.
 * @param {{onProgress?: (share: number) => void, onWait?: (seconds: number) => void, signal?: AbortSignal}} options
 * @returns {Promise<object>} the JSON of the answer.
 */
export async function send(path, form, { onProgress, onWait, signal } = {}) {
  for (;;) {
    const [sent, declinedBefore] = [key, declined];
    const answer = await post(path, form(), onProgress, signal);
    if (answer.status === 401) await renewKey(sent, declinedBefore);
    else if (answer.status === BUSY) await wait(answer.getResponseHeader("Retry-After"), onWait, signal);
    else if (answer.status < 200 || answer.status > 299) throw asProblem(answer.status, answer.responseText);
    else return JSON.parse(answer.responseText);
  }
}

/**
 * Follow server-sent events until `signal` aborts or the server ends them (fetch, since EventSource sends no key).
 * @param {string} path on this server.
 * @param {(event: {type: string, data: string, id: string}) => void} onEvent
 * @param {{signal?: AbortSignal, last?: string}} options `last`: the id of the last event that was seen.
 */
export async function followEvents(path, onEvent, { signal, last } = {}) {
  const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
  const response = await request(path, { headers, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    blocks.map(parseEvent).filter((event) => event.data).forEach(onEvent);
  }
}

function parseEvent(block) {
  const event = { type: "message", data: "", id: "" };
  for (const line of block.split("\n")) {
    const [, field, value] = line.match(/^([a-z]+): ?(.*)$/) ?? [];
    if (field === "event") event.type = value;
    else if (field === "data") event.data += event.data ? `\n${value}` : value;
    else if (field === "id") event.id = value;
  }
  return event;
}

async function reach(path, init) {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
}

function post(path, body, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", path);
    for (const [name, value] of Object.entries(keyHeader())) call.setRequestHeader(name, value);
    call.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    call.onload = () => resolve(call);
    call.onerror = () => reject(unreachable());
    call.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    if (signal?.aborted) return reject(new DOMException("cancelled", "AbortError"));
    signal?.addEventListener("abort", () => call.abort(), { once: true });
    call.send(body);
  });
}

function keyHeader() {
  return key ? { [KEY_HEADER]: key } : {};
}

// Many requests may be refused at once: one dialog serves them all, and none asks again for a key that was renewed, or
// that nobody wanted to give, after it had been sent.
async function renewKey(sent, declinedBefore) {
  if (sent !== key) return;
  if (declined === declinedBefore) {
    asking ??= askForKey(sent !== "").then(keep).finally(() => (asking = null));
    if (await asking) return;
  }
  throw new Problem(401, "Key wanted", "The server asks for a key, and none was given");
}

function keep(given) {
  if (given) key = given;
  else declined += 1;
  return given;
}

async function wait(retryAfter, onWait, signal) {
  const seconds = Math.min(Number(retryAfter) || 1, LONGEST_WAIT_S);
  onWait?.(seconds);
  await new Promise((resolve, reject) => {
    // a little apart, so that those who were sent away together do not come back together
    const timer = setTimeout(resolve, seconds * 1000 * (1 + Math.random() / 4));
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("cancelled", "AbortError"));
    });
  });
}

function asProblem(status, text) {
  try {
    const { title, detail } = JSON.parse(text);
    return new Problem(status, title, detail);
  } catch {
    return new Problem(status, "The server failed", `The server answered ${status} without saying why`);
  }
}

function unreachable() {
  return new Problem(0, "No answer", "The server cannot be reached: is `tumorscope serve` still running?");
}
