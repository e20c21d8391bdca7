// The dialog of the downloads: what is made, of which scans, and how far it is.
import { html, useState } from "./dom.js";
import { save } from "./api.js";
import { Dialog, ErrorLine, Icon, Progress } from "./components.js";
import { fileName, findingsJson, viewPng, worklistCsv } from "./exports.js";
import { makeReport } from "./report.js";
import { openSlice } from "./slices.js";

/**
 * @param {{all: object[], shown: object[], panes: object[], look: object, model: object|null, onClose: () => void}} props
 *   `panes` as in Viewer
 */
export function Downloads({ all, shown, panes, look, model, onClose }) {
  const [scope, setScope] = useState("all");
  const [work, setWork] = useState(null);
  const [error, setError] = useState(null);
  const entries = scope === "all" ? all : shown;
  const finished = entries.filter(({ status }) => status === "done" || status === "failed");
  const visible = panes.filter(({ entry, index }) => entry?.layers[index]);
  const none = !model || finished.length === 0 || work !== null;
  const scopes = [
    ["all", `All ${all.length.toLocaleString("en")} scans`],
    ["shown", `The ${shown.length.toLocaleString("en")} that the filter shows`],
  ];
  const make = (what, ending, produce) => async () => {
    setError(null);
    setWork({ done: 0, total: 0 });
    try {
      save(fileName(what, ending), await produce((done, total) => setWork({ done, total })));
      onClose();
    } catch (problem) {
      setError(problem);
    }
    setWork(null);
  };
  const view = async () => viewPng(await Promise.all(visible.map((pane, at) => withSlice(pane, at))), look);
  return html`<${Dialog} title="Downloads" onClose=${onClose}>
    <${Choice} icon="scans" title="Picture in view" note="PNG, with the overlays and window you see" isFirst=${true}
        isOff=${visible.length === 0} onClick=${make("view", "png", view)} />
    ${all.length !== shown.length && html`<fieldset class="scope"><legend
        class="dim small">The files below hold</legend>
      ${scopes.map(([key, name]) => html`<label>
        <input type="radio" name="scope" value=${key} checked=${scope === key}
            onChange=${() => setScope(key)} /> ${name}</label>`)}</fieldset>`}
    <${Choice} icon="model" title="Report" note="One HTML file with pictures, answers, model and limits; opens anywhere"
        isOff=${none}
      onClick=${make("report", "html", (onProgress) => makeReport(entries, model, onProgress))} />
    <${Choice} icon="runs" title="Worklist" note="CSV for a spreadsheet, one row a finding" isOff=${none}
        onClick=${make("worklist", "csv", () => worklistCsv(entries, model.classes))} />
    <${Choice} icon="files" title="Findings" note="JSON, exactly as the server gave them" isOff=${none}
        onClick=${make("findings", "json", () => findingsJson(entries))} />
    ${finished.length < entries.length && html`<p
        class="dim small">${finished.length.toLocaleString("en")} of ${entries.length.toLocaleString("en")} are read so far; the others are left out.</p>`}
    ${work && html`<${Progress} label="Being made" done=${work.done} total=${work.total} />`}
    <${ErrorLine} error=${error} /></${Dialog}>`;
}

function Choice({ icon, title, note, isOff, isFirst, onClick }) {
  return html`<button type="button" class="choice" data-first=${isFirst} disabled=${isOff} onClick=${onClick}><${Icon}
      name=${icon} size=${22} />
    <span><b>${title}</b><span class="dim small">${note}</span></span><${Icon} name="download" /></button>`;
}

async function withSlice({ entry, index }, number) {
  const { clientWidth: width, clientHeight: height } = document.querySelector(`[data-pane="${number}"]`);
  return { entry, index, slice: await openSlice(entry.layers[index]), size: { width, height } };
}
