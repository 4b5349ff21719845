import { assert } from '../core/assert.ts';
import type { SqlType } from '../core/sql-type.ts';
import { sameType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { vecKind } from '../core/vec.ts';
import { canFail } from '../expr/can-fail.ts';
import type { Expr } from '../expr/expr.ts';
import type { EquiSide } from './equi-side.ts';

/** rows of a key from which on an order of them pays */
const WORTH = 4;

type Bound = '<' | '<=' | '>' | '>=';

/** A comparison that every pair of rows satisfies: a column of the left row, `op`, a column of the right row. */
export interface JoinRange {
  readonly left: number;
  readonly right: number;
  readonly op: Bound;
}

const TURNED: Readonly<Record<Bound, Bound>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** The first such comparison among what must be true of a joined row; null: there is none. */
export function rangeOf(condition: Expr | null, leftWidth: number): JoinRange | null {
  // pairs that are not looked at cannot be counted as failed
  if (condition === null || canFail(condition)) return null;
  if (condition.node === 'and')
    return rangeOf(condition.left, leftWidth) ?? rangeOf(condition.right, leftWidth);
  if (condition.node !== 'compare' || !isBound(condition.op)) return null;
  const { left, right, op } = condition;
  if (left.node !== 'column' || right.node !== 'column') return null;
  if (!sameType(left.type, right.type) || !isOrdered(left.type)) return null;
  const [a, b] = [left.index, right.index];
  if (a < leftWidth && b >= leftWidth) return { left: a, right: b - leftWidth, op };
  return b < leftWidth && a >= leftWidth ? { left: b, right: a - leftWidth, op: TURNED[op] } : null;
}

function isBound(op: string): op is Bound {
  return op in TURNED;
}

/** Types whose values compare as JavaScript compares them. */
function isOrdered(type: SqlType): boolean {
  const kind = vecKind(type);
  return (kind === 'i32' && type.kind !== 'BOOLEAN') || kind === 'i64' || type.kind === 'TIMESTAMP';
}

/** Of the side in whose rows is looked: which column, and how it compares with the other side's value. */
export function boundOf({ left, right, op }: JoinRange, side: 'left' | 'right') {
  return side === 'left' ? { column: left, op } : { column: right, op: TURNED[op] };
}

/**
 * The rows of join keys in the order of a column, so that those beyond a bound need not be looked at. In memory only: made
 * when a key with many rows is first asked for.
 */
export class OrderedRows {
  readonly #side: EquiSide;
  readonly #column: number;
  readonly #op: Bound;
  /** by slot of the join key; rows with NULL are in none */
  readonly #orders = new Map<number, number[]>();
  #rows = 0;

  constructor(side: EquiSide, { column, op }: { readonly column: number; readonly op: Bound }) {
    this.#side = side;
    this.#column = column;
    this.#op = op;
  }

  /** Rows of a key that may meet a row with this value, in order of arrival; all others do not meet it. */
  meeting(key: number, value: Value | null): readonly number[] {
    if (value === null) return [];
    const order = this.#orders.get(key) ?? this.#made(key);
    if (!Array.isArray(order)) return order.all;
    const above = this.#op === '>' || this.#op === '>=';
    // where the rows above begin, or those below end
    const at = this.#place(order, value, this.#op === '>' || this.#op === '<=');
    const found = above ? order.slice(at) : order.slice(0, at);
    return found.length < 2 ? found : this.#side.inOrderOfArrival(found);
  }

  #made(key: number): number[] | { readonly all: readonly number[] } {
    const all = this.#side.meeting(key);
    if (all.length < WORTH) return { all };
    const order = all.filter(slot => this.#valueOf(slot) !== null);
    order.sort((a, b) => {
      const [x, y] = [this.#valueOf(a) as number, this.#valueOf(b) as number];
      return x < y ? -1 : x > y ? 1 : 0;
    });
    this.#orders.set(key, order);
    this.#rows += order.length;
    return order;
  }

  add(slot: number, key: number): void {
    const order = this.#orders.get(key);
    const value = order === undefined ? null : this.#valueOf(slot);
    if (order === undefined || value === null) return;
    order.splice(this.#place(order, value, true), 0, slot);
    this.#rows++;
  }

  /** Before the row is let go of. */
  remove(slot: number, key: number): void {
    const order = this.#orders.get(key);
    const value = order === undefined ? null : this.#valueOf(slot);
    if (order === undefined || value === null) return;
    const at = order.indexOf(slot, this.#place(order, value, false));
    assert(at >= 0, 'a row is in the order of its key');
    order.splice(at, 1);
    this.#rows--;
    if (order.length === 0) this.#orders.delete(key);
  }

  clear(): void {
    this.#orders.clear();
    this.#rows = 0;
  }

  get bytes(): number {
    return this.#rows * 8;
  }

  /** Before all rows with the value, or behind them. */
  #place(order: readonly number[], value: Value, behind: boolean): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const own = this.#valueOf(order[middle] as number) as Value;
      if (own < value || (behind && own === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #valueOf(slot: number): Value | null {
    return this.#side.rows.get(slot, this.#column);
  }
}
