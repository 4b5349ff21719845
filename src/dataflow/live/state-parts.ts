/** The state of an engine as one block of bytes: u32 count, then per part: u32 name length, u32 length, name, bytes. */
export function encodeParts(parts: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const names = [...parts.keys()].map(name => new TextEncoder().encode(name));
  const values = [...parts.values()];
  const size = 4 + names.reduce((n, name, i) => n + 8 + name.length + (values[i]?.length ?? 0), 0);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, names.length, true);
  let at = 4;
  names.forEach((name, i) => {
    const value = values[i] as Uint8Array;
    view.setUint32(at, name.length, true);
    view.setUint32(at + 4, value.length, true);
    out.set(name, at + 8);
    out.set(value, at + 8 + name.length);
    at += 8 + name.length + value.length;
  });
  return out;
}

export function decodeParts(bytes: Uint8Array): Map<string, Uint8Array> {
  const parts = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 4;
  for (let left = view.getUint32(0, true); left > 0; left--) {
    const nameEnd = at + 8 + view.getUint32(at, true);
    const end = nameEnd + view.getUint32(at + 4, true);
    parts.set(new TextDecoder().decode(bytes.subarray(at + 8, nameEnd)), bytes.subarray(nameEnd, end));
    at = end;
  }
  return parts;
}
