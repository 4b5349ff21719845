import { assert } from '../../core/assert.ts';
import type { Span } from '../../core/span.ts';
import { BIGINT, DOUBLE, INT, type SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Frame } from '../../expr/window-function.ts';
import type { Expression, OverClause } from '../ast.ts';
import { closest } from '../suggest.ts';
import { asArgument, chosenAggregate, valueArgument } from './call-arguments.ts';
import { coerceTo, UNTYPED_NULL } from './coerce.ts';
import type { ExpressionResolver } from './expression.ts';
import { FULL_SQL } from './problems.ts';
import type { WindowFunctionCall } from './resolved-query.ts';
import { nullsFirst, type WindowOrder } from './window-calls.ts';
import { frameOf } from './window-frame.ts';

type Call = Extract<Expression, { kind: 'call' }>;

/** What their rows are ordered by decides them; they have no frame. */
const RANKS: Readonly<Record<string, SqlType>> = {
  RANK: BIGINT,
  DENSE_RANK: BIGINT,
  PERCENT_RANK: DOUBLE,
  CUME_DIST: DOUBLE,
};

/** Sums of frames go on from one to the next: these can take a row away, and the order of their rows does not matter. */
const AGGREGATES = [
  'COUNT',
  'SUM_OR_NULL',
  'AVG_OR_NULL',
  'AVG_DECIMAL',
  'MIN',
  'MAX',
  'BOOL_AND',
  'BOOL_OR',
  'STDDEV_OR_NULL',
  'STDDEV_POP',
  'VAR_SAMP',
  'VAR_POP',
];

const NAMES = [
  ...Object.keys(RANKS),
  ...'ROW_NUMBER NTILE LAG LEAD FIRST_VALUE LAST_VALUE NTH_VALUE COUNT SUM AVG MIN MAX BOOL_AND BOOL_OR'.split(
    ' ',
  ),
];

/** A call with OVER: the place of its result, until the rows are in order. */
export function windowCall(r: ExpressionResolver, call: Call, over: OverClause): Expr {
  const { windowCalls } = r.options;
  if (r.strict) {
    throw r.problems.error('not_supported', call.span, 'KSQL has no window functions (OVER)', FULL_SQL);
  }
  if (!windowCalls) {
    throw r.problems.error(
      'invalid_statement',
      call.span,
      `a window function (OVER) cannot stand in ${r.options.clause}`,
      'select it in a subquery in FROM, and use its column: FROM (SELECT ..., ROW_NUMBER() OVER (...) AS n FROM ...) AS q WHERE n <= 3',
    );
  }
  assert(over.base === undefined, 'the parser says in each OVER what its named window says');
  const inner = r.inside({ clause: 'OVER', aggregates: r.options.aggregates });
  const order: WindowOrder = {
    partition: over.partitionBy.map(e => inner.typed(e)),
    order: over.orderBy.map(item => ({
      expr: inner.typed(item.expression),
      descending: item.descending,
      nullsFirst: nullsFirst(item),
    })),
  };
  const name = call.name.name.toUpperCase();
  if (call.distinct || call.order) {
    throw r.problems.error(
      'invalid_statement',
      call.span,
      `a window function has no ${call.distinct ? 'DISTINCT' : 'ORDER BY of its own'}`,
      'an aggregate of each group is a subquery: (SELECT COUNT(DISTINCT x) FROM t o WHERE o.k = t.k)',
    );
  }
  const frame = () => frameOf(r, over, order.order);
  if (name === 'ROW_NUMBER') {
    arity(r, call, 0, 0);
    refuseFilter(r, call);
    return windowCalls.rowNumber(order);
  }
  const made = plainFunction(r, inner, call, name, frame) ?? aggregate(r, inner, call, frame);
  return windowCalls.add(order, made);
}

/** Ranks, neighbours and picks; null: none of them. */
function plainFunction(
  r: ExpressionResolver,
  inner: ExpressionResolver,
  call: Call,
  name: string,
  frame: () => Frame,
): WindowFunctionCall | null {
  const base = { fn: name, filter: null, frame: null, constants: [] as readonly number[] };
  const rank = RANKS[name];
  const value = (i: number) => inner.typed(call.args[i] as Expression);
  if (rank) {
    arity(r, call, 0, 0);
    refuseFilter(r, call);
    return { ...base, args: [], type: rank };
  }
  switch (name) {
    case 'NTILE':
      arity(r, call, 1, 1);
      refuseFilter(r, call);
      return { ...base, args: [], constants: [whole(r, call, 0, 1)], type: INT };
    case 'LAG':
    case 'LEAD': {
      arity(r, call, 1, 3);
      refuseFilter(r, call);
      const arg = value(0);
      const away = call.args.length > 1 ? whole(r, call, 1, 0) : 1;
      const args = call.args.length > 2 ? [arg, otherwise(r, inner, call.args[2] as Expression, arg)] : [arg];
      return { ...base, args, constants: [away], type: arg.type };
    }
    case 'FIRST_VALUE':
    case 'LAST_VALUE':
    case 'NTH_VALUE': {
      const nth = name === 'NTH_VALUE';
      arity(r, call, nth ? 2 : 1, nth ? 2 : 1);
      refuseFilter(r, call);
      const arg = value(0);
      const constants = nth ? [whole(r, call, 1, 1)] : [];
      return { ...base, args: [arg], constants, frame: frame(), type: arg.type };
    }
    default:
      return null;
  }
}

