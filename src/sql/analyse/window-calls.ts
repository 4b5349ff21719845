import { BIGINT, type SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import { frameText } from '../../expr/window-function.ts';
import type { OrderItem, Select } from '../ast.ts';
import { exprKey, mapChildren, some } from './expr-tree.ts';
import type { OrderedExpr, WindowFunctionCall } from './resolved-query.ts';

/** Results of window functions stand in expressions as columns from here on, until the rows are in order. */
const WINDOW_CALL_BASE = 6_000_000;
const WINDOW_CALL_END = 7_000_000;

/** Rows of a partition in order: OVER (PARTITION BY ... ORDER BY ...). */
export interface WindowOrder {
  readonly partition: readonly Expr[];
  readonly order: readonly OrderedExpr[];
}

/** A window function over rows in order; null: their number. */
export interface WindowCall extends WindowOrder {
  readonly call: WindowFunctionCall | null;
}

/** Collects the window functions of a select list; equal ones are computed once. */
export class WindowCalls {
  readonly calls: WindowCall[] = [];
  readonly #keys = new Map<string, number>();

  rowNumber(order: WindowOrder): Expr {
    return this.#place({ ...order, call: null }, 'ROW_NUMBER', BIGINT);
  }

  add(order: WindowOrder, call: WindowFunctionCall): Expr {
    return this.#place({ ...order, call }, call.fn, call.type);
  }

  /** The order, the arguments and filters of all functions over other rows. */
  rewrite(change: (expr: Expr) => Expr): void {
    this.calls.forEach(({ partition, order, call }, i) => {
      this.calls[i] = {
        partition: partition.map(change),
        order: order.map(o => ({ ...o, expr: change(o.expr) })),
        call: call && { ...call, args: call.args.map(change), filter: call.filter && change(call.filter) },
      };
    });
  }

  #place(window: WindowCall, name: string, type: SqlType): Expr {
    const { call } = window;
    const parts = call && [
      call.fn,
      ...call.args.map(exprKey),
      call.constants.join(),
      call.filter ? exprKey(call.filter) : '',
      call.frame ? frameText(call.frame) : '',
    ];
    const key = [orderKey(window), ...(parts ?? [])].join('|');
    const index = this.#keys.get(key) ?? this.calls.length;
    if (index === this.calls.length) this.calls.push(window);
    this.#keys.set(key, index);
    return { node: 'column', type, index: WINDOW_CALL_BASE + index, name };
  }
}

/** Equal for rows in the same order. */
export function orderKey({ partition, order }: WindowOrder): string {
  const by = order.map(o => `${exprKey(o.expr)} ${o.descending} ${o.nullsFirst}`);
  return [partition.map(exprKey).join(), ...by].join('|');
}

/** All expressions of a window function. */
export function partsOf({ partition, order, call }: WindowCall): readonly Expr[] {
  const args = call ? [...call.args, ...(call.filter ? [call.filter] : [])] : [];
  return [...partition, ...order.map(o => o.expr), ...args];
}

export function hasWindowCall(expr: Expr): boolean {
  return some(expr, isWindowCall);
}

export function isWindowCall(expr: Expr): boolean {
  return expr.node === 'column' && expr.index >= WINDOW_CALL_BASE && expr.index < WINDOW_CALL_END;
}

/** The expression with the results of window functions where they stand now. */
export function withWindowCalls(expr: Expr, results: readonly Expr[]): Expr {
  if (expr.node === 'column' && isWindowCall(expr)) return results[expr.index - WINDOW_CALL_BASE] ?? expr;
  return mapChildren(expr, part => withWindowCalls(part, results));
}

/** Whether functions with OVER stand in the select list. */
export function holdsWindowCalls({ items }: Select): boolean {
  return holds(items);
}

function holds(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(holds);
  if (typeof part !== 'object' || part === null || 'body' in part) return false;
  if ('over' in part && part.over !== null) return true;
  return Object.values(part).some(holds);
}

/** NULLs come last, of a descending order first, unless it says otherwise. */
export function nullsFirst({ descending, nulls }: Pick<OrderItem, 'descending' | 'nulls'>): boolean {
  return nulls === null ? descending : nulls === 'first';
}
