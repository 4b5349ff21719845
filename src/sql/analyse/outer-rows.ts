import type { Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { structOf } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Relation } from '../catalog.ts';
import { plainQuery } from './derived-relation.ts';
import { allOf, columnsOf, exprKey, mapColumns, OUTER_BASE } from './expr-tree.ts';
import { AGGREGATE_BASE } from './group.ts';
import { relationSide } from './join-sides.ts';
import type { QueryOptions } from './query-context.ts';
import type { ResolvedJoin, ResolvedQuery } from './resolved-query.ts';
import { named, relationOf } from './single-row.ts';
import type { OuterRows, Pair } from './subqueries.ts';

/** What a subquery says of the query around it: `rest` over its own row, columns from OUTER_BASE on are those around. */
interface Correlated {
  readonly pairs: readonly Pair[];
  readonly rest: readonly Expr[];
}

interface Joined {
  /** what the rows around say, then the rows of the subquery that meet it */
  readonly query: ResolvedQuery;
  /** both are of one combination; NULLs are equal to each other, as fields of a STRUCT are */
  readonly pair: Pair;
  /** an expression over the subquery's row as one over the joined row */
  readonly shift: (expr: Expr) => Expr;
}

/**
 * The rows of a subquery for each combination of values that it reads of the rows around it, each combination once: from
 * there on the subquery depends on equal combinations alone.
 */
export function joinedToOuter(
  rows: Relation,
  { pairs, rest }: Correlated,
  {
    outer,
    span,
    options,
  }: { readonly outer: OuterRows; readonly span: Span; readonly options: QueryOptions },
): Joined {
  const read = combination(pairs, rest);
  const schema: Schema = { columns: read.map(named), key: read.map((_, i) => i), windowed: false };
  const around: Relation = { ...rows, changes: outer.changes, schema: outer.side.schema, hidden: [] };
  const once: ResolvedQuery = {
    ...plainQuery(around, outer.side),
    columns: read.map(outer.toRow),
    schema,
    distinct: true,
    changes: 'upsert',
  };
  const listed = read.length;
  const left = relationSide(relationOf({ derived: { kind: 'query', query: once }, listed }, span, options));
  const right = relationSide(rows);
  const width = left.schema.columns.length;
  const column = (i: number, { type }: Expr): Expr => ({
    node: 'column',
    type,
    index: i,
    name: `outer_${i}`,
  });
  const places = new Map(read.map((expr, i) => [exprKey(expr), i]));
  const onLeft = (expr: Expr): Expr => column(places.get(exprKey(expr)) ?? -1, expr);
  const condition = rest.map(expr =>
    mapColumns(expr, c => (c.index >= OUTER_BASE ? onLeft(own(c)) : { ...c, index: width + c.index })),
  );
  const joined: Schema = {
    columns: [...left.schema.columns, ...right.schema.columns],
    key: [],
    windowed: false,
  };
  const join: ResolvedJoin = {
    node: 'equiJoin',
    type: 'inner',
    left,
    right,
    leftKeys: pairs.map(pair => onLeft(pair.outer)),
    rightKeys: pairs.map(pair => pair.inner),
    within: null,
    condition: allOf(condition),
    schema: joined,
  };
  const input: Relation = {
    ...rows,
    kind: 'table',
    changes: 'retract',
    schema: joined,
    hidden: [],
    window: null,
  };
  return {
    query: plainQuery(input, { kind: 'join', join, schema: joined }),
    pair: { outer: structure(read), inner: structure(read.map((expr, i) => column(i, expr))) },
    shift: expr => mapColumns(expr, c => (c.index >= AGGREGATE_BASE ? c : { ...c, index: width + c.index })),
  };
}

/** All that is read of the rows around, each once. */
function combination(pairs: readonly Pair[], rest: readonly Expr[]): readonly Expr[] {
  const columns = rest.flatMap(expr => {
    const found: Expr[] = [];
    const indexes = columnsOf(expr);
    mapColumns(expr, c => {
      if (c.index >= OUTER_BASE && indexes.delete(c.index)) found.push(own(c));
      return c;
    });
    return found;
  });
  const all = new Map([...pairs.map(pair => pair.outer), ...columns].map(expr => [exprKey(expr), expr]));
  return [...all.values()];
}

function own(column: Extract<Expr, { node: 'column' }>): Expr {
  return { ...column, index: column.index - OUTER_BASE };
}

function structure(fields: readonly Expr[]): Expr {
  const type = structOf(fields.map((field, i) => ({ name: `f${i}`, type: field.type })));
  return { node: 'struct', type, fields };
}
