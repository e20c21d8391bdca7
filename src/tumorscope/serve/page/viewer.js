// The viewer: one or two panes that share zoom and window, the tools over them, and what lies under the pointer.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./dom.js";
import { Badge, Button, Empty, Name, Progress, Term } from "./components.js";
import { drawSlice, moveWindow, overlaysOf, panBy, placeOf, windowOf, zoomAt } from "./draw.js";
import { VERDICTS, asPercent, partName } from "./phrases.js";
import { useSlice } from "./slices.js";

const WINDOW_DRAG = 300;
const WHEEL_STEP = 60;

/**
 * @param {object} props
 * @param {{entry: object|null, index: number}[]} props.panes one or two
 * @param {number} props.active which of them the list and the keys move
 * @param {object} props.look `{view, tool, heat: {on, opacity}, outline: {on, opacity}}`
 * @param {(change: object | (look) => object) => void} props.onLook
 * @param {object} props.commands what buttons and keys do, see scans.js
 */
export function Viewer({ panes, active, look, onLook, commands }) {
  return html`<section class="viewer" aria-label="Viewer">
    <${Tools} look=${look} onLook=${onLook} commands=${commands} isTwo=${panes.length > 1} />
    <div class="panes ${panes.length > 1 ? "two" : ""}">
      <span class="turn left only-narrow"><${Button} icon="left" label="Previous scan"
          onClick=${commands.previous} /></span>
      <span class="turn right only-narrow"><${Button} icon="right" label="Next scan" onClick=${commands.next} /></span>
      ${panes.map((pane, number) => html`<${Pane} key=${number} pane=${pane} isActive=${number === active}
          isTwo=${panes.length > 1}
        look=${look} onLook=${onLook} commands=${commands} number=${number} />`)}
    </div>
  </section>`;
}

function Tools({ look, onLook, commands, isTwo }) {
  const { tool, heat, outline } = look;
  const isInverted = look.view.isInverted;
  return html`<div class="tools" role="toolbar" aria-label="Viewer tools">
    <span class="only-narrow"><${Button} icon="left" label="Back to the list" onClick=${commands.showList} /></span>
    <span class="group">
      <${Button} icon="contrast" label="Drag changes brightness and contrast" keys="W" pressed=${tool === "window"}
          onClick=${() => onLook({ tool: "window" })} />
      <${Button} icon="pan" label="Drag moves the picture" keys="P" pressed=${tool === "pan"}
          onClick=${() => onLook({ tool: "pan" })} />
    </span>
    <span class="group">
      <${Button} icon="minus" label="Zoom out" keys="-" onClick=${commands.zoomOut} />
      <${Button} icon="add" label="Zoom in" keys="+" onClick=${commands.zoomIn} />
      <${Button} icon="fit" class="fit-tool" label="Fit to the pane" keys="0" onClick=${commands.fit} />
    </span>
    <span class="group">
      <${Button} icon="invert" label="Invert black and white" keys="I" pressed=${isInverted}
          onClick=${commands.invert} />
      <${Button} icon="reset" label="Reset zoom, window and inversion" keys="R" onClick=${commands.reset} />
      <${Button} icon="compare" label="Two scans side by side" keys="C" pressed=${isTwo} onClick=${commands.compare} />
    </span>
    <span class="group end"><${Button} icon="download" label="Downloads" keys="D" onClick=${commands.download} /></span>
    <${Overlay} name="Heatmap" icon="flame" keys="H" state=${heat}
        onChange=${(change) => onLook({ heat: { ...heat, ...change } })} />
    <${Overlay} name="Outline" icon="outline" keys="O" state=${outline}
        onChange=${(change) => onLook({ outline: { ...outline, ...change } })} />
  </div>`;
}

function Overlay({ name, icon, keys, state, onChange }) {
  const slide = (event) => onChange({ opacity: Number(event.currentTarget.value) / 100, on: true });
  return html`<span class="group overlay-group">
    <${Button} icon=${icon} keys=${keys} pressed=${state.on}
        onClick=${() => onChange({ on: !state.on })}>${name}</${Button}>
    <input type="range" min="0" max="100" value=${Math.round(100 * state.opacity)}
        aria-label="${name} opacity in percent"
      title="Opacity ${asPercent(state.opacity)}" onInput=${slide} /></span>`;
}

