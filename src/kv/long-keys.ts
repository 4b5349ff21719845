import type { KeyValueEntry } from './key-value-store.ts';
import { compareBytes } from './sorted-map.ts';

/**
 * LMDB's keys have at most 1978 bytes. Entries with longer keys that begin with the same 1900 bytes share one *bucket*:
 * an entry under these bytes and a 00. It sorts exactly where they belong, and holds what remains of each key, in order.
 * A plain key is shorter than a bucket's, so the two never meet.
 */
export const LONGEST_PLAIN_KEY = 1900;

export function isLong(key: Uint8Array): boolean {
  return key.length > LONGEST_PLAIN_KEY;
}

export function isBucket(key: Uint8Array): boolean {
  return key.length > LONGEST_PLAIN_KEY;
}

export function bucketKey(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(LONGEST_PLAIN_KEY + 1);
  out.set(key.subarray(0, LONGEST_PLAIN_KEY));
  return out;
}

/** The entries of a bucket under their whole keys, in order. Per entry: length of the rest and of the value (u32), both. */
export function bucketEntries(key: Uint8Array, bucket: Uint8Array): KeyValueEntry[] {
  const entries: KeyValueEntry[] = [];
  const view = new DataView(bucket.buffer, bucket.byteOffset, bucket.byteLength);
  for (let at = 0; at < bucket.length; ) {
    const rest = view.getUint32(at, true);
    const value = view.getUint32(at + 4, true);
    const whole = new Uint8Array(LONGEST_PLAIN_KEY + rest);
    whole.set(key.subarray(0, LONGEST_PLAIN_KEY));
    whole.set(bucket.subarray(at + 8, at + 8 + rest), LONGEST_PLAIN_KEY);
    at += 8 + rest;
    entries.push({ key: whole, value: bucket.subarray(at, at + value) });
    at += value;
  }
  return entries;
}

/** A bucket with this key set or, with null, removed. Null when nothing is left. */
export function changedBucket(
  bucket: Uint8Array | null,
  key: Uint8Array,
  value: Uint8Array | null,
): Uint8Array | null {
  const entries = bucket === null ? [] : bucketEntries(bucketKey(key), bucket);
  const kept = entries.filter(e => compareBytes(e.key, key) !== 0);
  if (value !== null) kept.push({ key, value });
  kept.sort((a, b) => compareBytes(a.key, b.key));
  if (kept.length === 0) return null;
  const parts = kept.flatMap(e => {
    const rest = e.key.subarray(LONGEST_PLAIN_KEY);
    const lengths = new Uint8Array(8);
    new DataView(lengths.buffer).setUint32(0, rest.length, true);
    new DataView(lengths.buffer).setUint32(4, e.value.length, true);
    return [lengths, rest, e.value];
  });
  return new Uint8Array(Buffer.concat(parts));
}
