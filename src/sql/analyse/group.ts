import type { Column, Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { BIGINT } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { AggregateCall, WindowSpec } from '../../plan/plan.ts';
import type { WindowClause } from '../ast.ts';
import { exprKey, isDeterministic, mapChildren } from './expr-tree.ts';
import type { AggregateSink } from './expression.ts';
import type { Problems } from './problems.ts';
import { isSubquery } from './subqueries.ts';
import { isWindowCall } from './window-calls.ts';

/** Positions from here on stand for results of aggregates, until the group's own columns are known. */
export const AGGREGATE_BASE = 1_000_000;
const WINDOW_BASE = 2_000_000;
export const EXPLODE_BASE = 3_000_000;

const DAY = 86_400_000;

/** Collects the aggregate calls of a query; equal calls are computed once. */
export class Aggregates implements AggregateSink {
  readonly calls: AggregateCall[] = [];
  readonly spans: Span[] = [];
  readonly #keys = new Map<string, number>();
  readonly #window: boolean;

  constructor(window: boolean) {
    this.#window = window;
  }

  add(call: AggregateCall, span: Span): Expr {
    const parts = [...call.args, ...(call.filter ? [call.filter] : [])].map(exprKey);
    const constants = call.constants.map(c => `${typeof c}:${String(c)}`);
    const key = [call.fn, call.distinct, call.args.length, ...parts, ...constants].join('|');
    let index = call.args.every(isDeterministic) ? this.#keys.get(key) : undefined;
    if (index === undefined) {
      index = this.calls.length;
      this.#keys.set(key, index);
      this.calls.push(call);
      this.spans.push(span);
    }
    return { node: 'column', type: call.type, index: AGGREGATE_BASE + index, name: call.fn };
  }

  bound(name: 'WINDOWSTART' | 'WINDOWEND'): Expr | null {
    if (!this.#window) return null;
    const index = WINDOW_BASE + (name === 'WINDOWSTART' ? 0 : 1);
    return { node: 'column', type: BIGINT, index, name };
  }
}

/** HAVING knows aggregates, but no window bounds. */
export class HavingAggregates implements AggregateSink {
  readonly #inner: Aggregates;

  constructor(inner: Aggregates) {
    this.#inner = inner;
  }

  add(call: AggregateCall, span: Span): Expr {
    return this.#inner.add(call, span);
  }

  bound(): null {
    return null;
  }
}

export interface GroupColumns {
  readonly keys: readonly Expr[];
  readonly windowed: boolean;
}

/**
 * An expression over the input row as one over the group's row: parts that are group keys become key columns,
 * aggregates their result columns. What is left of the input row is reported: it has no single value in a group.
 */
export function overGroup(
  expr: Expr,
  group: GroupColumns,
  refuse: (column: Extract<Expr, { node: 'column' | 'rowtime' }>) => Error,
): Expr {
  const positions = new Map(group.keys.map((key, i) => [exprKey(key), i]));
  const bounds = group.keys.length;
  const aggregates = bounds + (group.windowed ? 2 : 0);
  const walk = (part: Expr): Expr => {
    const at = positions.get(exprKey(part));
    const key = at === undefined ? undefined : group.keys[at];
    if (at !== undefined && key) {
      return { node: 'column', type: part.type, index: at, name: keyName(key, at) };
    }
    if (part.node === 'rowtime') throw refuse(part);
    if (part.node === 'column') {
      if (isSubquery(part) || isWindowCall(part)) return part;
      if (part.index >= EXPLODE_BASE) throw refuse(part);
      if (part.index >= WINDOW_BASE) return { ...part, index: bounds + part.index - WINDOW_BASE };
      if (part.index >= AGGREGATE_BASE) {
        const index = part.index - AGGREGATE_BASE;
        return { ...part, index: aggregates + index, name: aggregateName(part.name, index) };
      }
      throw refuse(part);
    }
    return mapChildren(part, walk);
  };
  return walk(expr);
}

function keyName(key: Expr, index: number): string {
  return key.node === 'column' || key.node === 'field' ? key.name : `KEY_${index}`;
}

function aggregateName(fn: string, index: number): string {
  return `${fn}_${index}`;
}

/** Columns of the group's row: keys, window bounds, aggregates. */
export function groupSchema(
  keys: readonly Expr[],
  window: WindowSpec | null,
  aggregates: readonly AggregateCall[],
): Schema {
  const columns: Column[] = keys.map((key, i) => ({ name: keyName(key, i), type: key.type }));
  if (window) columns.push({ name: 'WINDOWSTART', type: BIGINT }, { name: 'WINDOWEND', type: BIGINT });
  const key = columns.map((_, i) => i);
  aggregates.forEach((call, i) => {
    columns.push({ name: aggregateName(call.fn, i), type: call.type });
  });
  return { columns, key, windowed: window !== null };
}

/** that a row may stand in: each is a group of its own */
const MOST_WINDOWS = 10_000;

export function windowSpec(clause: WindowClause, problems: Problems): WindowSpec {
  const { size } = clause;
  if (size <= 0) throw problems.error('invalid_statement', clause.span, 'a window needs a size above 0');
  const advance = clause.advance ?? size;
  if (clause.type === 'hopping' && clause.advance === null) {
    throw problems.error('invalid_statement', clause.span, 'a hopping window needs ADVANCE BY');
  }
  if (advance <= 0 || advance > size) {
    throw problems.error(
      'invalid_statement',
      clause.span,
      'ADVANCE BY must be above 0 and at most the SIZE of the window',
      'write a shorter ADVANCE BY; windows that do not overlap are WINDOW TUMBLING (SIZE ...)',
    );
  }
  if (size / advance > MOST_WINDOWS) {
    throw problems.error(
      'invalid_statement',
      clause.span,
      `every row would count in ${Math.ceil(size / advance)} windows; at most ${MOST_WINDOWS} can be kept`,
      'write a longer ADVANCE BY',
    );
  }
  // a row for a window whose rows were deleted would be lost without a word: it is late
  const grace = clause.grace ?? Math.max(0, Math.min(DAY, clause.retention ?? DAY) - size);
  if (clause.retention !== null && clause.retention < size + (clause.grace ?? 0)) {
    throw problems.error(
      'invalid_statement',
      clause.span,
      'RETENTION must be at least SIZE and GRACE PERIOD together',
    );
  }
  return { type: clause.type, size, advance, grace, retention: clause.retention };
}
