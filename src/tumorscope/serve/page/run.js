// One run in full: its headline and the floors under it, what is left without leaks, how it learned, what it got wrong.
import { html, useState } from "./dom.js";
import { download } from "./api.js";
import { Badge, Button, ErrorLine, Icon, Notice, Page, Progress, Section, Table, Tiles } from "./components.js";
import { useJson } from "./hooks.js";
import { metricName } from "./phrases.js";
import { Axis, FLOORS_NOTE, Figure, PageLink, Sentences, area, bringUp, count, range, share } from "./figures.js";
import { Word } from "./terms.js";
import { Entry, SPLITS, SplitBadge, addressOf, rowsOf, when } from "./run-entry.js";
import { Curves, Learning } from "./run-curves.js";
import { Confusion, Parts, PerClass } from "./run-classes.js";
import { Mistakes } from "./mistakes.js";

const TILES = ["accuracy", "auc", "sensitivity", "specificity"];
const TILE_WORDS = { accuracy: "accuracy", auc: "AUC", sensitivity: "sensitivity", specificity: "specificity" };
const COMPARED = ["accuracy", "balanced_accuracy", "auc", "sensitivity", "specificity"];
const FEW = 10;

export function Run({ name }) {
  const { data: run, error, again } = useJson(`/v1/runs/${name.split("/").map(encodeURIComponent).join("/")}`);
  if (!run) {
    return html`<${Page} title=${name}><${Back} />${error ? html`<${ErrorLine} error=${error} onRetry=${again} />` : html`<${Progress} label="Reading the run" />`}</${Page}>`;
  }
  return html`<${Page} title=${name.split("/").at(-1)} lead=${lead(run)} actions=${html`<${Actions} run=${run} again=${again} />`}>
    <${Back} study=${run.study} />
    ${run.problems.length > 0 && html`<div class="problems">${run.problems.map((problem) => html`<${ErrorLine} error=${problem} />`)}</div>`}
    ${!run.is_done && html`<${NotDone} run=${run} />`}
    ${run.headline && html`<${Measured} run=${run} />`}
    ${run.leaderboard && html`<${Leaderboard} board=${run.leaderboard} />`}
    ${run.kind === "study" && html`<${RunsOfStudy} name=${run.name} />`}
    ${!run.headline && run.log && html`<${Learning} log=${run.log} />`}
  </${Page}>`;
}

function Back({ study }) {
  return html`<nav aria-label="Up"><a class="back" href="#/runs"><${Icon} name="left" size=${15} />All runs</a>
    ${study && html` <a class="back" href=${addressOf(study)}><${Icon} name="left" size=${15} />${study}</a>`}</nav>`;
}

function lead(run) {
  const { metrics } = run;
  const model = metrics?.model?.name && !run.title?.startsWith(metrics.model.name) ? `model ${metrics.model.name}` : "";
  return [run.name.includes("/") ? run.name : "", run.title, model, when(run.changed)].filter(Boolean).join(" · ");
}

function Actions({ run, again }) {
  const { files } = run;
  const page = files["report.html"] ? "report.html" : files["study.html"] ? "study.html" : null;
  return html`${page && html`<${PageLink} href=${files[page]} name=${page}>Whole report</${PageLink}>`}
    ${["metrics.json", "findings.csv", "leaderboard.csv"].filter((name) => files[name]).map((name) =>
      html`<${Button} icon="download" onClick=${() => download(files[name], name)}>${name}</${Button}>`)}
    ${!run.is_done && html`<${Button} icon="retry" onClick=${again}>Look again</${Button}>`}`;
}

function NotDone({ run }) {
  const epochs = run.log?.epoch?.length ?? 0;
  const far = epochs ? ` So far it has done ${epochs === 1 ? "one epoch" : `${count(epochs)} epochs`}.` : "";
  const text = run.kind === "study" ? "This study is not finished: its table grows with each training that ends."
    : `This training is not finished: it runs, or it was stopped and goes on with --resume.${far}`;
  return html`<${Notice} tone="note" icon="waiting">${text}</${Notice}><div class="spacer"></div>`;
}

function Measured({ run }) {
  const { metrics, headline } = run;
  const [cell, setCell] = useState(null);
  const showCell = (next) => {
    setCell(next);
    if (next) bringUp(document.getElementById("mistakes"));
  };
  return html`
    <section class="section verdict ${worst(metrics.notes)}" aria-label="Headline">
      ${headline.sentence && html`<p class="verdict-line">${headline.sentence}</p>`}
      <p class="small dim">The <${Word} of="headline" /> is of the <${SplitBadge} headline=${headline} /> slices; in brackets stands the${" "}
        <${Word} of="95% interval" />.</p>
      ${metrics.notes?.length > 0 && html`<${Sentences} of=${metrics.notes} />`}
    </section>
    <${Tiles} tiles=${tiles(metrics, headline)} />
    <${Section} title="What a score on these slices has to beat" note=${FLOORS_NOTE}>
      <${Axis} rows=${rowsOf(headline, (n) => `n = ${count(n)}`).map((row) => ({ ...row, majority: headline.copy_baseline?.majority ?? headline.source_probe?.majority }))}
        legend=${[["ring", "accuracy, with its 95% interval"], ["tick", "always naming the commonest class"]]} /></${Section}>
    <${Strictness} metrics=${metrics} />
    ${run.log && html`<${Learning} log=${run.log} />`}
    <${Confusion} metrics=${metrics} cell=${cell} onCell=${showCell} />
    <${PerClass} metrics=${metrics} />
    <${Curves} metrics=${metrics} />
    ${run.mistakes && html`<${Mistakes} run=${run} cell=${cell} onCell=${setCell} />`}
    <${Parts} metrics=${metrics} />
    <${Facts} run=${run} />`;
}

