import type { Header } from '../../core/log-record.ts';

/**
 * The headers of a block's records as bytes: per record that has any, its index (u32), the number of headers (u16), and
 * per header the length of the name (u16), the name, the length of the value (i32, -1 for null), the value.
 */
type BlockHeaders = readonly (readonly Header[])[];

const NONE: readonly Header[] = Object.freeze([]);

export function headerSectionLength(headers: BlockHeaders | null): number {
  let length = 0;
  for (const list of headers ?? []) {
    if (list.length === 0) continue;
    length += 6;
    for (const h of list) length += 6 + Buffer.byteLength(h.name) + (h.value?.length ?? 0);
  }
  return length;
}

export function writeHeaderSection(headers: BlockHeaders | null, into: Buffer, at: number): void {
  if (headers === null) return;
  for (const [i, list] of headers.entries()) {
    if (list.length === 0) continue;
    at = into.writeUInt32LE(i, at);
    at = into.writeUInt16LE(list.length, at);
    for (const h of list) {
      const name = into.write(h.name, at + 2);
      into.writeUInt16LE(name, at);
      at = into.writeInt32LE(h.value === null ? -1 : h.value.length, at + 2 + name);
      if (h.value !== null) {
        into.set(h.value, at);
        at += h.value.length;
      }
    }
  }
}

/** Puts the headers of a section into `out`, record i of the section at `out[base + i]`. */
export function readHeaderSection(section: Buffer, out: (readonly Header[])[], base: number): void {
  let at = 0;
  while (at < section.length) {
    const i = section.readUInt32LE(at);
    const count = section.readUInt16LE(at + 4);
    at += 6;
    const list: Header[] = [];
    for (let k = 0; k < count; k++) {
      const nameEnd = at + 2 + section.readUInt16LE(at);
      const name = section.toString('utf8', at + 2, nameEnd);
      const length = section.readInt32LE(nameEnd);
      at = nameEnd + 4;
      list.push({ name, value: length < 0 ? null : new Uint8Array(section.subarray(at, at + length)) });
      at += Math.max(0, length);
    }
    out[base + i] = list;
  }
}

/** `n` lists of no headers, to be filled where there are some. */
export function noHeaders(n: number): (readonly Header[])[] {
  return new Array<readonly Header[]>(n).fill(NONE);
}
