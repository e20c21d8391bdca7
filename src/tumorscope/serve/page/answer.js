// The answer panel: a plain sentence, the probabilities with the model's limits on them, what to be careful of.
import { html } from "./dom.js";
import { Badge, Bar, Button, Empty, Progress, Term } from "./components.js";
import { VERDICTS, asInterval, asLimit, asPercent, capital, className, partName, shares, spoken } from "./phrases.js";

/** @param {{entry: object|null, index: number, model: object|null, commands: object}} props `model`: of GET /v1/models */
export function Answer({ entry, index, model, commands }) {
  return html`<aside class="answer" aria-label="Answer">${body(entry, index, model, commands)}</aside>`;
}

function body(entry, index, model, commands) {
  if (!entry) return html`<${Empty} icon="scans" title="No scan chosen">Choose one in the list.</${Empty}>`;
  const finding = entry.findings[index];
  if (!finding && entry.status === "failed") return html`<${Failed} entry=${entry} message=${entry.error.message}
      commands=${commands} />`;
  if (!finding) return html`<div class="answer-part"><${Progress}
      label=${entry.status === "queued" ? "Waiting for its turn" : "The model reads it"} /></div>`;
  if (finding.status === "error") return html`<${Failed} entry=${entry} message=${finding.message}
      commands=${commands} />`;
  return html`${entry.findings.length > 1 && html`<${Whole} entry=${entry} />`}<${Spoken} finding=${finding} /><${Numbers} finding=${finding} card=${model?.card} />
    ${finding.status === "ok" && html`<${Certainty} card=${model?.card} />`}<${Pictures} finding=${finding}
        shown=${entry.layers[index]?.class} />`;
}

function Failed({ entry, message, commands }) {
  return html`<div class="answer-part failed"><${Badge} tone="failed" icon="failed">Failed</${Badge}>
    <h2 class="said">This file could not be read</h2><p class="message">${capital(message)}.</p>
    <p class="dim small">The other files are not touched by this. PNG, JPEG, TIFF, BMP, GIF and WebP pictures can be read.</p>
    <div class="row"><${Button} icon="retry" onClick=${() => commands.retry(entry.id)}>Try again</${Button}>
      <${Button} icon="trash" kind="quiet" onClick=${() => commands.remove(entry.id)}>Remove</${Button}></div></div>`;
}

// A scan by what its slices amount to, a picture of several sequences by each of them.
function Whole({ entry: { said, volumes } }) {
  return html`<ul class="answer-part whole">${said.map((finding) => {
    const { name, tone, icon } = VERDICTS[finding.verdict];
    const { headline, detail } = spoken(finding);
    const of = [volumes.length > 0 && "Whole scan", partName(finding)].filter(Boolean).join(", ");
    return html`<li class=${tone}><p class="row tight"><${Badge} tone=${tone} icon=${icon}>${name}</${Badge}><b>${of}</b></p>
      <p>${headline}${finding.status === "ok" && html` <span class="number">${asPercent(finding.tumor_probability)}</span>`}</p>
      ${volumes.length > 0 && detail && html`<p class="dim small">${detail}</p>`}</li>`;
  })}</ul>`;
}

function Spoken({ finding }) {
  const { name, tone, icon } = VERDICTS[finding.verdict];
  const { headline, detail } = spoken(finding);
  return html`<div class="answer-part ${tone}">
    <${Badge} tone=${tone} icon=${icon}>${name}</${Badge}>
    <h2 class="said">${headline}</h2>
    ${finding.status === "ok" && html`<p class="shares">${shares(finding).map(({ share, of }, at) => html`<span><b
        class="number">${asPercent(share)}</b> ${at === 0 ? html`<${Term} word="probability of a tumor">${of}</${Term}>` : of}</span>`)}</p>`}
    ${detail && html`<p class="message">${detail}</p>`}</div>`;
}

