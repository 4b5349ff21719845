import type { Batch } from '../core/batch.ts';
import type { Epoch } from './operator.ts';

/** One sequence of an epoch in which an operator has something to do: rows [from, to) of the order of a batch. */
export interface Moment {
  readonly seq: number;
  readonly now: number;
  readonly batch: Batch | null;
  readonly from: number;
  readonly to: number;
}

/**
 * The sequences of an epoch at which rows arrive or the clock reaches `due()` (asked again after each one), in order.
 * For operators that the clock moves: it moves first, then the rows of the sequence are taken.
 */
export function* moments(epoch: Epoch, input: readonly Batch[], due: () => number): Iterable<Moment> {
  let next = 0;
  for (const batch of input) {
    const n = batch.sel === null ? batch.n : batch.sel.length;
    for (let from = 0; from < n; ) {
      const seq = seqAt(batch, from);
      let to = from + 1;
      while (to < n && seqAt(batch, to) === seq) to++;
      yield* clockMoments(epoch, next, seq - epoch.firstSeq, due);
      yield { seq, now: epoch.appendTime[seq - epoch.firstSeq] as number, batch, from, to };
      next = seq - epoch.firstSeq + 1;
      from = to;
    }
  }
  yield* clockMoments(epoch, next, epoch.n, due);
}

/** The sequences in [next, end) at which the clock has come to `due()`. */
function* clockMoments(epoch: Epoch, next: number, end: number, due: () => number): Iterable<Moment> {
  while (next < end) {
    const at = firstAtOrAfter(epoch.appendTime, next, end, due());
    if (at >= end) return;
    yield { seq: epoch.firstSeq + at, now: epoch.appendTime[at] as number, batch: null, from: 0, to: 0 };
    next = at + 1;
  }
}

/** Binary search: the clock never decreases. */
function firstAtOrAfter(times: Float64Array, from: number, to: number, time: number): number {
  if (from >= to || (times[to - 1] as number) < time) return to;
  let low = from;
  let high = to - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) >= time) high = middle;
    else low = middle + 1;
  }
  return low;
}

function seqAt(batch: Batch, k: number): number {
  return batch.seq[batch.sel === null ? k : (batch.sel[k] as number)] as number;
}

/** Physical row k of the order of a batch. */
export function rowIn(batch: Batch, k: number): number {
  return batch.sel === null ? k : (batch.sel[k] as number);
}
