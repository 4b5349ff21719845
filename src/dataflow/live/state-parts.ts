import type { StateParts } from '../dataflow.ts';

/** The state of an engine as one block of bytes: u32 count, then per part: u32 name length, u32 length, name, bytes. */
export function encodeParts(parts: StateParts): Uint8Array {
  const entries = [...parts].flatMap(([name, list]) => {
    const bytes = new TextEncoder().encode(name);
    return list.map(part => ({ name: bytes, part }));
  });
  const out = new Uint8Array(entries.reduce((n, { name, part }) => n + 8 + name.length + part.length, 4));
  const view = new DataView(out.buffer);
  view.setUint32(0, entries.length, true);
  let at = 4;
  for (const { name, part } of entries) {
    view.setUint32(at, name.length, true);
    view.setUint32(at + 4, part.length, true);
    out.set(name, at + 8);
    out.set(part, at + 8 + name.length);
    at += 8 + name.length + part.length;
  }
  return out;
}

export function decodeParts(bytes: Uint8Array): Map<string, Uint8Array[]> {
  const parts = new Map<string, Uint8Array[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 4;
  for (let left = view.getUint32(0, true); left > 0; left--) {
    const nameEnd = at + 8 + view.getUint32(at, true);
    const end = nameEnd + view.getUint32(at + 4, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 8, nameEnd));
    const list = parts.get(name) ?? [];
    parts.set(name, list);
    list.push(bytes.subarray(nameEnd, end));
    at = end;
  }
  return parts;
}
