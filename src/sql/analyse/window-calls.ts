import { BIGINT } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { OrderItem, Select } from '../ast.ts';
import { exprKey, mapChildren, some } from './expr-tree.ts';
import type { OrderedExpr } from './resolved-query.ts';

/** Results of window functions stand in expressions as columns from here on, until the rows are in order. */
const WINDOW_CALL_BASE = 6_000_000;
const WINDOW_CALL_END = 7_000_000;

/** Rows of a partition in order: OVER (PARTITION BY ... ORDER BY ...). */
export interface WindowCall {
  readonly partition: readonly Expr[];
  readonly order: readonly OrderedExpr[];
}

/** Collects the window functions of a select list; equal ones are computed once. */
export class WindowCalls {
  readonly calls: WindowCall[] = [];
  readonly #keys = new Map<string, number>();

  rowNumber(call: WindowCall): Expr {
    const order = call.order.map(o => `${exprKey(o.expr)} ${o.descending} ${o.nullsFirst}`);
    const key = [call.partition.map(exprKey).join(), ...order].join('|');
    const index = this.#keys.get(key) ?? this.calls.length;
    if (index === this.calls.length) this.calls.push(call);
    this.#keys.set(key, index);
    return { node: 'column', type: BIGINT, index: WINDOW_CALL_BASE + index, name: 'ROW_NUMBER' };
  }
}

export function hasWindowCall(expr: Expr): boolean {
  return some(expr, isWindowCall);
}

function isWindowCall(expr: Expr): boolean {
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
