// The worst mistakes: wrong answers, the surest first, with their pictures where the data still lies under a data root.
import { html, useEffect, useState } from "./dom.js";
import { Button, Empty, ErrorLine, Icon, Name, Picture, Section } from "./components.js";
import { useFetched } from "./fetched.js";
import { className } from "./phrases.js";
import { counted, share } from "./figures.js";
import { Word } from "./terms.js";
import { Pager } from "./twins.js";
import { SPLITS } from "./run-entry.js";

const PAGE = 12;

/** @param {{run: object, cell: {label: string, called: string}|null, onCell: Function}} props `cell` asks for one cell of the matrix. */
export function Mistakes({ run, cell, onCell }) {
  const [offset, setOffset] = useState(0);
  useEffect(() => setOffset(0), [cell]);
  const path = run.name.split("/").map(encodeURIComponent).join("/");
  const url = `/v1/runs/${path}/mistakes?${new URLSearchParams({ ...cell, offset, limit: PAGE })}`;
  const { found: wrong, error, isBusy, again } = useFetched(url, run.mistakes, (found) => counted(found.count, "wrong answer"));
  const isMissing = wrong?.mistakes.some((mistake) => !mistake.picture);
  const asked = cell && `${className(cell.label)} called ${className(cell.called)}`;
  return html`<div id="mistakes"><${Section} title="The worst mistakes"
    note=${html`Wrong answers among the ${SPLITS[run.headline.split] ?? ""} slices, those the model was <${Word} of="certainty">surest</${Word}> of first, one of each patient or set of copies before a second.`}
    actions=${cell && html`<${Button} icon="close" onClick=${() => onCell(null)}>${asked}</${Button}>`}>
    <p class="small dim" role="status">${wrong ? counted(wrong.count, "wrong answer") : " "}${isMissing ? "; pictures stand only where the file still lies under a data root, unchanged" : ""}</p>
    <${ErrorLine} error=${error} onRetry=${again} />
    ${wrong?.count === 0 && html`<${Empty} icon="check" title="There is none" />`}
    <div class="shots" aria-busy=${isBusy ? "true" : undefined}>${wrong?.mistakes.map((mistake) => html`<${Shot} key=${mistake.dataset + mistake.path} mistake=${mistake} />`)}</div>
    ${wrong && wrong.count > PAGE && html`<${Pager} offset=${offset} total=${wrong.count} onTurn=${setOffset} />`}
  </${Section}></div>`;
}

function Shot({ mistake }) {
  const { path, dataset, label, called, certainty, picture } = mistake;
  const name = `${className(label)} called ${className(called)}: ${path}`;
  return html`<figure class="shot">
    ${picture ? html`<${Picture} src=${picture} alt=${name} />`
      : html`<div class="missing"><${Icon} name="files" size=${26} /><span>The file is not under a data root, or has changed</span></div>`}
    <figcaption><span><b>${className(label)}</b></span><span>called <b>${className(called)}</b>, ${share(certainty, 0)}</span>
      <${Name}>${`${dataset}/${path}`}</${Name}></figcaption></figure>`;
}
