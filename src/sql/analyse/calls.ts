import { assert } from '../../core/assert.ts';
import { MillraceError } from '../../core/errors.ts';
import type { Span } from '../../core/span.ts';
import { DATE, INT, type SqlType, TIMESTAMP, typeText } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { Expr } from '../../expr/expr.ts';
import type { AggregateFunction, ScalarFunction, TableFunction } from '../../expr/functions.ts';
import type { ArgumentType, ResolvedCall } from '../../expr/registry.ts';
import type { AggregateCall } from '../../plan/plan.ts';
import type { Expression } from '../ast.ts';
import { closest } from '../suggest.ts';
import { asArgument, chosenAggregate, valueArgument } from './call-arguments.ts';
import { isStringLiteral, isTemporal, UNTYPED_NULL } from './coerce.ts';
import type { AggregateSink, ExpressionResolver } from './expression.ts';
import { type Argument, orderedAggregate } from './ordered-aggregates.ts';
import { FULL_SQL } from './problems.ts';
import { standardRound } from './standard-rounding.ts';
import { windowCall } from './window-functions.ts';

type Call = Extract<Expression, { kind: 'call' }>;

export function resolveCall(r: ExpressionResolver, call: Call): Expr {
  if (call.over) return windowCall(r, call, call.over);
  const entry = r.context.functions.find(call.name.name);
  if (!entry) {
    const clock = call.args.length === 0 ? clockExpr(r, call.name.name) : null;
    if (clock) return clock;
    throw unknownFunction(r, call);
  }
  if (entry.kind !== 'aggregate' && (call.distinct || call.filter || call.order)) {
    const part = call.distinct ? 'DISTINCT' : call.filter ? 'FILTER' : 'ORDER BY';
    throw r.problems.error(
      'invalid_statement',
      call.span,
      `${entry.name} is no aggregate: ${part} is only for aggregates`,
    );
  }
  switch (entry.kind) {
    case 'scalar':
      return scalarCall(r, call, entry);
    case 'aggregate':
      return aggregateCall(r, call, entry);
    case 'table':
      return tableCall(r, call, entry);
  }
}

/** NOW(), CURRENT_TIMESTAMP and CURRENT_DATE: the clock of the log. */
export function clockExpr(r: ExpressionResolver, name: string): Expr | null {
  switch (name.toUpperCase()) {
    case 'NOW':
    case 'CURRENT_TIMESTAMP':
      return { node: 'now', type: TIMESTAMP };
    case 'CURRENT_DATE':
      return r.callOf('FROM_DAYS', [r.callOf('UNIX_DATE', [], INT)], DATE);
    default:
      return null;
  }
}

function unknownFunction(r: ExpressionResolver, call: Call) {
  const name = call.name.name;
  const { functions } = r.context;
  const names = functions.names().flatMap(n => {
    const entry = functions.find(n);
    return [n, ...(entry === undefined || entry.kind === 'table' ? [] : (entry.aliases ?? []))];
  });
  const near = closest(name, names);
  return r.problems.error(
    'unknown_function',
    call.name.span,
    `unknown function "${name}"`,
    near === null ? undefined : `did you mean ${near}?`,
  );
}

function scalarCall(r: ExpressionResolver, call: Call, entry: ScalarFunction): Expr {
  const { functions } = r.context;
  const exprs: (Expr | null)[] = call.args.map(arg => (arg.kind === 'lambda' ? null : argument(r, arg)));
  const round = !r.strict && entry.name === 'ROUND' ? standardRound(exprs) : null;
  if (round) return round;
  let types: ArgumentType[] = call.args.map((arg, i) => {
    const expr = exprs[i];
    if (arg.kind === 'lambda') return { kind: 'lambda', arity: arg.parameters.length, body: null };
    return valueArgument(expr ?? UNTYPED_NULL);
  });
  if (call.args.some(arg => arg.kind === 'lambda')) {
    const parameters = functions.lambdaParameters(entry, types);
    if (!parameters.ok) throw badArguments(r, call, parameters.reason);
    call.args.forEach((arg, i) => {
      if (arg.kind === 'lambda') {
        exprs[i] = r.lambdaBody(arg.parameters, parameters.call.get(i) ?? [], arg.body);
      }
    });
    types = types.map((type, i) =>
      type.kind === 'lambda' ? { ...type, body: lambdaBodyType(exprs[i] ?? UNTYPED_NULL) } : type,
    );
  }
  const resolution = functions.resolveScalar(entry, types);
  if (!resolution.ok) {
    const dated = withDates(exprs, types);
    const again = dated && functions.resolveScalar(entry, dated);
    if (again?.ok) return finishScalar(r, entry, exprs, again.call);
    throw badArguments(r, call, resolution.reason);
  }
  return finishScalar(r, entry, exprs, resolution.call);
}

