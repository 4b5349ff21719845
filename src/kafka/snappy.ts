/**
 * Snappy as Kafka's clients write it: either one raw block, or the frames of Java's snappy ("xerial"): a header of 16 bytes,
 * then blocks, each after its length. Format: google/snappy, format_description.txt.
 */
const XERIAL = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0);

export function snappyDecompress(bytes: Uint8Array): Uint8Array {
  if (!XERIAL.every((byte, i) => bytes[i] === byte)) return rawBlock(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks: Uint8Array[] = [];
  for (let at = 16; at < bytes.length; ) {
    const length = view.getInt32(at);
    blocks.push(rawBlock(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

function rawBlock(bytes: Uint8Array): Uint8Array {
  let at = 0;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? fail();
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const out = new Uint8Array(size);
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const width = length - 60;
        length = littleEndian(bytes, at, width) + 1;
        at += width;
      }
      out.set(bytes.subarray(at, at + length), to);
      at += length;
      to += length;
      continue;
    }
    let length = (tag >> 2) + 1;
    let back: number;
    if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4;
      back = ((tag >> 5) << 8) | (bytes[at++] ?? fail());
    } else {
      const width = (tag & 3) === 2 ? 2 : 4;
      back = littleEndian(bytes, at, width);
      at += width;
    }
    if (back === 0 || back > to) fail();
    // byte by byte: what is copied may be what was just written
    for (const end = to + length; to < end; to++) out[to] = out[to - back]!;
  }
  if (to !== size) fail();
  return out;
}

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? fail());
  return value;
}

function fail(): never {
  throw new Error('a snappy block is cut off or damaged');
}
