import type { QueryBody } from '../ast.ts';
import { literal } from './coerce.ts';
import { columnExprs, type Rows } from './derived-relation.ts';
import { groupedByAll } from './group-by-all.ts';
import { InnerSelect } from './inner-select.ts';
import { isOne, limitsOf } from './limits.ts';
import type { QueryOptions } from './query-context.ts';
import { ALWAYS, checkOneColumn, relationOf, single } from './single-row.ts';
import type { DependentValue, InnerRows, InnerValue, SubqueryUse } from './subqueries.ts';

export interface InnerOptions {
  /** `outer` in it: the names of the query around */
  readonly options: QueryOptions;
  readonly rowsOf: (body: QueryBody) => Rows;
  /** the first rows of the whole query, in its order */
  readonly firstRows: () => Rows;
}

/**
 * A query in an expression without what its WHERE says of the query around it: equalities of both become pairs on which it
 * is joined in, other conditions go into the join. (Of grouped rows there are only pairs: the group is made for each.)
 */
export function analyseInner(
  use: SubqueryUse,
  { options, rowsOf: rows, firstRows }: InnerOptions,
): InnerRows | InnerValue | DependentValue {
  refuseFinal(use, options);
  const { body } = use.query;
  const limits = isHarmless(use) ? null : limitsOf(use.query, options.problems);
  if (body.kind === 'select' && !body.groupBy?.sets) {
    const found = new InnerSelect(groupedByAll(body, options), use, options, limits).analyse();
    if (found) return found;
  }
  const { derived, listed } = limits ? firstRows() : rows(body);
  checkOneColumn(use, listed, options);
  const relation = relationOf({ derived, listed }, use.span, options);
  const [value = null] = columnExprs(relation.schema);
  if (use.as !== 'scalar' || !value) {
    return { kind: 'rows', relation, pairs: [], rest: [], value, valueNeverNull: false };
  }
  return limits && isOne(limits)
    ? { kind: 'value', relation, pairs: [ALWAYS], value, empty: literal(value.type, null) }
    : single({ relation, pairs: [], value }, use.span, options);
}

/** Rows that exist are not made more or less by an order, nor by a limit above 0. */
function isHarmless({ query, as }: SubqueryUse): boolean {
  return as === 'exists' && !query.offset && query.limit?.kind === 'number' && query.limit.text !== '0';
}

function refuseFinal({ query }: SubqueryUse, { problems }: QueryOptions): void {
  if (query.emit?.mode !== 'final') return;
  problems.report(
    'invalid_statement',
    query.emit.span,
    'EMIT FINAL cannot stand in a subquery of an expression',
    'write the windowed query in FROM of the subquery',
  );
}
