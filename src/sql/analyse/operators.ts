import { assert } from '../../core/assert.ts';
import { parseTimestamp } from '../../core/iso-time.ts';
import type { Span } from '../../core/span.ts';
import { BOOLEAN, isNumeric, type SqlType, STRING, TIMESTAMP, typeText } from '../../core/sql-type.ts';
import { arithmeticType, canCast, comparable, comparisonType } from '../../expr/coercion.ts';
import type { ArithmeticOp, CompareOp, Expr } from '../../expr/expr.ts';
import type { BinaryOp, Expression } from '../ast.ts';
import { asCommon, coerceTo, isStringLiteral, isTemporal, literal, UNTYPED_NULL, unify } from './coerce.ts';
import { type Interval, intervalOf, unitMs } from './duration.ts';
import type { ExpressionResolver } from './expression.ts';
import { FULL_SQL } from './problems.ts';
import { isNeverNull } from './scope.ts';
import { isWindowColumn } from './system-columns.ts';

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

export function toBoolean(r: ExpressionResolver, expr: Expr, span: Span, where: string): Expr {
  const value = coerceTo(expr, BOOLEAN);
  if (value && (expr.type.kind === 'BOOLEAN' || expr === UNTYPED_NULL)) return value;
  throw r.problems.error(
    'type_mismatch',
    span,
    `${where} needs a BOOLEAN condition, but this is ${typeText(expr.type)}`,
    'compare it with something: ... > 0, ... IS NOT NULL',
  );
}

export function resolveUnary(r: ExpressionResolver, expression: Of<'unary'>): Expr {
  if (expression.op === 'not') {
    return { node: 'not', type: BOOLEAN, arg: r.boolean(expression.arg, 'NOT') };
  }
  if (expression.arg.kind === 'number' && expression.op === '-') {
    return r.number(`-${expression.arg.text}`, expression.span);
  }
  const arg = r.resolve(expression.arg);
  if (!isNumeric(arg.type)) {
    throw r.problems.error(
      'type_mismatch',
      expression.span,
      `${expression.op} needs a number, but this is ${typeText(arg.type)}`,
    );
  }
  return expression.op === '+' ? arg : { node: 'negate', type: arg.type, arg };
}

const COMPARE: Partial<Record<BinaryOp, CompareOp>> = {
  '=': '=',
  '<>': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  'is distinct from': 'distinct',
  'is not distinct from': 'not distinct',
};

export function resolveBinary(r: ExpressionResolver, expression: Of<'binary'>): Expr {
  const { op } = expression;
  if (op === 'and' || op === 'or') return logic(r, expression, op);
  const compareOp = COMPARE[op];
  if (compareOp) {
    return compare(r, {
      op: compareOp,
      left: r.resolve(expression.left),
      right: r.resolve(expression.right),
      span: expression.span,
      opSpan: expression.opSpan,
    });
  }
  switch (op) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(r, expression, op);
    case '||':
      return concat(r, expression);
    default:
      throw r.problems.error(
        'not_supported',
        expression.opSpan,
        `${op.toUpperCase()} is not supported by this version`,
      );
  }
}

/** Long chains of AND and OR are deep to the left: walked without recursion. */
function logic(r: ExpressionResolver, expression: Of<'binary'>, op: 'and' | 'or'): Expr {
  const rights: Expression[] = [];
  let at: Expression = expression;
  while (at.kind === 'binary' && at.op === op) {
    rights.push(at.right);
    at = at.left;
  }
  let result = r.boolean(at, op.toUpperCase());
  for (const right of rights.reverse()) {
    result = { node: op, type: BOOLEAN, left: result, right: r.boolean(right, op.toUpperCase()) };
  }
  return result;
}

interface Comparison {
  readonly op: CompareOp;
  readonly left: Expr;
  readonly right: Expr;
  readonly span: Span;
  readonly opSpan: Span;
}

export function compare(r: ExpressionResolver, comparison: Comparison): Expr {
  const c = withTimestampText(r, comparison);
  const { op } = c;
  const nulls = c.left === UNTYPED_NULL || c.right === UNTYPED_NULL;
  if (nulls && r.strict && op !== 'distinct' && op !== 'not distinct') {
    throw r.problems.error(
      'type_mismatch',
      c.span,
      'a comparison with NULL is never true',
      'write IS NULL or IS NOT NULL',
    );
  }
  if (nulls) {
    const type = c.left === UNTYPED_NULL ? c.right.type : c.left.type;
    const left = coerceTo(c.left, type) ?? c.left;
    const right = coerceTo(c.right, type) ?? c.right;
    return { node: 'compare', type: BOOLEAN, op, left, right };
  }
  const type = comparisonType(c.left.type, c.right.type) ?? literalComparison(r, c);
  if (!type || (!comparable(c.left.type, c.right.type, op) && r.strict) || unordered(type, op)) {
    throw r.problems.error(
      'type_mismatch',
      c.opSpan,
      `cannot compare ${typeText(c.left.type)} with ${typeText(c.right.type)} by ${opText(op)}`,
      !unordered(c.left.type, op) && canCast(c.left.type, c.right.type)
        ? 'convert one side with CAST(... AS ...)'
        : undefined,
    );
  }
  return {
    node: 'compare',
    type: BOOLEAN,
    op,
    left: convert(r, c.left, type, c.span),
    right: convert(r, c.right, type, c.span),
  };
}

