/** LZ4 frames, one after the other. Format: lz4/doc/lz4_Frame_format.md and lz4_Block_format.md. Checksums are not looked at. */
const MAGIC = 0x184d2204;

export function lz4Decompress(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let out = new Uint8Array(Math.max(1024, bytes.length * 4));
  let to = 0;
  let at = 0;
  while (at < bytes.length) {
    if (view.getUint32(at, true) !== MAGIC) throw new Error('this is no LZ4 frame');
    const flags = bytes[at + 4]!;
    const blockChecksum = (flags & 0x10) !== 0 ? 4 : 0;
    const contentSize = (flags & 0x08) !== 0 ? 8 : 0;
    const contentChecksum = (flags & 0x04) !== 0 ? 4 : 0;
    const dictionary = (flags & 0x01) !== 0 ? 4 : 0;
    at += 7 + contentSize + dictionary;
    for (;;) {
      const size = view.getUint32(at, true);
      at += 4;
      if (size === 0) break;
      const length = size & 0x7fffffff;
      const block = bytes.subarray(at, at + length);
      if (size >= 0x80000000) {
        out = withRoom(out, to + length);
        out.set(block, to);
        to += length;
      } else ({ out, to } = decodeBlock(block, out, to));
      at += length + blockChecksum;
    }
    at += contentChecksum;
  }
  return out.subarray(0, to);
}

function decodeBlock(block: Uint8Array, out: Uint8Array<ArrayBuffer>, to: number) {
  let at = 0;
  const more = (length: number): number => {
    if (length !== 15) return length;
    for (;;) {
      const byte = block[at++];
      if (byte === undefined) throw new Error('an LZ4 block is cut off');
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = more(token >> 4);
    out = withRoom(out, to + literals);
    out.set(block.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at >= block.length) break;
    const back = block[at]! | (block[at + 1]! << 8);
    at += 2;
    const length = more(token & 15) + 4;
    if (back === 0 || back > to) throw new Error('an LZ4 block points before its beginning');
    out = withRoom(out, to + length);
    // byte by byte: what is copied may be what was just written
    for (const end = to + length; to < end; to++) out[to] = out[to - back]!;
  }
  return { out, to };
}

function withRoom(out: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  if (length <= out.length) return out;
  const grown = new Uint8Array(Math.max(length, out.length * 2));
  grown.set(out);
  return grown;
}
