// The evaluation page: the runs under --runs, each with its headline above the floors, and one of them in full.
import { html, useEffect, useState } from "./dom.js";
import { Button, Empty, ErrorLine, Page, Progress, Section } from "./components.js";
import { useJson } from "./hooks.js";
import { counted } from "./figures.js";
import { Word } from "./terms.js";
import { Run } from "./run.js";
import { Entry } from "./run-entry.js";

const MANY = 8;

export default function RunsPage() {
  const [name, setName] = useState(nameOfAddress());
  useEffect(() => {
    const follow = () => location.hash.startsWith("#/runs") && setName(nameOfAddress());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return name ? html`<${Run} key=${name} name=${name} />` : html`<${RunList} />`;
}

function nameOfAddress() {
  return new URLSearchParams(location.hash.split("?")[1] ?? "").get("name");
}

function RunList() {
  const { data, error, again } = useJson("/v1/runs");
  const [text, setText] = useState("");
  const runs = data?.runs ?? [];
  const shown = runs.filter((run) => `${run.name} ${run.title ?? ""}`.toLowerCase().includes(text.toLowerCase()));
  const tops = shown.filter((run) => run.study === null || !shown.some((other) => other.name === run.study));
  return html`<${Page} title="Runs" lead=${html`What models scored, on slices they had not seen, beside what${" "}
      <${Word} of="copy baseline">copying</${Word}> and the <${Word} of="source probe">file alone</${Word}> score on the same slices.`}
      actions=${data?.is_given && html`<${Button} icon="retry" onClick=${again}>Look again</${Button}>`}>
    ${error && html`<${ErrorLine} error=${error} onRetry=${again} />`}
    ${!data && !error && html`<${Progress} label="Reading the runs" />`}
    ${data && runs.length === 0 && html`<${Section}><${Nothing} isGiven=${data.is_given} /></${Section}>`}
    ${runs.length > MANY && html`<label class="field run-search"><span class="hidden">Find a run</span><input class="input" type="search"
      placeholder="Find a run by its name, recipe or data" value=${text} onInput=${(event) => setText(event.target.value)} /></label><div class="spacer"></div>`}
    ${runs.length > 0 && shown.length === 0 && html`<${Empty} icon="search" title="No run is called so" />`}
    <ul class="runs">${tops.map((run) => html`<li key=${run.name}><${Entry} run=${run} />
      <${Parts} of=${run} runs=${shown.filter((other) => other.study === run.name)} isOpen=${text !== ""} /></li>`)}</ul>
  </${Page}>`;
}

function Nothing({ isGiven }) {
  return isGiven ? html`<${Empty} icon="runs" title="No run lies there yet"><p><code>tumorscope train</code> and${" "}
      <code>tumorscope evaluate</code> write their folders into the one given as <code>--runs</code>.</p></${Empty}>`
    : html`<${Empty} icon="runs" title="This server shows no runs"><p>Start it with <code>--runs DIR</code>, where <code>DIR</code> holds what${" "}
      <code>tumorscope train --out</code>, <code>evaluate --out</code> or <code>study run --out</code> wrote.</p></${Empty}>`;
}

function Parts({ of, runs, isOpen }) {
  if (runs.length === 0) return null;
  return html`<details class="run-parts" open=${isOpen}><summary>${counted(runs.length, "run")} of ${of.name}</summary>
    <ul class="runs">${runs.map((run) => html`<li key=${run.name}><${Entry} run=${run} short=${run.name.slice(of.name.length + 1)} /></li>`)}</ul></details>`;
}
