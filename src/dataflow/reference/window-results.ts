import { unreachable } from '../../core/assert.ts';
import type { Row, Value } from '../../core/value.ts';
import type { EvalContext } from '../../expr/functions.ts';
import {
  type FrameOffset,
  isNeighbour,
  isPick,
  isRank,
  type RankFunction,
  type WindowFunction,
} from '../../expr/window-function.ts';
import type { FoldOptions } from './fold-node.ts';

/** The rows of a partition in order, and which of them the order does not tell apart. */
interface Partition {
  readonly rows: readonly Row[];
  readonly isPeer: (a: Row, b: Row) => boolean;
  /** where a row stands to the point so far from another */
  readonly place: (row: Row, from: Row, offset: FrameOffset) => number;
}

/** Values that cannot be computed are NULL; nothing is counted, since the same values are computed again and again. */
const SILENT: EvalContext = { now: 0, rowtime: 0, seq: 0, zone: 'UTC', fail: () => null };

/** The result of a window function for every row of a partition, by its definition. */
export function windowResults(
  call: WindowFunction,
  types: readonly { readonly type: WindowFunction['type'] }[],
  options: FoldOptions,
): (partition: Partition) => readonly (Value | null)[] {
  const { fn, args, constants } = call;
  const n = Number(constants[0] ?? 1);
  if (isRank(fn)) return partition => partition.rows.map((_, at) => rankOf(fn, partition, at, n));
  if (isNeighbour(fn)) {
    const away = fn === 'LAG' ? -n : n;
    return ({ rows }) =>
      rows.map((row, at) => {
        const found = rows[at + away];
        return found === undefined ? cell(row, args[1]) : cell(found, args[0]);
      });
  }
  if (isPick(fn)) {
    return partition =>
      partition.rows.map((_, at) => {
        const frame = frameOf(call, partition, at);
        const row = fn === 'LAST_VALUE' ? frame.at(-1) : frame[fn === 'NTH_VALUE' ? n - 1 : 0];
        return row === undefined ? null : cell(row, args[0]);
      });
  }
  const argTypes = args.map(i => types[i]?.type ?? call.type);
  const plain = options.functions.aggregate(fn, argTypes, call.type, constants);
  const fold = plain.retracting ?? plain;
  return partition =>
    partition.rows.map((_, at) => {
      const rows = frameOf(call, partition, at).filter(
        row => call.filter === null || cell(row, call.filter) === true,
      );
      const acc = rows.reduce<Value | null>(
        (sum, row) =>
          fold.add(
            sum,
            args.map(i => cell(row, i)),
            SILENT,
          ),
        fold.init(),
      );
      return fold.result(acc);
    });
}

function cell(row: Row, column: number | undefined): Value | null {
  return column === undefined ? null : (row[column] ?? null);
}

function rankOf(fn: RankFunction, { rows, isPeer }: Partition, at: number, n: number): Value {
  const row = rows[at] as Row;
  const first = rows.findIndex(other => isPeer(other, row));
  const last = rows.findLastIndex(other => isPeer(other, row));
  switch (fn) {
    case 'RANK':
      return BigInt(first + 1);
    case 'DENSE_RANK': {
      const groups = rows.slice(0, first + 1).filter((other, i) => {
        const before = rows[i - 1];
        return before === undefined || !isPeer(before, other);
      });
      return BigInt(groups.length);
    }
    case 'PERCENT_RANK':
      return rows.length === 1 ? 0 : first / (rows.length - 1);
    case 'CUME_DIST':
      return (last + 1) / rows.length;
    case 'NTILE': {
      // the first groups have one row more
      const [size, more] = [Math.floor(rows.length / n), rows.length % n];
      const large = more * (size + 1);
      return at < large ? Math.floor(at / (size + 1)) + 1 : more + Math.floor((at - large) / size) + 1;
    }
    default:
      return unreachable(fn);
  }
}

function frameOf({ frame }: WindowFunction, partition: Partition, at: number): readonly Row[] {
  const { rows, isPeer, place } = partition;
  if (frame === null) return rows;
  const row = rows[at] as Row;
  if (frame.unit === 'values') {
    const { from, to } = frame;
    return rows.filter(
      other => (from === null || place(other, row, from) >= 0) && (to === null || place(other, row, to) <= 0),
    );
  }
  if (frame.unit === 'groups') {
    const own = groupOf(partition, row);
    return rows.filter(other => {
      const away = groupOf(partition, other) - own;
      return (frame.from === null || away >= frame.from) && (frame.to === null || away <= frame.to);
    });
  }
  const ranged = frame.unit === 'range';
  const begin = ranged ? rows.findIndex(other => isPeer(other, row)) : at;
  const end = ranged ? rows.findLastIndex(other => isPeer(other, row)) : at;
  const from = frame.from === null ? 0 : Math.max(0, begin + frame.from);
  const to = frame.to === null ? rows.length : Math.max(from, end + frame.to + 1);
  return rows.slice(from, to);
}

/** How many groups of rows that the order does not tell apart stand before a row's own. */
function groupOf({ rows, isPeer }: Partition, row: Row): number {
  const own = rows.findIndex(other => isPeer(other, row));
  return rows.slice(0, own).filter((other, i) => !isPeer(other, rows[i + 1] as Row)).length;
}
