import { fail } from './decode-error.ts';

/** The window of a windowed key, ms. */
export interface KeyWindow {
  readonly start: number;
  readonly end: number;
}

export type WindowKind = 'tumbling' | 'hopping' | 'session';

/**
 * A windowed key in a topic, as Kafka Streams writes it: the key's bytes, then the window's start (8 bytes, big-endian);
 * for a session its end and its start. The end of a time window is start + size, known from the declaration only.
 */
export function splitWindowedKey(
  bytes: Uint8Array,
  kind: WindowKind,
  size: number | null,
): { readonly key: Uint8Array; readonly window: KeyWindow } {
  const tail = kind === 'session' ? 16 : 8;
  if (bytes.length < tail) return fail(`windowed key of ${bytes.length} bytes is too short`);
  const cut = bytes.length - tail;
  const view = new DataView(bytes.buffer, bytes.byteOffset + cut, tail);
  const key = bytes.subarray(0, cut);
  if (kind === 'session') {
    return { key, window: { end: Number(view.getBigInt64(0)), start: Number(view.getBigInt64(8)) } };
  }
  const start = Number(view.getBigInt64(0));
  return { key, window: { start, end: start + (size ?? 0) } };
}

export function joinWindowedKey(key: Uint8Array | null, kind: WindowKind, window: KeyWindow): Uint8Array {
  const head = key?.length ?? 0;
  const bytes = new Uint8Array(head + (kind === 'session' ? 16 : 8));
  if (key) bytes.set(key);
  const view = new DataView(bytes.buffer, head);
  if (kind === 'session') {
    view.setBigInt64(0, BigInt(window.end));
    view.setBigInt64(8, BigInt(window.start));
  } else {
    view.setBigInt64(0, BigInt(window.start));
  }
  return bytes;
}