function Pane({ pane, number, isActive, isTwo, look, onLook, commands }) {
  const { entry, index } = pane;
  const slice = useSlice(entry, index);
  const canvas = useRef(null);
  const size = useSize(canvas);
  const [under, setUnder] = useState(null);
  const { view } = look;
  useLayoutEffect(() => {
    if (!size.width) return;
    const context = canvas.current.getContext("2d");
    if (!slice) return void context.clearRect(0, 0, canvas.current.width, canvas.current.height);
    const { width, height } = canvas.current;
    drawSlice(context, slice, view, overlaysOf(look, entry?.findings[index]), { width, height, ratio: size.ratio });
  }, [slice, size, look]);
  const pointer = usePointer({ canvas, slice, size, look, onLook, commands, number, setUnder });
  return html`<div class="pane dark ${isTwo && isActive ? "active" : ""}" data-pane=${number}>
    <canvas ref=${canvas} class="film ${look.tool}" width=${Math.round(size.width * size.ratio)}
        height=${Math.round(size.height * size.ratio)}
      tabindex="0" role="img" aria-label=${describe(pane, slice, view)} ...${pointer}></canvas>
    ${slice ? html`<${Corners} pane=${pane} slice=${slice} view=${view} under=${under} />` : html`<${Waiting}
        entry=${entry} commands=${commands} />`}
    ${entry?.findings.length > 1 && html`<${SliceSlider} pane=${pane}
        onSlice=${(to) => commands.showSlice(number, to)} />`}
    ${isTwo && html`<span class="pane-close"><${Button} icon="close" kind="quiet" label="Close this pane"
        onClick=${() => commands.closePane(number)} /></span>`}
  </div>`;
}

function describe({ entry, index }, slice, view) {
  if (!entry) return "No scan chosen";
  const { level, width } = slice ? windowOf(slice, view) : {};
  const which = entry.findings.length > 1 ? `, ${partOf(entry, index)}` : "";
  const how = slice ? `, level ${Math.round(level)}, width ${Math.round(width)}, zoom ${Math.round(100 * view.zoom)}%` : "";
  return `${entry.name}${which}${how}`;
}

function partOf({ findings }, index) {
  return `${partName(findings[index])}, ${index + 1} of ${findings.length}`;
}

function Corners({ pane: { entry, index }, slice, view, under }) {
  const { level, width } = windowOf(slice, view);
  const finding = entry.findings[index];
  const { name, tone, icon } = VERDICTS[finding.verdict];
  const many = entry.findings.length > 1;
  return html`
    <div class="corner top left"><${Name}>${entry.name}</${Name}>${many && html`<span>${partOf(entry, index)}</span>`}
      <span>${slice.width} × ${slice.height}${slice.depth > 8 ? `, ${slice.depth} bit` : ""}</span></div>
    <div class="corner top right"><${Badge} tone=${tone} icon=${icon}>${name}</${Badge}></div>
    <div class="corner bottom left number"><span
        class="under">${under ? `x ${under.x}, y ${under.y}: ${under.value}` : ""}</span><span><${Term}
        word="level">L</${Term}> ${Math.round(level)}
      ${" "}<${Term} word="window">W</${Term}> ${Math.round(width)}</span>
      </div>
    <div class="corner bottom right number">${view.isInverted && html`<span>inverted</span>`}<span>${Math.round(view.zoom * 100)}%</span></div>`;
}

function Waiting({ entry, commands }) {
  if (!entry) return html`<div class="over-film"><${Empty} icon="scans"
      title="No scan chosen">Choose one in the list.</${Empty}></div>`;
  if (entry.status === "failed") {
    return html`<div class="over-film"><${Empty} icon="failed" title="No picture">The answer says why.
      <div class="row center"><${Button} icon="retry"
          onClick=${() => commands.retry(entry.id)}>Try again</${Button}></div></${Empty}></div>`;
  }
  const read = entry.wait ? `The server is busy: again in ${entry.wait} s` : "Being read";
  const label = entry.status === "queued" ? "Waiting for its turn" : read;
  return html`<div class="over-film"><div class="waiting-box"><${Progress}
      label=${label} /><${Name}>${entry.name}</${Name}></div></div>`;
}

