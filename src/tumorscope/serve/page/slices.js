// The layers of findings, decoded for drawing; the few that were looked at last are kept.
import { useEffect, useState } from "./dom.js";
import { decodeGray } from "./png.js";

const KEPT = 8;
const THUMB = 96;
const CUT = 0.005;
const DIM = 100;

const opened = new Map();

/**
 * A slice ready to be drawn.
 * @typedef {object} Slice
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {8|16} depth bits of a value
 * @property {Uint8Array|Uint16Array} pixels row by row
 * @property {{level: number, width: number}} window in which it is shown at first
 * @property {{width: number, height: number, pixels: Uint8Array}} heat how strongly each place speaks for `shown`
 * @property {[number, number][][]} outlines in pixels of the slice
 * @property {string} shown the class that the heatmap is of
 *
 * @typedef {{width: number, height: number, grays: Uint8ClampedArray}} Thumb
 */

/** Base64 strings of the server as blobs, which the browser may keep outside its memory. */
export function packLayers(layers) {
  return layers && { ...layers, picture: toBlob(layers.picture), heatmap: toBlob(layers.heatmap) };
}

/** The decoded slice number `index` of an entry, or null while it is decoded. */
export function useSlice(entry, index) {
  const layers = entry?.layers[index] ?? null;
  const [slice, setSlice] = useState(null);
  useEffect(() => {
    let isWanted = true;
    if (layers) openSlice(layers).then((found) => isWanted && setSlice({ layers, found }));
    return () => (isWanted = false);
  }, [layers]);
  return slice?.layers === layers && layers ? slice.found : null;
}

/** Decode layers, or take them from those that are kept. @returns {Promise<Slice>} */
export function openSlice(layers) {
  const known = opened.get(layers) ?? decode(layers);
  opened.delete(layers);
  opened.set(layers, known); // the last in the map is the youngest
  while (opened.size > KEPT) opened.delete(opened.keys().next().value);
  return known;
}

/** A small picture of a slice with its contrast spread, a byte a pixel since there may be thousands. @returns {Promise<Thumb>} */
export async function makeThumb(layers) {
  const long = Math.max(layers.width, layers.height);
  const size = (side) => Math.max(1, Math.round((side / long) * THUMB));
  const [width, height] = [size(layers.width), size(layers.height)];
  const shrunk = { resizeWidth: width, resizeHeight: height, resizeQuality: "high" };
  const bitmap = await createImageBitmap(layers.picture, shrunk);
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const image = context.getImageData(0, 0, width, height);
  const grays = image.data.filter((_, at) => at % 4 === 0);
  const { level, width: spread } = restingWindow(grays, 8);
  return { width, height, grays: grays.map((gray) => ((gray - level) / spread + 0.5) * 255) };
}

/** Draw what makeThumb made on a canvas of its size. */
export function drawThumb(context, { width, height, grays }) {
  const image = new ImageData(width, height);
  grays.forEach((gray, at) => image.data.set([gray, gray, gray, 255], 4 * at));
  context.putImageData(image, 0, 0);
}

async function decode(layers) {
  const gray = async (blob) => decodeGray(new Uint8Array(await blob.arrayBuffer()));
  const [picture, heat] = await Promise.all([gray(layers.picture), gray(layers.heatmap)]);
  const window = restingWindow(picture.pixels, picture.depth);
  return { ...picture, heat, window, outlines: layers.outlines, shown: layers.class };
}

// 8-bit pictures are shown as they were saved, unless they are so dark that nobody meant them so.
function restingWindow(pixels, depth) {
  const middle = middleWindow(pixels, depth);
  const isMeantSo = depth === 8 && middle.level + middle.width / 2 >= DIM;
  return isMeantSo ? { level: 127.5, width: 255 } : middle;
}

function middleWindow(pixels, depth) {
  const counts = new Uint32Array(2 ** depth);
  for (const value of pixels) counts[value]++;
  const low = quantile(counts, pixels.length * CUT);
  const high = quantile(counts, pixels.length * (1 - CUT));
  return { level: (low + high) / 2, width: Math.max(1, high - low) };
}

function quantile(counts, wanted) {
  let seen = 0;
  for (let value = 0; value < counts.length; value++) {
    seen += counts[value];
    if (seen >= wanted) return value;
  }
  return counts.length - 1;
}

function toBlob(base64) {
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "image/png" });
}
