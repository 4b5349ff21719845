import type { SqlType } from '../../core/sql-type.ts';
import { arrayOf, BIGINT, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { NullableComparator } from '../compare.ts';

/** A value and how often it is there; the state form of one entry. */
export type Entry = [value: Value | null, count: bigint];

/** State type of values with counts. */
export function multisetOf(type: SqlType): SqlType {
  return arrayOf(
    structOf([
      { name: 'V', type },
      { name: 'N', type: BIGINT },
    ]),
  );
}

/** The entries of a state that its owner may change in place. */
export function entriesOf(acc: Value | null): Entry[] {
  return acc as unknown as Entry[];
}

/** Adds `count` (may be negative) of a value to entries in ascending order; what is there no more disappears. */
export function countSorted(
  entries: Entry[],
  value: Value | null,
  { count, compare }: { readonly count: bigint; readonly compare: NullableComparator },
): void {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(entries[middle]?.[0] ?? null, value) < 0) low = middle + 1;
    else high = middle;
  }
  const found = entries[low];
  if (found && compare(found[0], value) === 0) {
    if (found[1] + count > 0n) found[1] += count;
    else entries.splice(low, 1);
  } else if (count > 0n) {
    entries.splice(low, 0, [value, count]);
  }
}

/** As {@link countSorted} for entries in the order in which they first came. */
export function countUnsorted(
  entries: Entry[],
  value: Value | null,
  { count, compare }: { readonly count: bigint; readonly compare: NullableComparator },
): void {
  const at = entries.findIndex(e => compare(e[0], value) === 0);
  const found = entries[at];
  if (!found) {
    if (count > 0n) entries.push([value, count]);
  } else if (found[1] + count > 0n) {
    found[1] += count;
  } else {
    entries.splice(at, 1);
  }
}