function SliceSlider({ pane: { entry, index }, onSlice }) {
  const count = entry.findings.length;
  return html`<label class="slices"><span class="hidden">Slice</span>
    <input type="range" min="1" max=${count} value=${index + 1} aria-label="Slice of ${entry.name}"
        onInput=${(event) => onSlice(Number(event.currentTarget.value) - 1)} />
    <span class="number">${index + 1} / ${count}</span></label>`;
}

function useSize(canvas) {
  const [size, setSize] = useState({ width: 0, height: 0, ratio: 1 });
  useLayoutEffect(() => {
    const box = canvas.current.parentElement;
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = box;
      setSize({ width, height, ratio: Math.min(2, devicePixelRatio || 1) });
    };
    const watch = new ResizeObserver(measure);
    watch.observe(box);
    measure();
    return () => watch.disconnect();
  }, []);
  return size;
}

// Drag: window or pan; middle or right button, or with shift: pan. Two fingers: zoom and pan. Wheel: next and previous, with ctrl zoom.
function usePointer({ canvas, slice, size, look, onLook, commands, number, setUnder }) {
  const fingers = useRef(new Map());
  const wheel = useRef(0);
  const latest = useRef();
  latest.current = { slice, size, commands, onLook };
  const change = (make) => slice && onLook((before) => ({ view: make(before.view) }));
  useEffect(() => {
    const onWheel = (event) => turnWheel(event, canvas.current, latest.current, wheel, number);
    canvas.current.addEventListener("wheel", onWheel, { passive: false }); // the page must not scroll or zoom
    return () => canvas.current?.removeEventListener("wheel", onWheel);
  }, [number]);
  const onPointerDown = (event) => {
    commands.activate(number);
    canvas.current.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (event.button === 1) event.preventDefault();
  };
  const onPointerMove = (event) => {
    if (slice) setUnder(valueAt(slice, look.view, size, event.offsetX, event.offsetY));
    const before = fingers.current.get(event.pointerId);
    if (!before) return;
    const now = { x: event.offsetX, y: event.offsetY };
    fingers.current.set(event.pointerId, now);
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
    if (other) change((view) => pinch(slice, view, size, { before, now, other }));
    else if (look.tool === "pan" || event.shiftKey || event.buttons & 6) change((view) => panBy(slice, view, size, dx, dy));
    else change((view) => dragWindow(view, dx, dy));
  };
  const lift = (event) => fingers.current.delete(event.pointerId);
  return {
    onPointerDown, onPointerMove, onPointerUp: lift, onPointerCancel: lift,
    onPointerLeave: () => setUnder(null),
    onContextMenu: (event) => event.preventDefault(),
    onDblClick: commands.fit,
  };
}

function turnWheel(event, canvas, { slice, size, commands, onLook }, wheel, number) {
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) {
    const box = canvas.getBoundingClientRect();
    const at = { x: event.clientX - box.left, y: event.clientY - box.top };
    if (slice) onLook((before) => ({ view: zoomAt(slice, before.view, size, Math.exp(-event.deltaY / 300), at) }));
    return;
  }
  wheel.current += event.deltaMode === 0 ? event.deltaY : event.deltaY * 40;
  if (Math.abs(wheel.current) < WHEEL_STEP) return; // a touch pad sends many small steps
  commands.activate(number);
  commands.step(Math.sign(wheel.current));
  wheel.current = 0;
}

function pinch(slice, view, size, { before, now, other }) {
  const reach = (point) => Math.max(8, Math.hypot(point.x - other.x, point.y - other.y));
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  const moved = panBy(slice, view, size, (now.x - before.x) / 2, (now.y - before.y) / 2);
  return zoomAt(slice, moved, size, reach(now) / reach(before), middle);
}

// Right widens the window (less contrast), up lowers the level (brighter).
function dragWindow(view, dx, dy) {
  return moveWindow(view, { shift: dy / WINDOW_DRAG, stretch: Math.exp(dx / WINDOW_DRAG) });
}

function valueAt(slice, view, size, x, y) {
  const { scale, left, top } = placeOf(slice, view, size);
  const [column, row] = [Math.floor((x - left) / scale), Math.floor((y - top) / scale)];
  if (column < 0 || row < 0 || column >= slice.width || row >= slice.height) return null;
  return { x: column, y: row, value: slice.pixels[row * slice.width + column] };
}
