// What an audit found, from the verdict down to the files.
import { html } from "./dom.js";
import { download } from "./api.js";
import { Button, Notice, Page, Section, Table, Tiles } from "./components.js";
import { className } from "./phrases.js";
import { Axis, FLOORS_NOTE, PageLink, Sentences, count, counted, range, share } from "./figures.js";
import { Word } from "./terms.js";
import { Twins } from "./twins.js";

const FLOORS = [
  ["copy_baseline", "Copy baseline", "the label of the most similar training picture"],
  ["copy_baseline_twin_free", "Copy baseline, twins removed", "the same, on pictures that have no twin"],
  ["source_probe", "Source probe", "size, mode, border and histogram of the file, no anatomy"],
];
const MANY_LEAKS = 0.02;
const FAR = 0.5, SOME = 0.2; // shares of the way from always naming the commonest class to being always right

export function AuditResult({ audit: whole, link, onLeave, onRemove }) {
  const audit = whole.audit;
  const [first, ...others] = audit.sentences;
  return html`<${Page} title=${whole.name} lead=${lead(audit)} actions=${html`<${Actions} whole=${whole} onLeave=${onLeave} onRemove=${onRemove} />`}>
    <section class="section verdict ${first.level}" aria-label="Verdict"><p class="verdict-line">${first.text}</p>
      <${Sentences} of=${others} /></section>
    <${Tiles} tiles=${tiles(audit)} />
    <${Leaks} audit=${audit} />
    <${Twins} link=${link} whole=${whole} />
    <${Floors} audit=${audit} />
    <${Split} whole=${whole} />
    <${Files} audit=${audit} />
    ${whole.expires && html`<p class="dim small">The server removes this audit${whole.root === null ? ", and the zip," : ""} at ${timeOf(whole.expires)}.</p>`}
  </${Page}>`;
}

function timeOf(text) {
  return new Date(text).toLocaleTimeString("en", { timeStyle: "short" });
}

function lead(audit) {
  const slices = audit.slices === audit.images ? "" : ` (${count(audit.slices)} slices)`;
  const classes = Object.keys(audit.classes).length;
  const patients = audit.patients ? ` · ${counted(audit.patients, "known patient")}` : "";
  return html`${counted(audit.images, "image")}${slices} in ${counted(classes, "class", "classes")} · layout: ${audit.layout} ·${" "}
    ${count(audit.groups)} <${Word} of="group">${audit.groups === 1 ? "group" : "groups"}</${Word}> that no split may cut${patients}`;
}

function Actions({ whole, onLeave, onRemove }) {
  return html`<${Button} kind="main" icon="download" onClick=${() => download(whole.downloads["catalog.csv"], "catalog.csv")}>Split</${Button}>
    <${PageLink} href=${whole.downloads["audit.html"]} name="audit.html">Whole report</${PageLink}>
    <${Button} icon="add" onClick=${onLeave}>New audit</${Button}>
    <${Button} kind="quiet" icon="trash" label="Remove this audit and what was sent for it" onClick=${onRemove} />`;
}

function tiles(audit) {
  const { leaks, twins, label_conflicts: conflicts } = audit;
  const part = leaks.test_images ? leaks.near / leaks.test_images : 0;
  const where = leaks.split === "published" ? "Published test images" : "Test images of a random split";
  return [
    { value: share(part, part >= 0.1 || part === 0 ? 0 : 1), tone: part > MANY_LEAKS ? "bad" : part ? "warn" : "good",
      label: html`${where} with a <${Word} of="twin" /> in training`,
      note: `${count(leaks.near)} of ${counted(leaks.test_images, "image")}, ${count(leaks.exact)} exact` },
    scoreTile(audit.copy_baseline, html`Right by <${Word} of="copy baseline">copying</${Word}> the nearest training image`),
    scoreTile(audit.source_probe, html`Right from <${Word} of="source probe">the file alone</${Word}>, without anatomy`),
    { value: count(conflicts.length), tone: conflicts.length ? "warn" : "good",
      label: html`Pairs of twins with <${Word} of="label conflict">contradicting labels</${Word}>`,
      note: `of ${counted(twins.pairs, "pair")}` },
  ];
}

function scoreTile(score, label) {
  if (score.accuracy === null) return { value: "–", label, note: score.note };
  const way = (score.accuracy - score.majority) / Math.max(1e-9, 1 - score.majority);
  return { value: share(score.accuracy), label, tone: way > FAR ? "bad" : way > SOME ? "warn" : "good",
    note: html`<${Word} of="95% interval" /> ${score.interval ? range(score.interval) : "too few to say"}, n\u00a0=\u00a0${count(score.n)}` };
}

