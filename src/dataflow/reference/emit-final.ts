import { type Change, Op } from '../../core/change.ts';
import type { EmitFinalNode } from '../../plan/plan.ts';
import { earliest, type FoldNode, type Moment } from './fold-node.ts';
import { keyOnly, keyTextOf, rowOrder } from './key-columns.ts';
import { endTime, type Window } from './windows.ts';

interface Pending {
  readonly change: Change;
  /** windowEnd + grace */
  readonly closes: number;
}

/**
 * EMIT FINAL: the last row of each window once, at the sequence that closes it, ordered by (window end, key). A window is
 * closed when windowEnd + grace <= lane time (the largest event time of the aggregate below, as its changes show it), or
 * with CLOSE AFTER when the clock has come to windowEnd + grace + closeAfter. The clock moves first, then the input's
 * changes are taken; what comes for a closed window is late.
 *
 * RETENTION: emitted rows with windowEnd + retention <= lane time are deleted, last in the sequence, by (end, key).
 */
export function emitFinal(node: EmitFinalNode, input: FoldNode): FoldNode {
  const { schema, window: spec, closeAfter } = node;
  const [startColumn = -1, endColumn = -1] = schema.key.slice(-2);
  const keyText = keyTextOf(schema);
  const order = rowOrder(schema, schema.key);
  const pending = new Map<string, Pending>();
  /** emitted rows that RETENTION will delete */
  let kept: { readonly end: number; readonly change: Change }[] = [];
  let laneTime = Number.NEGATIVE_INFINITY;

  const windowOf = ({ row }: Change): Window => ({
    start: Number(row[startColumn]),
    end: Number(row[endColumn]),
  });

  function isClosed(closes: number, now: number): boolean {
    return closes <= laneTime || (closeAfter !== null && closes + closeAfter <= now);
  }

  function emit({ now, seq }: Moment): Change[] {
    const closed = [...pending].filter(([, p]) => isClosed(p.closes, now));
    for (const [text] of closed) pending.delete(text);
    return closed
      .map(([, p]) => p)
      .sort((a, b) => a.closes - b.closes || order(a.change.row, b.change.row))
      .map(({ change }) => {
        if (spec.retention !== null) kept.push({ end: windowOf(change).end, change });
        return { ...change, seq };
      });
  }

  function expire(seq: number): Change[] {
    const { retention } = spec;
    if (retention === null) return [];
    const expired = kept.filter(k => k.end + retention <= laneTime);
    kept = kept.filter(k => !expired.includes(k));
    return expired
      .sort((a, b) => a.end - b.end || order(a.change.row, b.change.row))
      .map(({ change }) => ({ ...change, op: Op.DELETE, seq, row: keyOnly(change.row, schema) }));
  }

  function take(change: Change, moment: Moment): void {
    const window = windowOf(change);
    const closes = endTime(window, spec) + spec.grace;
    if (isClosed(closes, moment.now)) {
      // the aggregate takes away what it keeps no longer; what was emitted stays
      if (change.op === Op.DELETE) return;
      moment.ledger('late', `${node.id}: window [${window.start}, ${window.end}) was emitted`);
      return;
    }
    if (change.op === Op.DELETE) pending.delete(keyText(change.row));
    else pending.set(keyText(change.row), { change, closes });
  }

  return {
    deadline: () =>
      earliest(
        input.deadline(),
        ...(closeAfter === null ? [] : pending.values().map(p => p.closes + closeAfter)),
      ),
    step(moment) {
      const changes = input.step(moment);
      const byClock = emit(moment);
      for (const change of changes) take(change, moment);
      laneTime = Math.max(laneTime, ...changes.map(c => c.rowtime));
      return [...byClock, ...emit(moment), ...expire(moment.seq)];
    },
  };
}
