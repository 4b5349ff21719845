import { unreachable } from '../../core/assert.ts';
import { BOOLEAN, typeText } from '../../core/sql-type.ts';
import { childrenOf } from '../../expr/children.ts';
import type { Expr } from '../../expr/expr.ts';

/** The expression with each direct part replaced. */
export function mapChildren(expr: Expr, change: (part: Expr) => Expr): Expr {
  switch (expr.node) {
    case 'literal':
    case 'column':
    case 'rowtime':
    case 'now':
    case 'parameter':
      return expr;
    case 'lambda':
      return { ...expr, body: change(expr.body) };
    case 'call':
      return { ...expr, args: expr.args.map(change) };
    case 'arithmetic':
    case 'compare':
    case 'and':
    case 'or':
      return { ...expr, left: change(expr.left), right: change(expr.right) };
    case 'negate':
    case 'not':
    case 'isNull':
    case 'cast':
    case 'field':
      return { ...expr, arg: change(expr.arg) };
    case 'like':
      return { ...expr, arg: change(expr.arg), pattern: change(expr.pattern) };
    case 'in':
      return { ...expr, arg: change(expr.arg), list: expr.list.map(change) };
    case 'case':
      return {
        ...expr,
        whens: expr.whens.map(w => ({ when: change(w.when), then: change(w.then) })),
        otherwise: expr.otherwise && change(expr.otherwise),
      };
    case 'subscript':
      return { ...expr, arg: change(expr.arg), index: change(expr.index) };
    case 'array':
      return { ...expr, items: expr.items.map(change) };
    case 'map':
      return {
        ...expr,
        entries: expr.entries.map(e => ({ key: change(e.key), value: change(e.value) })),
      };
    case 'struct':
      return { ...expr, fields: expr.fields.map(change) };
    default:
      return unreachable(expr);
  }
}

export function some(expr: Expr, test: (part: Expr) => boolean): boolean {
  return test(expr) || childrenOf(expr).some(part => some(part, test));
}

/** The parts that are joined by AND, in order. */
export function conjuncts(expr: Expr): readonly Expr[] {
  const parts: Expr[] = [];
  const open = [expr];
  while (open.length > 0) {
    const part = open.pop();
    if (part?.node === 'and') open.push(part.right, part.left);
    else if (part) parts.push(part);
  }
  return parts;
}

/** Whether equal calls give equal results. */
export function isDeterministic(expr: Expr): boolean {
  return !some(expr, part => part.node === 'call' && part.site > 0);
}

/** Positions of the input columns that the expression reads. */
export function columnsOf(expr: Expr, into: Set<number> = new Set()): Set<number> {
  if (expr.node === 'column') into.add(expr.index);
  for (const part of childrenOf(expr)) columnsOf(part, into);
  return into;
}

/** Columns of the query around a subquery stand from here on, at their position there. */
export const OUTER_BASE = 10_000_000;

/** Whether an expression of a subquery reads columns of the query around it. */
export function readsOuter(expr: Expr): boolean {
  return some(expr, part => part.node === 'column' && part.index >= OUTER_BASE);
}

/** The expression with each column replaced. */
export function mapColumns(expr: Expr, change: (column: Extract<Expr, { node: 'column' }>) => Expr): Expr {
  return expr.node === 'column' ? change(expr) : mapChildren(expr, part => mapColumns(part, change));
}

/** All of them are true; null: there are none. */
export function allOf(parts: readonly Expr[]): Expr | null {
  if (parts.length === 0) return null;
  return parts.reduce((left, right) => ({ node: 'and', type: BOOLEAN, left, right }));
}

/** The expression over an input whose columns stand elsewhere. */
export function renumber(expr: Expr, position: (index: number) => number): Expr {
  if (expr.node === 'column') return { ...expr, index: position(expr.index) };
  return mapChildren(expr, part => renumber(part, position));
}

/** The expression with columns replaced by the expressions that make them. */
export function substitute(expr: Expr, columns: readonly Expr[]): Expr {
  if (expr.node === 'column') return columns[expr.index] ?? expr;
  return mapChildren(expr, part => substitute(part, columns));
}

/**
 * A text that two expressions share exactly when they mean the same: names, spelling and call sites do not count
 * (PostgreSQL too takes the random() of GROUP BY for the one of SELECT).
 * Lambda slots are numbered from 0 again, so that equal lambdas at two places are equal.
 */
export function exprKey(expr: Expr): string {
  return key(expr, new Map());
}

function key(expr: Expr, slots: Map<number, number>): string {
  const inner = () => childrenOf(expr).map(part => key(part, slots));
  const all = (head: string) => `(${head}:${typeText(expr.type)} ${inner().join(' ')})`;
  switch (expr.node) {
    case 'literal':
      return `(literal:${typeText(expr.type)} ${literalKey(expr.value)})`;
    case 'column':
      return `#${expr.index}`;
    case 'rowtime':
    case 'now':
      return expr.node;
    case 'parameter':
      return `$${slots.get(expr.slot) ?? `free${expr.slot}`}`;
    case 'lambda':
      for (const slot of expr.slots) if (!slots.has(slot)) slots.set(slot, slots.size);
      return all(`lambda ${expr.slots.map(s => slots.get(s)).join(' ')}`);
    case 'call':
      return all(`call ${expr.fn}`);
    case 'arithmetic':
    case 'compare':
      return all(`${expr.node} ${expr.op}`);
    case 'isNull':
      return all(`isNull ${expr.negated}`);
    case 'like':
      return all(`like ${JSON.stringify(expr.escape)} ${expr.negated}`);
    case 'in':
      return all(`in ${expr.negated}`);
    case 'case':
      return all(`case ${expr.whens.length} ${expr.otherwise !== null}`);
    case 'field':
      return all(`field ${expr.index}`);
    default:
      return all(expr.node);
  }
}

function literalKey(value: unknown): string {
  if (value instanceof Map) {
    return `{${[...value].map(([k, v]) => `${literalKey(k)}:${literalKey(v)}`).join(',')}}`;
  }
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return `[${value.map(literalKey).join(',')}]`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  return JSON.stringify(value);
}