/** String literals among dates and times are read as such: GREATEST(day, '2022-06-14'). */
function withDates(exprs: readonly (Expr | null)[], types: readonly ArgumentType[]): ArgumentType[] | null {
  const temporal = types.find(t => t.kind === 'value' && t.type !== null && isTemporal(t.type));
  if (!temporal) return null;
  return types.map((type, i) => {
    const expr = exprs[i];
    return expr && isStringLiteral(expr) ? temporal : type;
  });
}

function finishScalar(
  r: ExpressionResolver,
  entry: ScalarFunction,
  exprs: readonly (Expr | null)[],
  resolved: ResolvedCall<ScalarFunction>,
): Expr {
  const args = exprs.map((expr, i) => {
    const type = resolved.args[i];
    assert(expr && type, `argument ${i} of ${entry.name} without a type`);
    if (expr.node === 'lambda') return lambdaAs(expr, type);
    return asArgument(expr, type);
  });
  const site = entry.deterministic === false ? ++r.context.numbering.site : 0;
  return { node: 'call', type: resolved.returns, fn: entry.name, args, site };
}

function argument(r: ExpressionResolver, arg: Expression): Expr {
  if (arg.kind === 'star') {
    throw r.problems.error(
      'invalid_statement',
      arg.span,
      '* is an argument of COUNT only',
      'name the column',
    );
  }
  return r.resolve(arg);
}

function lambdaBodyType(lambda: Expr): SqlType | null {
  return lambda.node === 'lambda' && lambda.body !== UNTYPED_NULL ? lambda.type : null;
}

function lambdaAs(lambda: Extract<Expr, { node: 'lambda' }>, type: SqlType): Expr {
  const body = asArgument(lambda.body, type);
  return { ...lambda, type, body };
}

function badArguments(r: ExpressionResolver, call: Call, reason: string) {
  // `NAME does not take (..); it takes` and one overload a line: the overloads are the hint
  const [message = reason, ...overloads] = reason.split('\n');
  const hint = overloads.length === 0 ? undefined : `it takes ${overloads.map(o => o.trim()).join(', or ')}`;
  return r.problems.error('type_mismatch', call.span, message.replace(/; it takes$/, ''), hint);
}

function tableCall(r: ExpressionResolver, call: Call, entry: TableFunction): Expr {
  const sink = r.options.tableFunctions;
  if (!sink) {
    throw r.problems.error(
      'invalid_statement',
      call.span,
      `table function ${entry.name} cannot be used in ${r.options.clause}`,
      'select it, alone or beside columns, and compute with its column in a view that reads this one',
    );
  }
  const inner = r.inside({ clause: `an argument of ${entry.name}` });
  const exprs = call.args.map(arg => inner.resolve(arg));
  const resolution = r.context.functions.resolveTable(entry, exprs.map(valueArgument));
  if (!resolution.ok) throw badArguments(r, call, resolution.reason);
  const { args, returns } = resolution.call;
  const converted = exprs.map((expr, i) => asArgument(expr, args[i] ?? expr.type));
  return sink.add({ fn: entry.name, args: converted, type: returns }, call.span);
}

function withoutAggregates(clause: string): string {
  if (clause === 'WHERE') return 'conditions over aggregates stand in HAVING';
  return clause.startsWith('an argument')
    ? 'aggregate in a view of its own first, then aggregate its rows'
    : 'leave it out: aggregates stand in SELECT and HAVING';
}