/** Text beside ROWTIME, WINDOWSTART or WINDOWEND is a timestamp: ROWTIME >= '2018-01-01T00:00'. */
function withTimestampText(r: ExpressionResolver, c: Comparison): Comparison {
  const read = (text: Expr, other: Expr): Expr => {
    const isTime = other.node === 'rowtime' || (other.node === 'column' && isWindowColumn(other.name));
    if (!isTime || !isStringLiteral(text)) return text;
    const ms = parseTimestamp(String(text.value));
    if (ms === null) {
      throw r.problems.error('type_mismatch', c.span, `'${String(text.value)}' is no timestamp`);
    }
    return literal(other.type, BigInt(ms));
  };
  return { ...c, left: read(c.left, c.right), right: read(c.right, c.left) };
}

/** PostgreSQL reads a quoted literal as the type of the other side. */
function literalComparison(r: ExpressionResolver, c: Comparison): SqlType | null {
  if (r.strict) return null;
  if (c.right.node === 'literal' && coerceTo(c.right, c.left.type)) return c.left.type;
  if (c.left.node === 'literal' && coerceTo(c.left, c.right.type)) return c.right.type;
  return null;
}

function unordered(type: SqlType, op: CompareOp): boolean {
  return (op === '<' || op === '<=' || op === '>' || op === '>=') && !comparable(type, type, op);
}

function opText(op: CompareOp): string {
  if (op === 'distinct') return 'IS DISTINCT FROM';
  return op === 'not distinct' ? 'IS NOT DISTINCT FROM' : op;
}

/** As `type`, which the type rules allow; text of a date or time is read. */
function convert(r: ExpressionResolver, expr: Expr, type: SqlType, span: Span): Expr {
  const value = coerceTo(expr, type);
  if (value) return value;
  if (isStringLiteral(expr)) {
    throw r.problems.error('type_mismatch', span, `'${String(expr.value)}' is no ${typeText(type)}`);
  }
  if (canCast(expr.type, type)) return { node: 'cast', type, arg: expr };
  throw r.problems.error('type_mismatch', span, `${typeText(expr.type)} cannot stand for ${typeText(type)}`);
}

export function resolveBetween(r: ExpressionResolver, expression: Of<'between'>): Expr {
  const arg = r.resolve(expression.arg);
  const side = (op: CompareOp, bound: Expression): Expr =>
    compare(r, { op, left: arg, right: r.resolve(bound), span: expression.span, opSpan: expression.span });
  const inside: Expr = {
    node: 'and',
    type: BOOLEAN,
    left: side('>=', expression.low),
    right: side('<=', expression.high),
  };
  return expression.negated ? { node: 'not', type: BOOLEAN, arg: inside } : inside;
}

export function resolveIn(r: ExpressionResolver, expression: Of<'in'>): Expr {
  if (!isList(expression.list)) {
    const { arg, list: query, span } = expression;
    const found = resolveAny(r, { kind: 'any', arg, op: '=', query, span });
    return expression.negated ? { node: 'not', type: BOOLEAN, arg: found } : found;
  }
  const all = [expression.arg, ...expression.list].map((e: Expression) => r.item(e));
  const type = unify(all, 'values of IN', r.problems) ?? STRING;
  const [arg = UNTYPED_NULL, ...list] = asCommon(all, type, 'values of IN', r.problems);
  return { node: 'in', type: BOOLEAN, arg, list, negated: expression.negated };
}

/** `arg op ANY (query)`; with = it is IN. */
export function resolveAny(r: ExpressionResolver, { arg, op, query, span }: Of<'any'>): Expr {
  return r.subqueries(span).contains(
    { query, as: 'in', span },
    {
      compare(value) {
        const compared = compare(r, { op, left: r.resolve(arg), right: value, span, opSpan: span });
        assert(compared.node === 'compare', 'a comparison');
        return compared;
      },
      argNeverNull: expr => isNeverNull(expr, r.context.scope),
    },
  );
}

function isList(list: Of<'in'>['list']): list is readonly Expression[] {
  return Array.isArray(list);
}

