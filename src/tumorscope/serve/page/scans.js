import { html } from "./dom.js";
import { Empty, Page } from "./components.js";
export default function Scans() { return html`<${Page} title="Scans"><${Empty} title="Drop scans here" /></${Page}>`; }
