import { capacityFor } from '../core/vec.ts';
import { hashOf } from '../state/key-index.ts';
import { changeEnd, changeKey, countRowChanges, keyEnd } from '../view-store/row-changes.ts';

/** in place of where a change begins: one of the same key follows */
const OVERTAKEN = -1;

/** per change where it begins, or OVERTAKEN */
let begins = new Int32Array(0);
/** open addressing: number of a key's last change + 1 (0: none), and the hash of the key */
let table = new Int32Array(0);

/**
 * Of the changes of rows only the last of each key, in the order of the changes: the others leave nothing behind, and a
 * file that nobody reads in between need not see them.
 */
export function lastChanges(changes: Uint8Array): Uint8Array {
  const n = countRowChanges(changes);
  if (n > begins.length) begins = new Int32Array(capacityFor(n, begins.length));
  let places = 64;
  while (places < n * 2) places *= 2;
  if (places * 2 > table.length) table = new Int32Array(places * 2);
  else table.fill(0, 0, places * 2);
  const view = new DataView(changes.buffer, changes.byteOffset, changes.byteLength);
  const dropped = overtaken(view, places - 1);
  return dropped === 0 ? changes : without(changes, view, n, dropped);
}

/** Finds out which changes others of their keys follow; how many bytes those take. */
function overtaken(view: DataView, mask: number): number {
  let dropped = 0;
  for (let at = 0, i = 0; at < view.byteLength; i++) {
    const start = changeKey(at);
    const end = keyEnd(view, at);
    const hash = hashOf(0, view, start, end);
    begins[i] = at;
    let place = (hash & mask) * 2;
    for (; table[place] !== 0; place = (place + 2) & (mask * 2 + 1)) {
      if (table[place + 1] !== hash) continue;
      const other = (table[place] as number) - 1;
      const before = begins[other] as number;
      if (!isKeyAt(view, before, start, end)) continue;
      dropped += changeEnd(view, before) - before;
      begins[other] = OVERTAKEN;
      break;
    }
    table[place] = i + 1;
    table[place + 1] = hash;
    at = changeEnd(view, at);
  }
  return dropped;
}

/** Whether the change at `at` is of the key [start, end). */
function isKeyAt(view: DataView, at: number, start: number, end: number): boolean {
  const own = changeKey(at);
  const length = end - start;
  if (keyEnd(view, at) - own !== length) return false;
  let i = 0;
  while (i + 4 <= length && view.getInt32(own + i, true) === view.getInt32(start + i, true)) i += 4;
  if (i + 4 <= length) return false;
  while (i < length && view.getUint8(own + i) === view.getUint8(start + i)) i++;
  return i === length;
}

/** The changes that none has overtaken, whole stretches at a time. */
function without(changes: Uint8Array, view: DataView, n: number, dropped: number): Uint8Array {
  const kept = new Uint8Array(changes.length - dropped);
  let length = 0;
  let from = 0;
  let to = 0;
  const take = (): void => {
    kept.set(changes.subarray(from, to), length);
    length += to - from;
  };
  for (let i = 0; i < n; i++) {
    const at = begins[i] as number;
    if (at === OVERTAKEN) continue;
    if (at !== to) {
      take();
      from = at;
    }
    to = changeEnd(view, at);
  }
  take();
  return kept;
}
