import type { Expr } from '../../expr/expr.ts';
import type { RelationKind } from '../../plan/plan.ts';
import type { Query } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { derivedRelation, plainQuery } from './derived-relation.ts';
import { allOf, conjuncts, isDeterministic } from './expr-tree.ts';
import type { GroupAnalysis } from './group-by.ts';
import { relationSide } from './join-sides.ts';
import { Lookups } from './lookups.ts';
import { overSide, resultsOf } from './over-rows.ts';
import type { Explode } from './partition.ts';
import type { OutputItem } from './projection.ts';
import type { SelectContext } from './query-context.ts';
import { numberOf, rankedSide } from './ranked-rows.ts';
import type { JoinSide, ResolvedQuery } from './resolved-query.ts';
import { hasSubquery } from './subqueries.ts';
import { readsClock, type TemporalSplit } from './temporal.ts';
import { hasWindowCall, orderKey, partsOf, type WindowCall, withWindowCalls } from './window-calls.ts';

/** A SELECT of complete SQL with every name and type decided, on its way to a resolved query. */
export interface Complete {
  readonly context: SelectContext;
  readonly input: Relation;
  readonly side: JoinSide | null;
  readonly items: readonly OutputItem[];
  readonly split: TemporalSplit;
  readonly explode: Explode;
  readonly emit: Query['emit'];
  readonly served: boolean;
  /** the input is the groups of the SELECT */
  readonly overGroups: boolean;
}

/**
 * Rows with what queries in expressions say of them. Conditions that read no such query come first; what SELECT and HAVING
 * of a grouped query ask waits for the groups.
 */
export function withLookups(complete: Complete, group: GroupAnalysis): Complete {
  const { context, split } = complete;
  const entries = context.subqueries?.entries ?? [];
  if (entries.length === 0 || !complete.side) return complete;
  const parts = split.rest ? conjuncts(split.rest) : [];
  const early = allOf(parts.filter(part => !hasSubquery(part)));
  const { schema } = complete.side;
  const side: JoinSide = early
    ? { kind: 'filter', input: complete.side, predicate: early, schema }
    : complete.side;
  const lookups = new Lookups({ side, changes: complete.input.changes, entries, toRow: expr => expr });
  const late = allOf(parts.filter(hasSubquery).flatMap(part => lookups.condition(part) ?? []));
  const bound = (expr: Expr | null) => expr && lookups.value(expr);
  const temporal = split.temporal && {
    from: bound(split.temporal.from),
    until: bound(split.temporal.until),
  };
  for (const part of group.parts) lookups.value(part);
  group.rewrite(expr => lookups.known(expr));
  const items = complete.items.map(item => ({
    ...item,
    expr: group.needed ? lookups.known(item.expr) : lookups.value(item.expr),
  }));
  if (complete.explode.calls.some(call => call.args.some(hasSubquery))) {
    context.problems.report(
      'not_supported',
      complete.explode.spans[0] ?? context.select.span,
      'a subquery cannot stand in the argument of a table function',
      'compute it in a subquery in FROM',
    );
  }
  return {
    ...complete,
    input: lookups.rows(complete.input),
    side: lookups.side,
    items,
    split: { rest: late, temporal },
  };
}

/** Rows with the results of window functions: what WHERE leaves of the rows is put in order. */
export function withWindows(complete: Complete, calls: readonly WindowCall[]): Complete {
  const { context, input, split, items } = complete;
  const { problems, select } = context;
  const parts = calls.flatMap(partsOf);
  const at = items.find(item => hasWindowCall(item.expr))?.span ?? select.span;
  const refuse = (message: string, hint: string): void => {
    problems.report('invalid_statement', at, message, hint);
  };
  if (complete.explode.calls.length > 0) {
    refuse(
      'window functions (OVER) beside table functions are not supported',
      'expand in a subquery in FROM',
    );
  } else if (parts.some(hasSubquery)) {
    refuse('a subquery cannot stand in OVER', 'select its value in a subquery in FROM');
  } else if (parts.some(readsClock) || !parts.every(isDeterministic)) {
    refuse('rows cannot be put in order by the clock, nor at random', 'order by a column');
  }
  context.finish();
  const { schema } = input;
  const changes = inputChanges(complete);
  const unique = changes === 'upsert' || (changes === 'retract' && input.changes === 'retract');
  const query: ResolvedQuery = {
    ...plainQuery(input, complete.side),
    where: split.rest,
    temporal: split.temporal,
    schema: { ...schema, key: unique ? schema.key : [] },
    changes,
  };
  const rows = { derived: { kind: 'query', query }, listed: schema.columns.length } as const;
  const name = { name: 'rows', quoted: false, span: select.span };
  const { side, results } = inOrder(
    relationSide(derivedRelation(rows, { name, columns: [], problems })),
    calls,
  );
  return {
    ...complete,
    input: { ...input, kind: 'table', changes: 'retract', schema: side.schema, hidden: [], window: null },
    side,
    items: items.map(item => ({ ...item, expr: withWindowCalls(item.expr, results) })),
    split: { rest: null, temporal: null },
  };
}

/** The rows with the results of window functions, those over one order together, and where each result stands. */
function inOrder(
  input: JoinSide,
  calls: readonly WindowCall[],
): { readonly side: JoinSide; readonly results: readonly Expr[] } {
  let side = input;
  const results: Expr[] = [];
  for (const [i, { call, ...order }] of calls.entries()) {
    if (results[i]) continue;
    if (!call) {
      const ranked = rankedSide(side, { ...order, from: 0, to: null });
      results[i] = numberOf(ranked);
      side = ranked;
      continue;
    }
    const together = [...calls.entries()].flatMap(([at, other]) =>
      other.call && orderKey(other) === orderKey(order) ? [{ at, call: other.call }] : [],
    );
    const over = overSide(
      side,
      order,
      together.map(t => t.call),
    );
    for (const [k, result] of resultsOf(over).entries()) results[together[k]?.at ?? i] = result;
    side = over;
  }
  return { side, results };
}

/** Kind of the rows that reach the select list. */
export function inputChanges(complete: Complete): RelationKind {
  const { input, split } = complete;
  // rows of a stream that leave by the clock are taken away
  return input.changes === 'append' && split.temporal?.until ? 'retract' : input.changes;
}