function Numbers({ finding, card }) {
  const limits = card?.thresholds;
  const isUsable = finding.status === "ok";
  const parts = html`<${TumorBar} finding=${finding} limits=${limits} />
    <div class="row spread bars-head"><h3>By kind</h3>${limits && html`<span class="key dim"><span><i
        class="key-limit"></i>not ruled out from ${asLimit(limits.conformal)}</span></span>`}</div>
    ${kinds(finding).map(([name, value]) => html`<${KindBar} key=${name} name=${name} value=${value} finding=${finding}
        limits=${limits} />`)}
    <p class="dim small">${isUsable && setSentence(finding, limits)}</p>`;
  return html`<div class="answer-part bars">${isUsable ? parts
    : html`<details><summary>What the model would have said (not to be used)</summary><div
        class="bars">${parts}</div></details>`}</div>`;
}

function kinds(finding) {
  return Object.entries(finding.probabilities).toSorted((a, b) => b[1] - a[1]);
}

function TumorBar({ finding, limits }) {
  const band = limits?.abstain > 0.5 ? [1 - limits.abstain, limits.abstain] : undefined;
  const marks = limits ? [{ at: limits.tumor, text: `called a tumor from ${asLimit(limits.tumor)}` }] : [];
  const value = finding.tumor_probability;
  return html`<div class="tumor-bar"><${Bar} label="Tumor of any kind" value=${value} said=${asPercent(value, 1)}
      strong=${true}
      tone=${VERDICTS[finding.verdict].tone} limits=${marks} band=${band} />
    ${limits && html`<p class="key dim"><span><i class="key-limit"></i><${Term}
        text=${`The limit was chosen on pictures set aside for it. From ${asLimit(limits.tumor)} on, the model calls a tumor.`}>called
      a tumor</${Term}> from ${asLimit(limits.tumor)}</span>
      ${band && html`<span><i class="key-band"></i><${Term} word="too close to call" /></span>`}</p>`}</div>`;
}

function KindBar({ name, value, finding, limits }) {
  const isIn = finding.prediction_set.includes(name);
  const label = html`<${Term} word=${name}>${capital(className(name))}</${Term}>`;
  const marks = limits ? [{ at: limits.conformal, text: `not ruled out from ${asLimit(limits.conformal)}` }] : [];
  return html`<${Bar} label=${label} name=${capital(className(name))} value=${value} said=${asPercent(value, 1)}
      limits=${marks} strong=${isIn}
    tone=${name === "notumor" ? "clear" : "tumor"} badge=${isIn ? "not ruled out" : null} />`;
}

function setSentence(finding, limits) {
  const names = finding.prediction_set.map(className).join(", ");
  const share = limits ? ` Such sets were made to hold the right answer for ${asLimit(limits.coverage)} of slices.` : "";
  return html`<${Term} word="prediction set">Prediction set</${Term}>: ${names}.${share}`;
}

function Certainty({ card }) {
  const figures = Object.entries(card?.metrics ?? {});
  const [, whole] = figures.find(([name]) => name.startsWith("all test parts")) ?? figures[0] ?? [];
  const ece = whole?.ece;
  return html`<div class="answer-part small"><p><${Term} word="certainty">How certain is that?</${Term}>
    ${" "}${ece ? html`<span
        class="dim">On ${ece.n.toLocaleString("en")} test slices the stated probabilities were off by
      ${" "}<${Term} word="calibration error">${asPercent(ece.value, 1)}</${Term}> on average${ece.interval ? ` (${asInterval(ece.interval, 1)})` : ""}.
      How far off they are on pictures unlike those, nobody knows.</span>` : html`<span
          class="dim">It was not measured for this model.</span>`}
    ${" "}<a href="#/model">What it was measured on</a></p></div>`;
}

function Pictures({ finding, shown }) {
  if (finding.status === "refused") return html`<div class="answer-part small"><p class="dim">A refused picture is shown without
    ${" "}<${Term} word="heatmap" /> and <${Term} word="outline" />: they would mean nothing.</p></div>`;
  return shown && html`<div class="answer-part small"><p class="dim"><i class="key-heat"></i> The <${Term}
      word="heatmap" /> is warm where the network looked for
    ${" "}${className(shown)}${finding.label === "notumor" ? ", faint where it found little" : html`; the <${Term}
        word="outline" /> runs at half its peak`}.
    It is not a segmentation.</p></div>`;
}