function Leaks({ audit }) {
  const { leaks } = audit;
  const isPublished = leaks.split === "published";
  const rows = Object.keys(leaks.test_by_class).map((label) => ({
    label, tests: leaks.test_by_class[label], exact: leaks.exact_by_class[label] ?? 0, near: leaks.by_class[label] ?? 0,
    group: leaks.group_by_class[label] ?? 0,
  }));
  const whole = { label: "all", tests: leaks.test_images, exact: leaks.exact, near: leaks.near, group: leaks.group };
  const number = (key) => ({ key, number: true, cell: (row) => count(row[key]) });
  const columns = [
    { key: "label", head: "Class", cell: (row) => (row === whole ? html`<b>all</b>` : className(row.label)) },
    { ...number("tests"), head: "Test images" }, { ...number("exact"), head: "Exact copy" }, { ...number("near"), head: "Any twin" },
    { ...number("group"), head: html`Same <${Word} of="group" />` },
    { key: "free", head: "Without any", number: true, cell: (row) => count(row.tests - row.group) },
  ];
  const note = isPublished ? "Between the training and the test part that this data set publishes."
    : "This data set publishes no test part. These are the leaks of a random split, 70% to train on and 15% to test on, as most people would make it.";
  return html`<${Section} title="Leaks: test images that training knows" note=${note}>
    ${leaks.test_images === 0 ? html`<p>There is no test part.</p>` : html`
      <div class="stacks">${rows.map((row) => html`<${Stack} row=${row} />`)}</div>
      <div class="legend" aria-hidden="true"><span><i class="box exact"></i>exact copy in training</span><span><i class="box near"></i>near twin in training</span><span><i class="box free"></i>no twin</span></div>
      <${Table} caption="Leaks by class" columns=${columns} rows=${[...rows, whole]} />`}
  </${Section}>`;
}

function Stack({ row }) {
  const part = (value) => ({ width: `${(100 * value) / row.tests}%` });
  const said = `${className(row.label)}: ${row.exact} exact copies and ${row.near - row.exact} near twins among ${row.tests} test images`;
  return html`<div class="stack"><span>${className(row.label)}</span><span class="stack-bar" role="img" aria-label=${said}>
    <i class="exact" style=${part(row.exact)}></i><i class="near" style=${part(row.near - row.exact)}></i><i class="free" style=${part(row.tests - row.near)}></i></span>
    <b class="number">${share(row.near / row.tests, row.near === 0 || row.near === row.tests ? 0 : 1)}</b></div>`;
}

function Floors({ audit }) {
  const rows = FLOORS.filter(([key]) => audit[key].accuracy !== null).map(([key, said, what]) => {
    const { accuracy: value, interval, majority, n } = audit[key];
    return { name: html`<${Word} of=${key === "source_probe" ? "source probe" : "copy baseline"}>${said}</${Word}>`, said, note: `${what}, n\u00a0=\u00a0${count(n)}`, value, interval, majority };
  });
  const legend = [["ring", "accuracy, with its 95% interval"], ["tick", "always naming the commonest class"]];
  return html`<${Section} title="What a score on this data has to beat" note=${FLOORS_NOTE}>
    ${rows.length ? html`<${Axis} rows=${rows} legend=${legend} />` : html`<p>Neither could be measured: ${audit.copy_baseline.note}; ${audit.source_probe.note}.</p>`}
    ${rows.length > 0 && html`<p class="dim small">An interval says how far the figure would move with other patients of the same kind: 95 times in 100 it
      would stay inside. Copy baseline: ${audit.copy_baseline.note}. Source probe: ${audit.source_probe.note}.</p>`}
  </${Section}>`;
}

function Split({ whole }) {
  const { split, downloads } = whole;
  const names = { train: "to train on", val: "to choose settings on", test: "to test on" };
  const files = [
    ["catalog.csv", "One row a slice: label, group, twin, fold, and the split in the column split"],
    ["pairs.csv", "Pairs of twins, with similarity and what makes one of the other"],
    ["audit.json", "Every figure of this page, for programs"],
  ];
  return html`<${Section} title=${html`A <${Word} of="split" /> that cuts no group`} note="Every patient, series and set of copies stands on one side of it.">
    ${split ? html`<dl class="parts">${Object.entries(names).map(([part, what]) => html`<div><dt>${part}</dt><dd><b class="number">${count(split[part])}</b><span class="dim small">slices ${what}</span></dd></div>`)}</dl>`
      : html`<${Notice} tone="warn">There is no such split of this data: ${whole.why_no_split}.</${Notice}>`}
    <ul class="downloads">${files.map(([name, what]) => html`<li><${Button} icon="download" onClick=${() => download(downloads[name], name)}>${name}</${Button}><span class="dim small">${what}</span></li>`)}</ul>
  </${Section}>`;
}

function Files({ audit }) {
  const { unreadable, misnamed, empty = [] } = audit;
  if (!unreadable.length && !misnamed.length && !empty.length) return null;
  const path = { key: "path", head: "File", cell: (row) => html`<code>${row.path}</code>`, sort: (row) => row.path };
  return html`<${Section} title="Files">
    ${unreadable.length > 0 && html`<h3>${counted(unreadable.length, "file")} that cannot be read, left out</h3>
      <${Table} caption="Unreadable files" columns=${[path, { key: "problem", head: "Problem" }]} rows=${unreadable.slice(0, MOST)} />`}
    ${empty.length > 0 && html`<h3>${counted(empty.length, "file")} with one gray level throughout, twins of nothing</h3>
      <${Table} caption="Empty files" columns=${[path]} rows=${empty.slice(0, MOST).map((name) => ({ path: name }))} />`}
    ${misnamed.length > 0 && html`<h3>${counted(misnamed.length, "file")} of another format than the name says, read all the same</h3>
      <${Table} caption="Misnamed files" columns=${[path, { key: "named", head: "Named" }, { key: "is", head: "Is really" }]} rows=${misnamed.slice(0, MOST)} />`}
    ${Math.max(unreadable.length, misnamed.length, empty.length) > MOST && html`<p class="dim small">The first ${MOST} of each; audit.json has them all.</p>`}
  </${Section}>`;
}

const MOST = 200;
