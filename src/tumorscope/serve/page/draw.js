// Drawing a slice on a canvas: gray values through the window, heatmap and outline over them. Pure but for the canvas.

const HEAT = [[48, 10, 84], [140, 24, 96], [216, 58, 52], [248, 128, 24], [255, 198, 40]];
const OUTLINE = "#59f2e0";
const HALO = "#000000b0";
const CRISP_FROM = 3;
/** Zoom steps that make sense: below, a slice is a dot; above, a pixel fills the screen. */
export const ZOOMS = { least: 0.25, most: 40 };

const rasters = new WeakMap();

/**
 * How slices are looked at; two panes share one.
 * `zoom` is relative to fitting the pane, (`x`, `y`) the point of the slice in the middle of it, between 0 and 1.
 * `shift` and `stretch` change each slice's own window: the level by `shift` of its widths, the width by a factor.
 */
export const RESTING = { zoom: 1, x: 0.5, y: 0.5, shift: 0, stretch: 1, isInverted: false };

const LEAST_WIDTH = 0.02;
const MOST_WIDTH = 8;
const FARTHEST = 2;

/** Move the window: the level by `shift` of the slice's own width, the width by the factor `stretch`; within what still shows something. */
export function moveWindow(view, { shift = 0, stretch = 1 }) {
  return {
    ...view,
    stretch: Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, view.stretch * stretch)),
    shift: Math.min(FARTHEST, Math.max(-FARTHEST, view.shift + shift)),
  };
}

/** The window of a slice in its own gray values. */
export function windowOf(slice, { shift, stretch }) {
  const { level, width } = slice.window;
  return { level: level + shift * width, width: Math.max(1, width * stretch) };
}

/** Where a slice lies in a pane of `width` x `height`: `{scale, left, top}`. */
export function placeOf(slice, view, { width, height }) {
  const scale = Math.min(width / slice.width, height / slice.height) * view.zoom;
  return { scale, left: width / 2 - view.x * slice.width * scale, top: height / 2 - view.y * slice.height * scale };
}

/** Zoom by a factor with the point under (`x`, `y`) of the pane kept where it is. */
export function zoomAt(slice, view, size, factor, at = { x: size.width / 2, y: size.height / 2 }) {
  const zoom = Math.min(ZOOMS.most, Math.max(ZOOMS.least, view.zoom * factor));
  const before = placeOf(slice, view, size);
  const after = before.scale * (zoom / view.zoom);
  const move = 1 / before.scale - 1 / after;
  const x = view.x + ((at.x - size.width / 2) * move) / slice.width;
  const y = view.y + ((at.y - size.height / 2) * move) / slice.height;
  return keepInside({ ...view, zoom, x, y });
}

/** Move the slice by (`dx`, `dy`) pixels of the pane. */
export function panBy(slice, view, size, dx, dy) {
  const { scale } = placeOf(slice, view, size);
  return keepInside({ ...view, x: view.x - dx / scale / slice.width, y: view.y - dy / scale / slice.height });
}

function keepInside(view) {
  const inside = (value) => Math.min(1, Math.max(0, value));
  return { ...view, x: inside(view.x), y: inside(view.y) };
}

/** How strongly heatmap and outline are drawn over a finding, `{heat, outline}`: not at all over a refused one, where they mean nothing. */
export function overlaysOf({ heat, outline }, finding) {
  const shown = ({ on, opacity }) => (on && finding?.status !== "refused" ? opacity : 0);
  return { heat: shown(heat), outline: shown(outline) };
}

/**
 * Draw a slice.
 * @param {CanvasRenderingContext2D} context of a canvas of `width` x `height`, in its own pixels
 * @param {import("./slices.js").Slice} slice
 * @param {object} view see RESTING
 * @param {{heat: number, outline: number}} overlays opacities, 0 where not shown
 * @param {{width: number, height: number, ratio?: number}} size `ratio`: pixels of the canvas in one of the page
 */
export function drawSlice(context, slice, view, overlays, { width, height, ratio = 1 }) {
  const { scale, left, top } = placeOf(slice, view, { width, height });
  const [wide, high] = [slice.width * scale, slice.height * scale];
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingEnabled = scale < CRISP_FROM * ratio;
  context.imageSmoothingQuality = "high";
  context.drawImage(grayOf(slice, view), left, top, wide, high);
  if (overlays.heat > 0) {
    context.imageSmoothingEnabled = true;
    context.globalAlpha = overlays.heat;
    context.drawImage(heatOf(slice), left, top, wide, high);
  }
  if (overlays.outline > 0) drawOutlines(context, slice.outlines, { scale, left, top }, overlays.outline, ratio);
  context.globalAlpha = 1;
}

function drawOutlines(context, outlines, { scale, left, top }, opacity, ratio) {
  context.globalAlpha = opacity;
  context.lineJoin = "round";
  for (const [color, width] of [[HALO, 4], [OUTLINE, 1.75]]) {
    context.strokeStyle = color;
    context.lineWidth = width * ratio;
    for (const points of outlines) {
      context.beginPath();
      for (const [x, y] of points) context.lineTo(left + (x + 0.5) * scale, top + (y + 0.5) * scale);
      context.closePath();
      context.stroke();
    }
  }
}

// The gray raster is made anew only where the window changed; zoom and pan only place it.
function grayOf(slice, view) {
  const { level, width } = windowOf(slice, view);
  const key = `${level} ${width} ${view.isInverted}`;
  const known = rasters.get(slice) ?? {};
  if (known.key === key) return known.gray;
  const gray = known.gray ?? new OffscreenCanvas(slice.width, slice.height);
  const image = new ImageData(slice.width, slice.height);
  const table = grayTable(2 ** slice.depth, level, width, view.isInverted);
  const target = new Uint32Array(image.data.buffer);
  const { pixels } = slice;
  for (let at = 0; at < pixels.length; at++) target[at] = table[pixels[at]];
  gray.getContext("2d").putImageData(image, 0, 0);
  rasters.set(slice, { ...known, key, gray });
  return gray;
}

function grayTable(values, level, width, isInverted) {
  const table = new Uint32Array(values);
  for (let value = 0; value < values; value++) {
    const share = Math.min(1, Math.max(0, (value - level) / width + 0.5));
    const gray = Math.round(255 * (isInverted ? 1 - share : share));
    table[value] = 0xff000000 | (gray << 16) | (gray << 8) | gray;
  }
  return table;
}

function heatOf(slice) {
  const known = rasters.get(slice) ?? {};
  if (known.heat) return known.heat;
  const { width, height, pixels } = slice.heat;
  const image = new ImageData(width, height);
  pixels.forEach((strength, at) => image.data.set([...heatColor(strength / 255), strength], 4 * at));
  const heat = new OffscreenCanvas(width, height);
  heat.getContext("2d").putImageData(image, 0, 0);
  rasters.set(slice, { ...known, heat });
  return heat;
}

function heatColor(share) {
  const at = share * (HEAT.length - 1);
  const low = Math.min(HEAT.length - 2, Math.floor(at));
  return HEAT[low].map((value, channel) => value + (HEAT[low + 1][channel] - value) * (at - low));
}
