// What stands where no scan is yet: where to drop, what else one can do, and samples to try.
import { html } from "./dom.js";
import { Button, ErrorLine, Icon, Picture } from "./components.js";
import { useJson } from "./hooks.js";

/** @param {{commands: object}} props see scans.js */
export function Start({ commands }) {
  const canPaste = Boolean(navigator.clipboard?.read);
  return html`<main class="start" id="content" tabindex="-1" aria-label="Scans"><div class="start-inner">
    <div class="drop-zone">
      <${Icon} name="scans" size=${46} />
      <h1>Drop brain MRI slices here</h1>
      <p class="dim">One, many, or whole folders: PNG, JPEG, TIFF, BMP, GIF or WebP. They go to this server alone.</p>
      <div class="row center">
        <${Button} kind="main" icon="add" onClick=${commands.chooseFiles}>Choose files</${Button}>
        <${Button} icon="folder" onClick=${commands.chooseFolder}>Choose a folder</${Button}>
        ${canPaste && html`<${Button} icon="paste" onClick=${commands.paste}>Paste</${Button}>`}
      </div>
      <p class="dim small only-wide">or paste a picture with <kbd>Ctrl</kbd> <kbd>V</kbd></p>
    </div>
    <${Samples} commands=${commands} />
  </div></main>`;
}

function Samples({ commands }) {
  const { data, error, again } = useJson("/v1/samples");
  if (error) return html`<${ErrorLine} error=${error} onRetry=${again} />`;
  const samples = data?.samples ?? [];
  return html`<section class="samples" aria-label="Samples"><div class="row spread"><h2>No scan at hand?</h2>
      <${Button} disabled=${samples.length === 0}
          onClick=${() => commands.addSamples(samples)}>Open all samples</${Button}></div>
    <p class="dim small">Slices of a public brain template, some with a painted lesion, and drawings. They show what an answer looks like, not how
      well the model reads patients.</p>
    <ul class="gallery">${samples.map((sample) => html`<li><button type="button" class="sample"
        onClick=${() => commands.addSamples([sample])}>
      <${Picture} src=${sample.url} alt="" /><span>${sample.title}</span></button></li>`)}</ul></section>`;
}
