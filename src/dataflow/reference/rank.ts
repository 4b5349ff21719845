import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import { rowComparator } from '../../expr/row-order.ts';
import { rowKey } from '../../expr/value-key.ts';
import type { RankNode } from '../../plan/plan.ts';
import type { FoldNode } from './fold-node.ts';
import { rowTextOf } from './key-columns.ts';

interface Entry {
  readonly row: Row;
  readonly rowtime: number;
  readonly text: string;
  readonly arrival: number;
}

/** Partitions as sorted lists; the contract stands on {@link RankNode}. */
export function rank(node: RankNode, input: FoldNode): FoldNode {
  const { columns } = node.input.schema;
  const compare = rowComparator(
    columns.map(c => c.type),
    node.order,
  );
  const textOf = rowTextOf(node.input.schema);
  const keyOf = rowKey(node.partition.map(i => columns[i]?.type ?? { kind: 'STRING' }));
  const partitions = new Map<string, Entry[]>();
  const to = node.to ?? Number.POSITIVE_INFINITY;
  let arrivals = 0;

  /** What is seen of a partition, with the numbers. */
  const seen = (entries: readonly Entry[]) =>
    entries.slice(node.from, to).map((entry, i) => ({ entry, number: node.from + i + 1 }));

  function take(change: Change): Change[] {
    const key = keyOf(node.partition.map(i => change.row[i] ?? null));
    const before = partitions.get(key) ?? [];
    const after = [...before];
    const text = textOf(change.row);
    if (change.op === Op.RETRACT) {
      const equal = before.filter(e => e.text === text).toSorted((a, b) => b.arrival - a.arrival)[0];
      if (equal === undefined) return [];
      after.splice(before.indexOf(equal), 1);
    } else {
      const { row, rowtime } = change;
      const at = before.findIndex(e => compare(e.row, row) > 0);
      after.splice(at < 0 ? before.length : at, 0, { row, rowtime, text, arrival: arrivals++ });
    }
    if (after.length === 0) partitions.delete(key);
    else partitions.set(key, after);
    const [old, now] = [seen(before), seen(after)];
    const missing = (from: typeof old, list: typeof old) =>
      from.filter(a => !list.some(b => a.entry === b.entry && (!node.numbered || a.number === b.number)));
    const given =
      (op: Op) =>
      (of: (typeof old)[number]): Change => ({
        op,
        seq: change.seq,
        rowtime: of.entry.rowtime,
        row: node.numbered ? [...of.entry.row, BigInt(of.number)] : of.entry.row,
        noValue: false,
      });
    return [...missing(old, now).map(given(Op.RETRACT)), ...missing(now, old).map(given(Op.ADD))];
  }

  return {
    deadline: () => input.deadline(),
    step: moment => input.step(moment).flatMap(take),
  };
}
