// Line icons, drawn on a 20 x 20 grid.
import { html } from "./dom.js";

const SHAPES = {
  add: "M10 4v12M4 10h12",
  audit: "M8.5 3.5a5 5 0 1 0 0 10a5 5 0 0 0 0-10M12.2 12.2L16.5 16.5M6.4 8.5l1.5 1.5l2.8-3",
  check: "M4 10.5l4 4l8-9",
  clear: "M4 10.5l4 4l8-9",
  close: "M5 5l10 10M15 5L5 15",
  compare: "M3 4h14v12H3zM10 4v12",
  contrast: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14M10 3v14M10 6.5h4.5M10 10h7M10 13.5h4.5",
  download: "M10 3v9M6 8.5l4 4l4-4M4 16.5h12",
  failed: "M10 3.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M10 6.8v4M10 13.1v.1",
  files: "M5 3h6l4 4v10H5zM11 3v4h4",
  fit: "M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4",
  flame: "M10 3c.5 3 4 4.4 4 8.2A4 4 0 0 1 10 15.6a4 4 0 0 1-4-4.4c0-1.7.8-2.6 1.6-3.3c.2 1.2.8 1.8 1.4 2C9.3 7.5 8.8 5 10 3",
  folder: "M3 5h5l1.5 2H17v9H3z",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.8 2.1c-.9.6-1.3 1.1-1.3 2.2M10 14.6v.3",
  invert: "M10 3.5a6.5 6.5 0 1 0 0 13zM10 3.5a6.5 6.5 0 0 1 0 13",
  keyboard: "M2.5 5.5h15v9h-15zM5.5 8.5h.1M8.5 8.5h.1M11.5 8.5h.1M14.5 8.5h.1M6.5 11.7h7",
  left: "M12.5 4.5L7 10l5.5 5.5",
  more: "M4.5 9.6v.8h.8v-.8zM9.6 9.6v.8h.8v-.8zM14.7 9.6v.8h.8v-.8z",
  minus: "M4 10h12",
  model: "M4 3.5h12v13H4zM7 7h6M7 10h6M7 13h3.5",
  moon: "M15.5 12A6.5 6.5 0 0 1 8 4.5a6.5 6.5 0 1 0 7.5 7.5",
  outline: "M6.5 5.5c3-2.5 8-.5 8.3 3.5c.3 3.5-1.5 6.5-5 6.5s-5.8-2.2-5.6-5.3c.1-1.9.9-3.5 2.3-4.7",
  pan: "M10 2.5v15M2.5 10h15M8 4.5l2-2l2 2M8 15.5l2 2l2-2M4.5 8l-2 2l2 2M15.5 8l2 2l-2 2",
  paste: "M7 4.5H5v12h10v-12h-2M7.5 3h5v3h-5z",
  refused: "M10 3.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M5.5 14.5l9-9",
  reset: "M4.5 10a5.5 5.5 0 1 0 1.8-4.1M4.5 3.5v3.2h3.2",
  retry: "M15.5 10a5.5 5.5 0 1 1-1.8-4.1M15.5 3.5v3.2h-3.2",
  right: "M7.5 4.5L13 10l-5.5 5.5",
  runs: "M3.5 16.5h13M5.5 13.5v-4M10 13.5v-9M14.5 13.5v-6.5",
  scans: "M3.5 3.5h13v13h-13zM10 6.2c-2.3 0-3.7 1.7-3.7 3.8s1.4 3.8 3.7 3.8s3.7-1.7 3.7-3.8s-1.4-3.8-3.7-3.8",
  search: "M8.5 3.5a5 5 0 1 0 0 10a5 5 0 0 0 0-10M12.2 12.2L16.5 16.5",
  sun: "M10 6.8a3.2 3.2 0 1 0 0 6.4a3.2 3.2 0 0 0 0-6.4M10 2.5v1.5M10 16v1.5M2.5 10h1.5M16 10h1.5M4.7 4.7l1 1M14.3 14.3l1 1M15.3 4.7l-1 1M5.7 14.3l-1 1",
  trash: "M4 6h12M8 6V4h4v2M5.5 6l.7 10.5h7.6L14.5 6",
  tumor: "M10 3.5L17.5 16.5h-15zM10 8v4M10 14.3v.2",
  unsure: "M3.5 7.8c2-2.2 4.3-2.2 6.5 0s4.5 2.2 6.5 0M3.5 12.8c2-2.2 4.3-2.2 6.5 0s4.5 2.2 6.5 0",
  waiting: "M10 3.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M10 6.5V10l2.5 2",
};

/** An icon by name; with `label` it speaks for itself, else it is an ornament beside words. */
export function Icon({ name, label, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 20 20" role=${label ? "img" : undefined}
    aria-label=${label} aria-hidden=${label ? undefined : "true"}><path d=${SHAPES[name]} /></svg>`;
}
