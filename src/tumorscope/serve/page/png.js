// Gray PNG files with all of their bits. A canvas would give 8 bits of a 16-bit picture, and values that a color profile bent.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GRAY = 0;

/**
 * Decode a gray PNG of 8 or 16 bits, not interlaced, as the server writes them.
 * @param {Uint8Array} bytes of the file.
 * @returns {Promise<{width: number, height: number, depth: 8|16, pixels: Uint8Array|Uint16Array}>}
 */
export async function decodeGray(bytes) {
  if (SIGNATURE.some((value, at) => bytes[at] !== value)) throw new Error("not a PNG file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const [depth, color, , , interlaced] = bytes.subarray(24, 29);
  if (color !== GRAY || interlaced || (depth !== 8 && depth !== 16)) throw new Error("not a plain gray PNG");
  const lines = await inflate(dataOf(bytes, view));
  const sample = depth / 8;
  const raw = unfilter(lines, width * sample, height, sample);
  return { width, height, depth, pixels: depth === 8 ? raw : joinBytes(raw) };
}

function dataOf(bytes, view) {
  const parts = [];
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (kind === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return new Blob(parts);
}

async function inflate(blob) {
  const stream = blob.stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Each line begins with the number of its filter: none, left, up, mean of both, or Paeth's choice (PNG, third edition, 9.2).
function unfilter(lines, stride, height, sample) {
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (stride + 1)];
    const from = y * (stride + 1) + 1;
    const to = y * stride;
    for (let x = 0; x < stride; x++) {
      const left = x >= sample ? out[to + x - sample] : 0;
      const up = y > 0 ? out[to + x - stride] : 0;
      const corner = x >= sample && y > 0 ? out[to + x - stride - sample] : 0;
      out[to + x] = lines[from + x] + guess(filter, left, up, corner);
    }
  }
  return out;
}

function guess(filter, left, up, corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const [byLeft, byUp, byCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

function joinBytes(raw) {
  const joined = new Uint16Array(raw.length / 2);
  for (let at = 0; at < joined.length; at++) joined[at] = (raw[2 * at] << 8) | raw[2 * at + 1];
  return joined;
}