function aggregateCall(r: ExpressionResolver, call: Call, entry: AggregateFunction): Expr {
  const sink = r.options.aggregates;
  if (!sink) {
    throw r.problems.error(
      'invalid_statement',
      call.span,
      `aggregate ${entry.name} cannot be used in ${r.options.clause}`,
      withoutAggregates(r.options.clause),
    );
  }
  if (r.strict && (call.distinct || call.filter || call.order)) {
    throw r.problems.error(
      'invalid_statement',
      call.span,
      `KSQL has no ${call.distinct ? 'DISTINCT' : call.filter ? 'FILTER' : 'ORDER BY'} in aggregates`,
      FULL_SQL,
    );
  }
  const inner = r.inside({
    clause: `an argument of the aggregate ${entry.name}`,
    windowBounds: windowBoundsReason,
  });
  const star = call.args.length === 1 && call.args[0]?.kind === 'star';
  if (star && entry.name !== 'COUNT') {
    throw r.problems.error('invalid_statement', call.span, '* is an argument of COUNT only');
  }
  const filter = call.filter ? inner.boolean(call.filter, 'FILTER') : null;
  const args = star ? [] : call.args.map(arg => ({ expr: inner.resolve(arg), span: arg.span }));
  const chosen = chosenAggregate(
    r,
    entry,
    args.map(arg => arg.expr),
  );
  const ordered = orderedAggregate(inner, call, chosen.name, args);
  if (ordered === null) {
    return addAggregate(r, sink, { call, entry: chosen, args, distinct: call.distinct, filter });
  }
  // the arguments must fit without the order, so that a refusal speaks of what was written
  if (ordered.fn !== chosen.name) resolvedAggregate(r, call, chosen, args);
  const by = r.context.functions.find(ordered.fn);
  assert(by?.kind === 'aggregate', `${ordered.fn} is an aggregate`);
  return addAggregate(r, sink, { call, entry: by, args: ordered.args, distinct: false, filter });
}

function resolvedAggregate(
  r: ExpressionResolver,
  call: Call,
  entry: AggregateFunction,
  args: readonly Argument[],
) {
  const types = args.map(arg => valueArgument(arg.expr));
  const resolution = r.context.functions.resolveAggregate(entry, types);
  if (!resolution.ok) throw badArguments(r, call, resolution.reason);
  return resolution.call;
}

function addAggregate(
  r: ExpressionResolver,
  sink: AggregateSink,
  options: {
    readonly call: Call;
    readonly entry: AggregateFunction;
    readonly args: readonly Argument[];
    readonly distinct: boolean;
    readonly filter: Expr | null;
  },
): Expr {
  const { call, entry, distinct, filter } = options;
  const resolved = resolvedAggregate(r, call, entry, options.args);
  const converted = options.args.map(({ expr }, i) => asArgument(expr, resolved.args[i] ?? expr.type));
  const split = converted.length - resolved.constants;
  const constants = converted
    .slice(split)
    .map((expr, i) => constantValue(r, expr, options.args[split + i]?.span ?? call.span, call.name.name));
  const args = converted.slice(0, split);
  checkConstants(r, call, { fn: entry.name, args, constants, type: resolved.returns });
  return sink.add({ fn: entry.name, args, constants, type: resolved.returns, distinct, filter }, call.span);
}

/** A constant that the function refuses is an error of the statement, at its place. */
function checkConstants(
  r: ExpressionResolver,
  call: Call,
  made: Pick<AggregateCall, 'fn' | 'args' | 'constants' | 'type'>,
): void {
  try {
    const types = made.args.map(arg => arg.type);
    r.context.functions.aggregate(made.fn, types, made.type, made.constants);
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'invalid_argument') throw error;
    throw r.problems.error('invalid_argument', call.span, error.message);
  }
}

export const windowBoundsReason =
  'WINDOWSTART and WINDOWEND can only be used in the SELECT of a windowed aggregate';

function constantValue(r: ExpressionResolver, expr: Expr, span: Span, fn: string): Value | null {
  if (expr.node === 'literal') return expr.value;
  throw r.problems.error(
    'invalid_argument',
    span,
    `this argument of ${fn} must be a constant of type ${typeText(expr.type)}`,
  );
}
