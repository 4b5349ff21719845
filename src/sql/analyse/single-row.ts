import { assert } from '../../core/assert.ts';
import type { Column, Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { BIGINT, BOOLEAN } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Relation } from '../catalog.ts';
import { literal } from './coerce.ts';
import { columnExprs, derivedRelation, plainQuery, type Rows } from './derived-relation.ts';
import type { QueryOptions } from './query-context.ts';
import type { ResolvedQuery } from './resolved-query.ts';
import type { InnerValue, Pair, SubqueryUse } from './subqueries.ts';

/**
 * Rows of which there must be one for each combination of the pairs: the value of the only row; of several NULL, and a
 * ledger entry wherever it is used.
 */
export function single(
  {
    relation,
    pairs,
    value,
  }: { readonly relation: Relation; readonly pairs: readonly Pair[]; readonly value: Expr },
  span: Span,
  options: QueryOptions,
): InnerValue {
  const keys = pairs.map(pair => pair.inner);
  const call = { constants: [], distinct: false, filter: null };
  const schema: Schema = {
    columns: [...keys.map(named), { name: 'value', type: value.type }, { name: 'rows', type: BIGINT }],
    key: keys.map((_, i) => i),
    windowed: false,
  };
  const group = {
    keys,
    aggregates: [
      { ...call, fn: 'SINGLE_VALUE', args: [value], type: value.type },
      { ...call, fn: 'COUNT', args: [], type: BIGINT },
    ],
    window: null,
    nullKeys: 'group',
    emptyGroups: 'delete',
    schema,
  } as const;
  const row = columnExprs(schema);
  const query: ResolvedQuery = {
    ...plainQuery(relation, null),
    group,
    columns: row,
    schema,
    changes: 'upsert',
  };
  const grouped = relationOf({ derived: { kind: 'query', query }, listed: row.length }, span, options);
  const [only, rows] = row.slice(keys.length);
  assert(only && rows, 'the value and the number of rows');
  return {
    kind: 'value',
    relation: grouped,
    pairs: pairs.map(({ outer }, i) => ({ outer, inner: row[i] as Expr })),
    value: { node: 'call', type: value.type, fn: 'SINGLE_ROW', args: [rows, only], site: 0 },
    empty: literal(value.type, null),
  };
}

export function checkOneColumn({ as, span }: SubqueryUse, columns: number, { problems }: QueryOptions): void {
  if (as === 'exists' || columns === 1) return;
  throw problems.error(
    'type_mismatch',
    span,
    `a subquery ${as === 'in' ? 'of IN' : 'that is a value'} has one column, but this one has ${columns}`,
    'select the one column that is meant',
  );
}

const TRUE = literal(BOOLEAN, true);
/** Meets whatever is there: a left join keeps the row where nothing is. */
export const ALWAYS: Pair = { outer: TRUE, inner: TRUE };

/** The rows of a subquery as a relation. */
export function relationOf(rows: Rows, span: Span, { problems }: QueryOptions): Relation {
  return derivedRelation(rows, { name: { name: 'subquery', quoted: false, span }, columns: [], problems });
}

/** An expression as a column of such rows. */
export function named(expr: Expr, i: number): Column {
  return { name: expr.node === 'column' ? expr.name : `value_${i}`, type: expr.type };
}
