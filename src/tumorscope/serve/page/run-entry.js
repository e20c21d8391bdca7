// What stands of a run wherever it is named: its address, its date, and its headline above the floors.
import { html } from "./dom.js";
import { Badge } from "./components.js";
import { Axis } from "./figures.js";

const KINDS = { run: "training", evaluation: "evaluation", study: "study" };
export const SPLITS = { leak_free: "leak-free", twin_free: "twin-free", full: "full" };

/** Where one run is shown in full. */
export function addressOf(name) {
  return `#/runs?name=${encodeURIComponent(name)}`;
}

/** A run in a list: what it is, and its headline above the floors. */
export function Entry({ run, short }) {
  const { headline } = run;
  return html`<a class="run" href=${addressOf(run.name)}>
    <span class="run-head"><span class="run-name">${short ?? run.name}</span>
      <span class="dim small">${[run.title, when(run.changed)].filter(Boolean).join(" · ")}</span>
      <span class="row"><${Badge}>${KINDS[run.kind]}</${Badge}>${headline && html`<${SplitBadge} headline=${headline} />`}
        ${!run.is_done && html`<${Badge} tone="note" icon="waiting">not finished</${Badge}>`}
        ${run.problem && html`<${Badge} tone="warn" icon="failed">cannot be read</${Badge}>`}</span></span>
    ${headline ? html`<${Axis} rows=${rowsOf(headline)} />` : html`<span class="dim small">${run.problem ?? waitingFor(run)}</span>`}
  </a>`;
}

/** Which slices a headline is of, and whether more flattering figures exist. */
export function SplitBadge({ headline }) {
  const isLeaky = headline.split === "full" && headline.leaky;
  const [tone, icon] = isLeaky ? ["bad", "failed"] : headline.split === "leak_free" ? ["good", "check"] : ["warn", "tumor"];
  return html`<${Badge} tone=${tone} icon=${icon}>${SPLITS[headline.split] ?? headline.split}${isLeaky ? ", leaky" : ""}</${Badge}>`;
}

/** A headline and its floors as rows of an axis. */
export function rowsOf(headline, note = () => undefined) {
  const { accuracy } = headline.figures;
  const floor = (key, said) => headline[key] && { name: said, said, note: note(headline[key].n), value: headline[key].accuracy, interval: headline[key].interval, dim: true };
  return [
    { name: html`<b>Accuracy</b>`, said: `Accuracy of the model, n = ${accuracy.n}`, note: note(accuracy.n), value: accuracy.value, interval: accuracy.interval },
    floor("copy_baseline", "Copying"),
    floor("source_probe", "Source probe"),
  ].filter(Boolean);
}

function waitingFor(run) {
  return run.kind === "study" ? "A table and a page come with its first finished training." : "Its figures come when the training is done.";
}

export function when(seconds) {
  if (!seconds) return "";
  return new Date(seconds * 1000).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
}
