import { type Change, Op } from '../../core/change.ts';
import type { TemporalFilterNode } from '../../plan/plan.ts';
import {
  type CompiledExpr,
  contextOf,
  earliest,
  type FoldNode,
  type FoldOptions,
  type Moment,
} from './fold-node.ts';
import { keyOnly, keyTextOf, rowTextOf } from './key-columns.ts';

interface Entry {
  readonly change: Change;
  readonly text: string;
  /** visible while from <= clock < until */
  readonly from: number;
  readonly until: number;
  visible: boolean;
}

/**
 * Rows that are visible while the clock is in [from, until). The clock moves first: rows leave or enter, in order of the
 * time at which they do, rows of one time in order of their arrival. Then the input's changes are applied.
 *
 * - over upsert: entering is UPSERT, leaving DELETE; a new row of a key takes the place of the old one
 * - else: entering is ADD, leaving RETRACT; a RETRACT of the input takes away the last equal row
 *
 * A row that enters and leaves between two readings of the clock was never seen. A bound that is NULL hides the row.
 */
export function temporalFilter(node: TemporalFilterNode, input: FoldNode, options: FoldOptions): FoldNode {
  const fromExpr = node.from === null ? null : options.compile(node.from);
  const untilExpr = node.until === null ? null : options.compile(node.until);
  const textOf = { keyed: keyTextOf(node.schema), whole: rowTextOf(node.schema) };
  /** entries by key (upsert) or by whole row, in order of arrival */
  const entries = new Map<string, Entry[]>();
  let arrivals: Entry[] = [];

  const leave = (entry: Entry, seq: number): Change =>
    isUpsert(entry.change)
      ? { ...entry.change, op: Op.DELETE, seq, row: keyOnly(entry.change.row, node.schema) }
      : { ...entry.change, op: Op.RETRACT, seq };

  function moveClock({ now, seq }: Moment): Change[] {
    const moved = arrivals
      .filter(entry => entry.visible !== visibleAt(entry, now))
      .map(entry => ({ entry, at: entry.visible ? entry.until : entry.from }))
      .sort((a, b) => a.at - b.at);
    const changes = moved.map(({ entry }) => {
      entry.visible = !entry.visible;
      return entry.visible ? { ...entry.change, seq } : leave(entry, seq);
    });
    for (const entry of arrivals.filter(e => !maySeeLater(e, now))) remove(entry);
    return changes;
  }

  function bound(expr: CompiledExpr | null, absent: number, change: Change, moment: Moment): number {
    if (expr === null) return absent;
    const value = expr(change.row, contextOf(change, moment, options.zone));
    // NULL: from = +infinity and until = -infinity hide the row for ever
    return value === null ? -absent : Number(value);
  }

  function add(entry: Entry): void {
    arrivals.push(entry);
    const list = entries.get(entry.text);
    if (list) list.push(entry);
    else entries.set(entry.text, [entry]);
  }

  function remove(entry: Entry): void {
    arrivals = arrivals.filter(e => e !== entry);
    const list = entries.get(entry.text)?.filter(e => e !== entry) ?? [];
    if (list.length > 0) entries.set(entry.text, list);
    else entries.delete(entry.text);
  }

  function apply(change: Change, moment: Moment): Change[] {
    const upsert = change.op === Op.UPSERT || change.op === Op.DELETE;
    const text = upsert ? textOf.keyed(change.row) : textOf.whole(change.row);
    const old = change.op === Op.ADD ? undefined : entries.get(text)?.at(-1);
    if (old !== undefined) remove(old);
    if (change.op === Op.ADD || change.op === Op.UPSERT) {
      const from = bound(fromExpr, Number.NEGATIVE_INFINITY, change, moment);
      const until = bound(untilExpr, Number.POSITIVE_INFINITY, change, moment);
      const entry: Entry = { change, text, from, until, visible: from <= moment.now && moment.now < until };
      if (maySeeLater(entry, moment.now)) add(entry);
      if (entry.visible) return [change];
    }
    if (old?.visible !== true) return [];
    const left = leave(old, moment.seq);
    return [upsert ? { ...left, rowtime: change.rowtime } : left];
  }

  return {
    deadline: () => earliest(input.deadline(), ...arrivals.map(nextMove)),
    step(moment) {
      const changes = input.step(moment);
      return [...moveClock(moment), ...changes.flatMap(change => apply(change, moment))];
    },
  };
}

function isUpsert(change: Change): boolean {
  return change.op === Op.UPSERT;
}

function visibleAt(entry: Entry, now: number): boolean {
  return entry.from <= now && now < entry.until;
}

/** Whether the entry is visible now or will be. */
function maySeeLater(entry: Entry, now: number): boolean {
  return entry.from < entry.until && now < entry.until;
}

/** When the clock alone changes the entry's visibility next. */
function nextMove(entry: Entry): number | null {
  const at = entry.visible ? entry.until : entry.from;
  return Number.isFinite(at) ? at : null;
}