function concat(r: ExpressionResolver, expression: Of<'binary'>): Expr {
  const text = (e: Expression): Expr => {
    const expr = r.resolve(e);
    const value = coerceTo(expr, STRING);
    if (value) return value;
    if (!r.strict && canCast(expr.type, STRING)) return { node: 'cast', type: STRING, arg: expr };
    throw r.problems.error('type_mismatch', e.span, `|| joins STRINGs, but this is ${typeText(expr.type)}`);
  };
  const left = text(expression.left);
  return { node: 'arithmetic', type: STRING, op: '+', left, right: text(expression.right) };
}

function arithmetic(r: ExpressionResolver, expression: Of<'binary'>, op: ArithmeticOp): Expr {
  const interval = intervalOf(expression.right);
  if (interval && (op === '+' || op === '-')) {
    const amount = op === '-' ? -interval.amount : interval.amount;
    return addInterval(r, r.resolve(expression.left), { ...interval, amount }, expression);
  }
  const leftInterval = op === '+' ? intervalOf(expression.left) : null;
  if (leftInterval) return addInterval(r, r.resolve(expression.right), leftInterval, expression);

  let left = r.resolve(expression.left);
  let right = r.resolve(expression.right);
  if (left === UNTYPED_NULL) left = literal(right.type, null);
  if (right === UNTYPED_NULL) right = literal(left.type, null);
  const type = arithmeticType(op, left.type, right.type) ?? stringSum(r, op, left, right);
  if (!type) {
    const days = addDays(r, op, left, right);
    if (days) return days;
    throw r.problems.error(
      'type_mismatch',
      expression.opSpan,
      `${op} does not take ${typeText(left.type)} and ${typeText(right.type)}`,
      isTemporal(left.type) || isTemporal(right.type)
        ? 'add to dates and times with DATEADD, TIMESTAMPADD or an INTERVAL'
        : undefined,
    );
  }
  return {
    node: 'arithmetic',
    type,
    op,
    left: operand(left, type, op),
    right: operand(right, type, op),
  };
}

/** Operands get the kind of the result; DECIMAL ones keep their own precision and scale. */
function operand(expr: Expr, result: SqlType, op: ArithmeticOp): Expr {
  if (result.kind === 'DECIMAL') {
    if (expr.type.kind === 'DECIMAL') return expr;
    const precision = expr.type.kind === 'BIGINT' ? 19 : 10;
    return coerceTo(expr, { kind: 'DECIMAL', precision, scale: 0 }) ?? expr;
  }
  if (result.kind === 'STRING' && op === '+') return coerceTo(expr, STRING) ?? expr;
  return coerceTo(expr, result) ?? expr;
}

function stringSum(r: ExpressionResolver, op: ArithmeticOp, left: Expr, right: Expr): SqlType | null {
  if (op !== '+' || !r.strict) return null;
  return left.type.kind === 'STRING' && right.type.kind === 'STRING' ? STRING : null;
}

/** DATE + 3, DATE - 3 (days) and DATE - DATE (days between): full SQL only. */
function addDays(r: ExpressionResolver, op: ArithmeticOp, left: Expr, right: Expr): Expr | null {
  if (r.strict || (op !== '+' && op !== '-') || left.type.kind !== 'DATE') return null;
  if (right.type.kind === 'DATE' && op === '-') {
    return r.callOf('DAYS_BETWEEN', [left, right], { kind: 'INT' });
  }
  if (right.type.kind !== 'INT') return null;
  const amount = op === '-' ? negated(right) : right;
  return r.callOf('DATE_ADD_DAYS', [left, amount], left.type);
}

function negated(expr: Expr): Expr {
  if (expr.node === 'literal' && typeof expr.value === 'number') return literal(expr.type, -expr.value);
  return { node: 'negate', type: expr.type, arg: expr };
}

function addInterval(r: ExpressionResolver, base: Expr, interval: Interval, expression: Of<'binary'>): Expr {
  if (r.strict) {
    throw r.problems.error(
      'invalid_statement',
      expression.opSpan,
      'KSQL has no INTERVAL arithmetic: use DATEADD, TIMEADD or TIMESTAMPADD',
      FULL_SQL,
    );
  }
  const amount = literal({ kind: 'INT' }, interval.amount);
  const unit = literal(STRING, interval.unit);
  if (base.type.kind === 'DATE' || base.type.kind === 'TIMESTAMP') {
    // PostgreSQL: a date plus an interval is a timestamp
    const arg: Expr = base.type.kind === 'DATE' ? { node: 'cast', type: TIMESTAMP, arg: base } : base;
    return r.callOf('TIMESTAMPADD', [unit, amount, arg], TIMESTAMP);
  }
  if (base.type.kind === 'TIME' && unitMs(interval.unit) !== null) {
    return r.callOf('TIMEADD', [unit, amount, base], base.type);
  }
  throw r.problems.error(
    'type_mismatch',
    expression.opSpan,
    `an interval cannot be added to ${typeText(base.type)}`,
  );
}