function worst(notes) {
  return ["bad", "warn"].find((level) => notes?.some((note) => note.level === level)) ?? "note";
}

function tiles(metrics, headline) {
  const floor = headline.copy_baseline?.accuracy;
  return TILES.filter((key) => metrics.headline[key] && (key === "accuracy" || metrics.headline[key].n >= FEW)).map((key) => {
    const { value, n, interval } = metrics.headline[key];
    const tone = key === "accuracy" && floor !== undefined ? (value <= floor ? "bad" : value < floor + 0.03 ? "warn" : "plain") : "plain";
    return { value: key === "auc" ? area(value) : share(value), tone, label: html`<${Word} of=${TILE_WORDS[key]}>${metricName(key)}</${Word}>`,
      note: html`${interval ? `${key === "auc" ? interval.map(area).join(" to ") : range(interval)}, ` : ""}n\u00a0=\u00a0${count(n)}` };
  });
}

function Strictness({ metrics }) {
  const names = Object.keys(SPLITS).filter((name) => metrics[name] && metrics.slices?.[name] !== undefined);
  if (names.length === 0) return null;
  const label = (name) => html`<${Word} of=${SPLITS[name]} />${name === "full" && metrics.leaky ? " (leaky)" : ""}`;
  const rows = names.map((name) => ({
    name: html`${label(name)}${name === metrics.headline_split && html` <${Badge} tone="note">headline</${Badge}>`}`, said: SPLITS[name],
    note: `${count(metrics.slices[name])} slices`, value: metrics[name].accuracy?.value ?? null, interval: metrics[name].accuracy?.interval ?? null,
    copy: metrics.copy_baseline?.by_split?.[name]?.accuracy, dim: name !== metrics.headline_split,
  }));
  const compared = COMPARED.filter((key) => names.some((name) => metrics[name][key]));
  const columns = [{ key: "name", head: "Slices", cell: (row) => label(row.name) }, { key: "n", head: "n", number: true, cell: (row) => count(metrics.slices[row.name]) },
    ...compared.map((key) => ({ key, head: metricName(key), number: true, cell: (row) => html`<${Figure} of=${metrics[row.name][key]} />` }))];
  return html`<${Section} title="What is left when copies and shared patients are taken out"
    note="A slice that the model was fitted to, in whatever form, measures memory.">
    <${Axis} rows=${rows} legend=${[["ring", "accuracy, with its 95% interval"], ["diamond", "copying the most similar training slice"]]} />
    <${Table} caption="Figures by strictness" columns=${columns} rows=${names.map((name) => ({ name }))} /></${Section}>`;
}

function Leaderboard({ board }) {
  const isNumber = (i) => board.rows.length > 0 && board.rows.every((row) => row[i] === "" || Number.isFinite(Number(row[i])));
  const columns = board.columns.map((head, i) => {
    const numeric = isNumber(i);
    return { key: head, head: head.replaceAll("_", " "), number: numeric, cell: (row) => shown(row[i], numeric), sort: (row) => (numeric ? Number(row[i] || NaN) : row[i]) };
  });
  return html`<${Section} title="Leaderboard" note="A row for every run under every protocol. A click on a head sorts.">
    <${Table} caption="Leaderboard" columns=${columns} rows=${board.rows} /></${Section}>`;
}

function RunsOfStudy({ name }) {
  const { data, error, again } = useJson("/v1/runs");
  const runs = (data?.runs ?? []).filter((run) => run.study === name);
  return html`<${Section} title="Its trainings">
    ${error && html`<${ErrorLine} error=${error} onRetry=${again} />`}
    ${!data && !error && html`<${Progress} label="Reading the runs" />`}
    ${data && runs.length === 0 && html`<p class="dim">None has begun yet.</p>`}
    <ul class="runs">${runs.map((run) => html`<li key=${run.name}><${Entry} run=${run} short=${run.name.slice(name.length + 1)} /></li>`)}</ul>
  </${Section}>`;
}

function shown(text, isNumber) {
  return isNumber && text.includes(".") ? String(+Number(text).toPrecision(4)) : text;
}

function Facts({ run }) {
  const { metrics } = run;
  const { thresholds } = metrics;
  const facts = {
    "Model": metrics.model && html`${metrics.model.name} <code>${String(metrics.model.sha256 ?? "").slice(0, 16)}</code>`,
    "Part": metrics.part,
    "Limits": thresholds && html`tumor from ${share(thresholds.tumor)}; abstains under ${share(thresholds.abstain)} for its answer; prediction sets from
      ${" "}${share(thresholds.conformal)}. All fitted on <${Word} of="validation" />, none on these slices.`,
    "Seed": metrics.seed,
    "Command": metrics.command && html`<code>${metrics.command}</code>`,
    "Written by": metrics.version && `tumorscope ${metrics.version}`,
  };
  return html`<${Section} title="Facts"><dl class="facts">${Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></${Section}>`;
}
