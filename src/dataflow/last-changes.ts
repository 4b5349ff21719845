import { KeyIndex } from '../state/key-index.ts';
import { changeEnd, changeKey, keyEnd } from '../view-store/row-changes.ts';

/**
 * Of the changes of rows only the last of each key, in order of their keys' first: the others leave nothing behind, and
 * a file that nobody reads in between need not see them.
 */
export function lastChanges(changes: Uint8Array): Uint8Array {
  const view = new DataView(changes.buffer, changes.byteOffset, changes.byteLength);
  const keys = new KeyIndex();
  /** per key where its last change begins */
  const last: number[] = [];
  let n = 0;
  for (let at = 0; at < changes.length; at = changeEnd(view, at)) {
    last[keys.insert(0, changes, changeKey(at), keyEnd(view, at))] = at;
    n++;
  }
  if (keys.size === n) return changes;
  let length = 0;
  for (const at of last) length += changeEnd(view, at) - at;
  const kept = new Uint8Array(length);
  length = 0;
  for (const at of last) {
    const change = changes.subarray(at, changeEnd(view, at));
    kept.set(change, length);
    length += change.length;
  }
  return kept;
}
