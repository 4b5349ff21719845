import type { Span } from '../../core/span.ts';
import { BOOLEAN, STRING, typeText } from '../../core/sql-type.ts';
import { orderText } from '../../expr/aggregates/ordered-list.ts';
import { isOrdered } from '../../expr/coercion.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Expression, OrderItem } from '../ast.ts';
import { literal } from './coerce.ts';
import { exprKey } from './expr-tree.ts';
import type { ExpressionResolver } from './expression.ts';
import { nullsFirst } from './window-calls.ts';

type Call = Extract<Expression, { kind: 'call' }>;

/** An argument of an aggregate and where it stands. */
export interface Argument {
  readonly expr: Expr;
  readonly span: Span;
}

/** Aggregates of an ordered group: what is ordered is their argument. */
const ORDERED_SETS = new Set(['PERCENTILE_CONT', 'PERCENTILE_DISC', 'MODE']);
/** Aggregates whose result has an order, and what they are called with one. */
const LISTS: Readonly<Record<string, string>> = { STRING_AGG: 'STRING_AGG_BY', ARRAY_AGG: 'ARRAY_AGG_BY' };

export interface OrderedAggregate {
  readonly fn: string;
  readonly args: readonly Argument[];
}

/** What an aggregate with an order of its own, or a list with DISTINCT, is called with; null: it has neither. */
export function orderedAggregate(
  r: ExpressionResolver,
  call: Call,
  fn: string,
  args: readonly Argument[],
): OrderedAggregate | null {
  const { order } = call;
  if (ORDERED_SETS.has(fn)) return orderedSet(r, call, fn, args);
  const list = LISTS[fn];
  if (!list) {
    if (!order) return null;
    throw r.problems.error(
      'invalid_statement',
      order.items[0]?.span ?? call.span,
      `${call.name.name.toUpperCase()} has no order: ORDER BY stands in STRING_AGG and ARRAY_AGG, WITHIN GROUP behind PERCENTILE_CONT, PERCENTILE_DISC and MODE`,
      fn.startsWith('COLLECT_')
        ? 'write ARRAY_AGG(x ORDER BY y)'
        : `write ${call.name.name.toUpperCase()}(...) without it`,
    );
  }
  const [value, ...rest] = args;
  if (!value || (!order && !call.distinct)) return null;
  const keys = order ? order.items.map(item => orderKey(r, item)) : [value];
  if (call.distinct) refuseOtherOrder(r, value, keys);
  const items = order?.items ?? [{ descending: false, nulls: null }];
  const directions = items.map(item => ({ descending: item.descending, nullsFirst: nullsFirst(item) }));
  const text = literal(STRING, orderText(directions, call.distinct));
  return { fn: list, args: [value, ...keys, ...rest, { expr: text, span: call.span }] };
}

function orderedSet(
  r: ExpressionResolver,
  call: Call,
  fn: string,
  args: readonly Argument[],
): OrderedAggregate {
  const [item, ...more] = call.order?.within ? call.order.items : [];
  if (!item || more.length > 0 || call.distinct) {
    const part = fn === 'MODE' ? '' : '0.5';
    throw r.problems.error(
      'invalid_statement',
      call.span,
      `${fn} is of an ordered group: it has one expression in WITHIN GROUP (ORDER BY ...)`,
      `write ${fn}(${part}) WITHIN GROUP (ORDER BY x)`,
    );
  }
  const descending = { expr: literal(BOOLEAN, item.descending), span: item.span };
  return { fn, args: [orderKey(r, item), ...args, descending] };
}

function orderKey(r: ExpressionResolver, { expression, span }: OrderItem): Argument {
  const expr = r.typed(expression);
  if (isOrdered(expr.type)) return { expr, span };
  throw r.problems.error('type_mismatch', span, `values of ${typeText(expr.type)} have no order`);
}

/** Of equal values one is left: what the others were ordered by is not known any more. */
function refuseOtherOrder(r: ExpressionResolver, value: Argument, keys: readonly Argument[]): void {
  const other = keys.find(key => exprKey(key.expr) !== exprKey(value.expr));
  if (!other) return;
  throw r.problems.error(
    'invalid_statement',
    other.span,
    'with DISTINCT the values can be ordered by themselves only',
    'write ORDER BY and the same expression as the value, or leave it out',
  );
}
