import { type Change, Op } from '../../core/change.ts';
import type { Row, Value } from '../../core/value.ts';
import { sameness } from '../../expr/compare.ts';
import { placeAgainst } from '../../expr/frame-order.ts';
import { rowComparator } from '../../expr/row-order.ts';
import { rowKey } from '../../expr/value-key.ts';
import type { FrameOffset } from '../../expr/window-function.ts';
import type { OverNode } from '../../plan/plan.ts';
import type { FoldNode, FoldOptions } from './fold-node.ts';
import { rowTextOf } from './key-columns.ts';
import { windowResults } from './window-results.ts';

interface Entry {
  readonly row: Row;
  readonly rowtime: number;
  readonly text: string;
  readonly arrival: number;
  results: readonly (Value | null)[];
}

/** Partitions as sorted lists whose results are computed anew at each change; the contract stands on {@link OverNode}. */
export function over(node: OverNode, input: FoldNode, options: FoldOptions): FoldNode {
  const { columns } = node.input.schema;
  const types = columns.map(c => c.type);
  const compare = rowComparator(types, node.order);
  const [first] = node.order;
  const against = first === undefined ? () => 0 : placeAgainst(types, first);
  const cells = (row: Row) => (column: number) => row[column] ?? null;
  const place = (row: Row, from: Row, offset: FrameOffset) => against(cells(row), cells(from), offset);
  const textOf = rowTextOf(node.input.schema);
  const keyOf = rowKey(node.partition.map(i => types[i] ?? { kind: 'STRING' }));
  const compute = node.functions.map(f => windowResults(f, columns, options));
  const equals = node.functions.map(f => sameness(f.type));
  const partitions = new Map<string, Entry[]>();
  let arrivals = 0;

  const sameAt = (i: number, x: Value | null, y: Value | null): boolean =>
    x === null || y === null ? x === y : (equals[i]?.(x, y) ?? false);
  const same = (a: Entry['results'], b: Entry['results']): boolean =>
    equals.every((_, i) => sameAt(i, a[i] ?? null, b[i] ?? null));

  const given = (op: Op, { row, rowtime }: Entry, results: Entry['results'], seq: number): Change => ({
    op,
    seq,
    rowtime,
    row: [...row, ...results],
    noValue: false,
  });

  function take(change: Change): Change[] {
    const { row, rowtime, seq } = change;
    const key = keyOf(node.partition.map(i => row[i] ?? null));
    const before = partitions.get(key) ?? [];
    const after = [...before];
    const text = textOf(row);
    if (change.op === Op.RETRACT) {
      const equal = before.filter(e => e.text === text).toSorted((a, b) => b.arrival - a.arrival)[0];
      if (equal === undefined) return [];
      after.splice(before.indexOf(equal), 1);
    } else {
      const at = before.findIndex(e => compare(e.row, row) > 0);
      const entry = { row, rowtime, text, arrival: arrivals++, results: [] };
      after.splice(at < 0 ? before.length : at, 0, entry);
    }
    if (after.length === 0) partitions.delete(key);
    else partitions.set(key, after);
    const rows = after.map(e => e.row);
    const isPeer = (a: Row, b: Row) => compare(a, b) === 0;
    const results = compute.map(each => each({ rows, isPeer, place }));
    const now = new Map(after.map((entry, i) => [entry, results.map(r => r[i] ?? null)]));
    const changed = (entry: Entry): boolean => {
      const next = now.get(entry);
      return next === undefined || !before.includes(entry) || !same(entry.results, next);
    };
    const gone = before.filter(changed).map(entry => given(Op.RETRACT, entry, entry.results, seq));
    const come = after.filter(changed).map(entry => {
      const [old, next] = [entry.results, now.get(entry) ?? []];
      entry.results = next.map((value, i) =>
        i < old.length && sameAt(i, old[i] ?? null, value) ? (old[i] ?? null) : value,
      );
      return given(Op.ADD, entry, entry.results, seq);
    });
    return [...gone, ...come];
  }

  return {
    deadline: () => input.deadline(),
    step: moment => input.step(moment).flatMap(take),
  };
}
