// The model's card, readable: what it was trained on, measured at, never shown, and where its limits lie.
import { html } from "./dom.js";
import { Button, ErrorLine, Notice, Page, Progress, Section, Table, Term, Tiles } from "./components.js";
import { useModel } from "./hooks.js";
import { save } from "./api.js";
import { asFigure, asLimit, className, metricName, setName } from "./phrases.js";

const TILES = ["auc", "sensitivity", "specificity", "accuracy"];

export default function ModelCard() {
  const { model, error, again } = useModel();
  if (!model) {
    return html`<${Page} title="The model">${error ? html`<${ErrorLine} error=${error} onRetry=${again} />`
      : html`<${Progress} label="Reading the model's card" />`}</${Page}>`;
  }
  const { card } = model;
  const [first, ...others] = headlines(card.metrics);
  return html`<${Page} title=${card.name} lead=${lead(card)}
    actions=${html`<${Button} icon="download" onClick=${() => saveCard(model)}>Card as JSON</${Button}>`}>
    <${Notice} tone="note">Research use only: not a medical device, and nothing here is a diagnosis.</${Notice}>
    <div class="spacer"></div>
    ${first && html`<${Headline} title="Measured at" name=${first[0]} figures=${first[1]} />`}
    ${others.map(([name, figures]) => html`<${Headline} name=${name} figures=${figures} />`)}
    <${Limits} card=${card} />
    <${NeverShown} lines=${card.never_shown} />
    <${Measured} metrics=${card.metrics} />
    <${TrainedOn} training=${card.training} />
    ${card.notes.length > 0 && html`<${Section} title="Notes"><${Lines} lines=${card.notes} /></${Section}>`}
    <${Facts} model=${model} />
  </${Page}>`;
}

function lead(card) {
  const kinds = card.classes.filter((name) => name !== "notumor").map(className);
  const last = kinds.pop();
  return `Says of one slice whether it shows a tumor, and whether it looks like ${kinds.length ? `${kinds.join(", ")} or ` : ""}${last}.`;
}

function saveCard(model) {
  save(`${model.name}.card.json`, new Blob([JSON.stringify(model, null, 2)], { type: "application/json" }));
}

// The outside test comes first: it says most of what to expect of pictures from elsewhere.
function headlines(metrics) {
  const named = (pattern) => Object.entries(metrics).filter(([name]) => pattern.test(name)).slice(0, 1);
  const found = [...named(/never shown$/), ...named(/^all test parts/)];
  return found.length > 0 ? found : Object.entries(metrics).slice(0, 1);
}

function Headline({ title, name, figures }) {
  const tiles = TILES.filter((metric) => figures[metric]).map((metric) => {
    const { n } = figures[metric];
    const { value, interval } = asFigure(metric, figures[metric]);
    return {
      value,
      label: html`<${Term} word=${metric}>${metricName(metric)}</${Term}>`,
      note: html`${interval ? `${interval}, ` : ""}n = ${n.toLocaleString("en")}`,
    };
  });
  return html`<div>${title && html`<h2>${title}</h2>`}<p
      class="dim small head-note">On <b>${setName(name)}</b>: slices of patients, series and
    copies that it was not trained on.${title && html` Under each figure stand its <${Term}
        word="95% interval" /> and the number of slices (n).`}</p>
    <${Tiles} tiles=${tiles} /></div>`;
}

function Limits({ card }) {
  const { tumor, outlier, abstain, conformal, coverage } = card.thresholds;
  const band = abstain > 0.5 ? `${asLimit(1 - abstain)} to ${asLimit(abstain)}` : "never";
  const rows = [
    { what: "Called a tumor", from: asLimit(tumor), means: "The probability of a tumor has to reach this." },
    { what: html`<${Term}
        word="too close to call">Too close to call</${Term}>`, from: band,
      means: "Between these the model abstains." },
    { what: html`<${Term} word="prediction set">In the prediction set</${Term}>`, from: asLimit(conformal),
      means: "From this probability on an answer is not ruled out; sets made so held the right one for " +
        `${asLimit(coverage)} of the slices the limit was fitted on.` },
    { what: html`<${Term}
        word="refused">Refused</${Term}>`, from: outlier === null ? "never" : `over ${outlier.toFixed(2)}`,
      means: "How far a picture may lie from the training data, as the network sees it." },
  ];
  const columns = [
    { key: "what", head: "Limit" },
    { key: "from", head: "Value", number: true },
    { key: "means", head: "What it means" },
  ];
  return html`<${Section} title="Limits" note=${html`Every <${Term}
      word="threshold" /> was fitted on pictures set aside for that.`}>
    <${Table} caption="Limits of the model" columns=${columns} rows=${rows} /></${Section}>`;
}

function NeverShown({ lines }) {
  return lines.length > 0 && html`<${Section} title="Never shown" note="Nothing is known about how it does on these.">
    <${Lines} lines=${lines} /></${Section}>`;
}

function Measured({ metrics }) {
  const rows = Object.entries(metrics).flatMap(([set, figures]) =>
    Object.entries(figures).map(([metric, figure]) => ({ set, metric, ...figure })));
  const columns = [
    { key: "set", head: "Measured on", sort: (row) => row.set, cell: (row) => setName(row.set) },
    { key: "metric", head: "Figure", sort: (row) => metricName(row.metric), cell: (row) => html`<${Term}
        word=${row.metric}>${metricName(row.metric)}</${Term}>` },
    { key: "value", head: "Value", number: true, sort: (row) => row.value, cell: (row) => asFigure(row.metric, row, 1).value },
    { key: "interval", head: html`95% interval`, number: true, cell: (row) => asFigure(row.metric, row, 1).interval },
    { key: "n", head: "n", number: true, sort: (row) => row.n, cell: (row) => row.n.toLocaleString("en") },
  ];
  return html`<${Section} title="Every figure"
      note="A click on a head sorts. Small sets give wide intervals: read those, not the values.">
    <${Table} caption="Every measured figure" columns=${columns} rows=${rows} /></${Section}>`;
}

function TrainedOn({ training }) {
  const sets = Object.entries(training.sets).map(([name, count]) => ({ name, count }));
  const labels = Object.entries(training.labels).map(([name, count]) => ({ name: className(name), count }));
  const columns = (head) => [
    { key: "name", head, sort: (row) => row.name },
    { key: "count", head: "Slices", number: true, sort: (row) => row.count, cell: (row) => row.count.toLocaleString("en") },
  ];
  return html`<${Section} title="Trained on"><div class="halves">
    <${Table} caption="Training sets" columns=${columns("Data set")} rows=${sets} />
    <${Table} caption="Labels in training" columns=${columns("Label")} rows=${labels} />
  </div></${Section}>`;
}

function Facts({ model }) {
  const { card } = model;
  const facts = {
    "Licence of the weights": card.licence,
    "Input": `${card.spec.side} × ${card.spec.side} pixels, ${card.spec.crop ? "cropped to the head" : "uncropped"}`,
    "File fingerprint": html`<code>${model.sha256}</code>`,
    "Written by": `tumorscope ${card.version}`,
  };
  return html`<${Section} title="Facts"><dl class="facts">
    ${Object.entries(facts).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></${Section}>`;
}

function Lines({ lines }) {
  return html`<ul class="lines">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}