function aggregate(
  r: ExpressionResolver,
  inner: ExpressionResolver,
  call: Call,
  frame: () => Frame,
): WindowFunctionCall {
  const { functions } = r.context;
  const entry = functions.find(call.name.name);
  if (entry?.kind !== 'aggregate') {
    const near = closest(call.name.name, NAMES);
    throw r.problems.error(
      entry ? 'invalid_statement' : 'unknown_function',
      call.name.span,
      entry ? `${entry.name} is no window function` : `unknown window function "${call.name.name}"`,
      near === null ? `with OVER there are ${NAMES.join(', ')}` : `did you mean ${near}?`,
    );
  }
  const star = call.args.length === 1 && call.args[0]?.kind === 'star';
  const exprs = star && entry.name === 'COUNT' ? [] : call.args.map(arg => inner.resolve(arg));
  const chosen = chosenAggregate(r, entry, exprs);
  if (!AGGREGATES.includes(chosen.name)) {
    throw r.problems.error(
      'invalid_statement',
      call.span,
      `${call.name.name.toUpperCase()} cannot be computed with OVER: every row would hold all that its frame holds`,
      `of each group it is a subquery: (SELECT ${call.name.name}(...) FROM t o WHERE o.k = t.k)`,
    );
  }
  const resolution = functions.resolveAggregate(chosen, exprs.map(valueArgument));
  if (!resolution.ok) {
    throw r.problems.error('type_mismatch', call.span, resolution.reason.split('\n')[0] ?? resolution.reason);
  }
  const { args, returns } = resolution.call;
  return {
    fn: chosen.name,
    args: exprs.map((expr, i) => asArgument(expr, args[i] ?? expr.type)),
    constants: [],
    filter: call.filter ? inner.boolean(call.filter, 'FILTER') : null,
    frame: frame(),
    type: returns,
  };
}

/** The value where there is no such row, in the type of those that are there. */
function otherwise(
  r: ExpressionResolver,
  inner: ExpressionResolver,
  expression: Expression,
  arg: Expr,
): Expr {
  const expr = inner.resolve(expression);
  const converted = coerceTo(expr, arg.type);
  if (converted && expr !== UNTYPED_NULL) return converted;
  if (expr === UNTYPED_NULL) return { node: 'literal', type: arg.type, value: null };
  throw r.problems.error(
    'type_mismatch',
    expression.span,
    'the value where there is no such row must be of the type of the others',
    'CAST one of them',
  );
}

function whole(r: ExpressionResolver, call: Call, i: number, least: number): number {
  const arg = call.args[i] as Expression;
  if (arg.kind === 'number' && /^\d{1,9}$/.test(arg.text) && Number(arg.text) >= least)
    return Number(arg.text);
  throw r.problems.error(
    'invalid_argument',
    arg.span,
    `this argument of ${call.name.name.toUpperCase()} is a whole number of at least ${least}, written out`,
  );
}

function arity(r: ExpressionResolver, call: Call, least: number, most: number): void {
  const { length } = call.args;
  if (length >= least && length <= most) return;
  const wanted =
    least === most
      ? `${least === 0 ? 'no arguments' : `${least} argument${least === 1 ? '' : 's'}`}`
      : `${least} to ${most} arguments`;
  throw r.problems.error(
    'invalid_argument',
    call.span,
    `${call.name.name.toUpperCase()} takes ${wanted}, not ${length}`,
  );
}

function refuseFilter(r: ExpressionResolver, call: Call): void {
  if (!call.filter) return;
  throw r.problems.error(
    'invalid_statement',
    spanOf(call.filter),
    `FILTER is for aggregates; ${call.name.name.toUpperCase()} is none`,
    'write the condition in WHERE of a subquery in FROM',
  );
}

function spanOf({ span }: Expression): Span {
  return span;
}
