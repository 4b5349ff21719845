import type { Batch, Vec } from '../core/batch.ts';
import { makeBits, setBit } from '../core/bits.ts';
import { isNullAt, selectedRows } from '../core/vec.ts';

/** The column with NULL in the selected rows for which `given` is false; itself, when they are NULL already. */
export function maskedColumn(vec: Vec, batch: Batch, given: (row: number) => boolean): Vec {
  const hidden: number[] = [];
  for (const i of selectedRows(batch)) if (!given(i) && !isNullAt(vec, i)) hidden.push(i);
  if (hidden.length === 0) return vec;
  if (vec.t === 'val') {
    const v = [...vec.v];
    for (const i of hidden) v[i] = null;
    return { t: 'val', v };
  }
  const nulls = makeBits(batch.n);
  if (vec.nulls !== null) nulls.set(vec.nulls.subarray(0, nulls.length));
  for (const i of hidden) setBit(nulls, i);
  return { ...vec, nulls };
}
