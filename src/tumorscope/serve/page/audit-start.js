// Where an audit begins: a folder under a data root, or a zip.
import { html, useRef, useState } from "./dom.js";
import { request, send } from "./api.js";
import { Button, Empty, ErrorLine, Icon, Notice, Page, Progress, Section } from "./components.js";
import { useJson } from "./hooks.js";
import { capital } from "./phrases.js";
import { counted } from "./figures.js";
import { Word } from "./terms.js";

/** @param {{onStarted: (job: object) => void}} props */
export function AuditStart({ onStarted }) {
  return html`<${Page} title="Can a score on this data be believed?"
    lead=${html`Before a model is trained on a folder of pictures, an audit looks for <${Word} of="twin">copies</${Word}>, for${" "}
      <${Word} of="leak">leaks</${Word}> from training into test, for contradicting labels, and for what gives the answer away without any
      anatomy. It changes nothing.`}>
    <div class="starts"><${FromRoots} onStarted=${onStarted} /><${FromZip} onStarted=${onStarted} /></div>
    <${Layouts} />
  </${Page}>`;
}

function FromRoots({ onStarted }) {
  const { data, error, again } = useJson("/v1/roots");
  const [root, setRoot] = useState(null);
  return html`<${Section} title="A folder on this server" note="The folders that whoever started the server lets this page read.">
    ${error && html`<${ErrorLine} error=${error} onRetry=${again} />`}
    ${data?.roots.length === 0 && html`<${Empty} icon="folder" title="No folder may be read">
      <p>Start the server with <code>--data-root DIR</code>, or send a zip.</p></${Empty}>`}
    ${data?.roots.length > 0 && html`<${Browser} roots=${data.roots} root=${root ?? data.roots[0]} onRoot=${setRoot} onStarted=${onStarted} />`}
  </${Section}>`;
}

function Browser({ roots, root, onRoot, onStarted }) {
  const [path, setPath] = useState("");
  const [problem, setProblem] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const { data, error, again } = useJson(`/v1/roots?${new URLSearchParams({ root, path })}`);
  const folder = data?.folder;
  const go = (to) => {
    setProblem(null);
    setPath(to);
  };
  const start = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const body = JSON.stringify({ root, path });
      onStarted(await (await request("/v1/audits", { method: "POST", headers: { "Content-Type": "application/json" }, body })).json());
    } catch (caught) {
      setProblem(caught);
      setBusy(false);
    }
  };
  return html`<div class="browser">
    ${roots.length > 1 && html`<label class="field">Data root<select class="input" value=${root}
      onChange=${(event) => { onRoot(event.target.value); go(""); }}>${roots.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>`}
    <${Crumbs} root=${root} path=${path} onGo=${go} />
    ${error && html`<${ErrorLine} error=${error} onRetry=${again} />`}
    ${folder && html`<${Listing} folder=${folder} path=${path} onGo=${go} />`}
    <${ErrorLine} error=${problem} />
    <${Button} kind="main" icon="search" disabled=${isBusy || !folder || folder.folders.length + folder.files === 0} onClick=${start}>Audit ${path.split("/").at(-1) || root}</${Button}>
  </div>`;
}

function Crumbs({ root, path, onGo }) {
  const parts = path ? path.split("/") : [];
  return html`<nav class="crumbs" aria-label="Folder"><ol>
    ${[root, ...parts].map((name, i) => {
      const isHere = i === parts.length;
      return html`<li>${isHere ? html`<span aria-current="location">${name}</span>`
        : html`<button type="button" class="crumb" onClick=${() => onGo(parts.slice(0, i).join("/"))}>${name}</button>`}</li>`;
    })}</ol></nav>`;
}

function Listing({ folder, path, onGo }) {
  const { folders, files, left_out: leftOut, more } = folder;
  const held = [folders.length && counted(folders.length, "folder"), files && counted(files, "file")].filter(Boolean).join(" and ");
  return html`<ul class="folders" aria-label="Folders">${folders.map((name) => html`<li><button type="button" class="folder"
      onClick=${() => onGo(path ? `${path}/${name}` : name)}><${Icon} name="folder" /><span>${name}</span><${Icon} name="right" size=${14} /></button></li>`)}</ul>
    <p class="dim small" role="status">${held ? `Here: ${held}${more ? ", and more" : ""}.` : leftOut ? "" : "This folder is empty."}
      ${leftOut > 0 && ` ${counted(leftOut, "link leads", "links lead")} out of the data root and cannot be opened: give those folders as --data-root.`}</p>`;
}

function FromZip({ onStarted }) {
  const field = useRef(null);
  const stop = useRef(null);
  const [state, setState] = useState({});
  const [isOver, setOver] = useState(false);
  const take = async (files) => {
    if (files.length !== 1) return setState({ error: files.length ? "Send one zip at a time" : null });
    const [file] = files;
    stop.current = new AbortController();
    setState({ name: file.name, sent: 0 });
    try {
      const form = () => {
        const data = new FormData();
        data.append("file", file);
        return data;
      };
      onStarted(await send("/v1/audits", form, { onProgress: (sent) => setState({ name: file.name, sent }), signal: stop.current.signal }));
    } catch (error) {
      setState(error.name === "AbortError" ? {} : { error });
    }
  };
  const onDrop = (event) => {
    event.preventDefault();
    setOver(false);
    take([...event.dataTransfer.files]);
  };
  const onDragOver = (event) => {
    event.preventDefault();
    setOver(true);
  };
  return html`<${Section} title="A zip from your machine" note="It stays on the server until the audit is removed or an hour old, and nowhere else.">
    ${state.name ? html`<${Progress} label=${state.sent < 1 ? `Sending ${state.name}` : `Checking ${state.name}`} done=${Math.round(100 * state.sent)} total=${100}>
        <${Button} kind="quiet" icon="close" label="Stop sending" onClick=${() => stop.current.abort()} /></${Progress}>`
      : html`<div class="zip-drop ${isOver ? "over" : ""}" onDrop=${onDrop} onDragOver=${onDragOver} onDragLeave=${() => setOver(false)}>
        <${Icon} name="files" size=${34} /><p><b>Drop a zip here</b><br /><span class="dim small">with a data set in one of the layouts below</span></p>
        <${Button} icon="add" onClick=${() => field.current.click()}>Choose a zip</${Button}>
        <input class="hidden" type="file" accept=".zip,application/zip" tabindex="-1" aria-label="A zip of a data set" ref=${field}
          onChange=${(event) => { take([...event.target.files]); event.target.value = ""; }} /></div>`}
    <${ErrorLine} error=${state.error && capital(state.error.message ?? state.error)} />
  </${Section}>`;
}

function Layouts() {
  return html`<${Notice}><p><b>What is understood:</b> a folder a class (<code>glioma/ meningioma/ notumor/ …</code> or
    <code>yes/ no/</code>), also under <code>Training/ Testing/</code> or <code>train/ val/ test/</code>; the LGG set; BRISC; or an <code>index.csv</code> with
    <code>path,label</code> and, where known, <code>patient</code>. For a figure about new patients the audit needs to know which slices are of
    one patient.</p></${Notice}>`;
}
