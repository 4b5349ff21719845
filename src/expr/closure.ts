import { assert, BugError } from '../core/assert.ts';
import type { SqlType } from '../core/sql-type.ts';
import { sameType } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';
import { arithmetic, negation } from './arithmetic.ts';
import { castBetween } from './cast.ts';
import { comparisonType, decimalOf } from './coercion.ts';
import { type Comparator, comparator, equality } from './compare.ts';
import { compareDecimals } from './decimal.ts';
import type { CompareOp, Expr } from './expr.ts';
import type { EvalContext, Lambda } from './functions.ts';
import { compileLike } from './like.ts';
import type { FunctionRegistry } from './registry.ts';

/** An expression ready to run on a row. */
export type Closure = (row: Row, ctx: EvalContext) => Value | null;

/**
 * The reference back end: an expression as nested closures. Every other back end must equal it, the calls of `ctx.fail`
 * and their order included.
 *
 * - Operands run left to right. AND and OR stop at a left side that decides; CASE and IN stop at the first match.
 * - Comparison is by `comparator`: DOUBLE NaN equals itself and is above all others, as in PostgreSQL.
 * - A NULL key of a MAP constructor is the text `null` for STRING keys (as ksqlDB writes it); other entries are dropped.
 * - A function that throws gives NULL and is reported.
 */
export function compileExpr(expr: Expr, registry: FunctionRegistry): Closure {
  return new Compiler(registry).compile(expr);
}

class Compiler {
  readonly #registry: FunctionRegistry;
  /** values of lambda parameters by slot; evaluation is synchronous and slots are unique within the tree */
  readonly #frame: (Value | null)[] = [];

  constructor(registry: FunctionRegistry) {
    this.#registry = registry;
  }

  compile(expr: Expr): Closure {
    switch (expr.node) {
      case 'literal': {
        const { value } = expr;
        return () => value;
      }
      case 'column': {
        const { index } = expr;
        return row => row[index] ?? null;
      }
      case 'rowtime':
        return this.#time(expr.type, ctx => ctx.rowtime);
      case 'now':
        return this.#time(expr.type, ctx => ctx.now);
      case 'parameter': {
        const { slot } = expr;
        return () => this.#frame[slot] ?? null;
      }
      case 'lambda':
        throw new BugError('a lambda stands only among the arguments of a call');
      case 'call':
        return this.#call(expr);
      case 'arithmetic': {
        const types = { left: expr.left.type, right: expr.right.type, result: expr.type };
        return this.#binary(expr.left, expr.right, arithmetic(expr.op, types));
      }
      case 'negate': {
        const negate = negation(expr.type);
        return this.#unary(expr.arg, negate);
      }
      case 'compare':
        return this.#compare(expr);
      case 'and':
        return this.#junction(expr.left, expr.right, false);
      case 'or':
        return this.#junction(expr.left, expr.right, true);
      case 'not':
        return this.#unary(expr.arg, value => value !== true);
      case 'isNull': {
        const arg = this.compile(expr.arg);
        const { negated } = expr;
        return (row, ctx) => (arg(row, ctx) === null) !== negated;
      }
      case 'like':
        return this.#like(expr);
      case 'in':
        return this.#in(expr);
      case 'case':
        return this.#case(expr);
      case 'cast':
        return this.#unary(expr.arg, castBetween(expr.arg.type, expr.type));
      case 'field': {
        const { index } = expr;
        return this.#unary(expr.arg, value => (value as readonly (Value | null)[])[index] ?? null);
      }
      case 'subscript':
        return this.#binary(expr.arg, expr.index, expr.arg.type.kind === 'MAP' ? mapEntry : arrayElement);
      case 'array':
        return this.#list(expr.items);
      case 'struct':
        return this.#list(expr.fields);
      case 'map':
        return this.#map(expr);
    }
  }

  #unary(arg: Expr, apply: (value: Value, ctx: EvalContext) => Value | null): Closure {
    const value = this.compile(arg);
    return (row, ctx) => {
      const v = value(row, ctx);
      return v === null ? null : apply(v, ctx);
    };
  }

  #binary(left: Expr, right: Expr, apply: (a: Value, b: Value, ctx: EvalContext) => Value | null): Closure {
    const first = this.compile(left);
    const second = this.compile(right);
    return (row, ctx) => {
      const a = first(row, ctx);
      const b = second(row, ctx);
      return a === null || b === null ? null : apply(a, b, ctx);
    };
  }

  #time(type: SqlType, ms: (ctx: EvalContext) => number): Closure {
    return type.kind === 'BIGINT' ? (_, ctx) => BigInt(ms(ctx)) : (_, ctx) => ms(ctx);
  }

  #call(expr: Extract<Expr, { node: 'call' }>): Closure {
    const { fn } = expr;
    const types = expr.args.map(a => (a.node === 'lambda' ? a.body.type : a.type));
    const evaluate = this.#registry.scalar(fn, types, expr.type, expr.site);
    const args = expr.args.map(a => (a.node === 'lambda' ? this.#lambda(a) : this.compile(a)));
    return (row, ctx) => {
      const values = args.map(arg => arg(row, ctx));
      try {
        return evaluate(values, ctx);
      } catch (error) {
        if (error instanceof BugError) throw error;
        return ctx.fail(`${fn}: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
  }

  #lambda({ slots, body }: Extract<Expr, { node: 'lambda' }>): (row: Row, ctx: EvalContext) => Lambda {
    const run = this.compile(body);
    const frame = this.#frame;
    return (row, ctx) =>
      (...args) => {
        for (const [i, slot] of slots.entries()) frame[slot] = args[i] ?? null;
        return run(row, ctx);
      };
  }

  #compare({ op, left, right }: Extract<Expr, { node: 'compare' }>): Closure {
    const relation = relationOf(op, left, right);
    if (op !== 'distinct' && op !== 'not distinct') return this.#binary(left, right, relation);
    const first = this.compile(left);
    const second = this.compile(right);
    const differ = op === 'distinct';
    return (row, ctx) => {
      const a = first(row, ctx);
      const b = second(row, ctx);
      if (a === null || b === null) return (a !== b) === differ;
      return relation(a, b, ctx) === true;
    };
  }

  /** AND (decisive: false) and OR (decisive: true). */
  #junction(left: Expr, right: Expr, decisive: boolean): Closure {
    const first = this.compile(left);
    const second = this.compile(right);
    return (row, ctx) => {
      const a = first(row, ctx);
      if (a === decisive) return decisive;
      const b = second(row, ctx);
      if (b === decisive) return decisive;
      return a === null || b === null ? null : !decisive;
    };
  }

  #like(expr: Extract<Expr, { node: 'like' }>): Closure {
    const { negated } = expr;
    if (expr.pattern.node === 'literal' && typeof expr.pattern.value === 'string') {
      const matches = compileLike(expr.pattern.value, expr.escape);
      return this.#unary(expr.arg, text => matches(text as string) !== negated);
    }
    return this.#binary(
      expr.arg,
      expr.pattern,
      (text, pattern) => compileLike(pattern as string, expr.escape)(text as string) !== negated,
    );
  }

  #in({ arg, list, negated }: Extract<Expr, { node: 'in' }>): Closure {
    const value = this.compile(arg);
    const items = list.map(item => ({
      run: this.compile(item),
      equal: relationOf('=', arg, item),
    }));
    return (row, ctx) => {
      const v = value(row, ctx);
      if (v === null) return null;
      let unknown = false;
      for (const item of items) {
        const x = item.run(row, ctx);
        if (x === null) unknown = true;
        else if (item.equal(v, x, ctx) === true) return !negated;
      }
      return unknown ? null : negated;
    };
  }

  #case({ whens, otherwise }: Extract<Expr, { node: 'case' }>): Closure {
    const branches = whens.map(w => ({ when: this.compile(w.when), then: this.compile(w.then) }));
    const last = otherwise ? this.compile(otherwise) : () => null;
    return (row, ctx) => {
      for (const branch of branches) {
        if (branch.when(row, ctx) === true) return branch.then(row, ctx);
      }
      return last(row, ctx);
    };
  }

  #list(exprs: readonly Expr[]): Closure {
    const items = exprs.map(e => this.compile(e));
    return (row, ctx) => items.map(item => item(row, ctx));
  }

  #map(expr: Extract<Expr, { node: 'map' }>): Closure {
    assert(expr.type.kind === 'MAP', 'a map has a MAP type');
    const nullKey = expr.type.key.kind === 'STRING' ? 'null' : null;
    const entries = expr.entries.map(e => ({ key: this.compile(e.key), value: this.compile(e.value) }));
    return (row, ctx) => {
      const map = new Map<Value, Value | null>();
      for (const entry of entries) {
        const key = entry.key(row, ctx) ?? nullKey;
        const value = entry.value(row, ctx);
        if (key !== null) map.set(key, value);
      }
      return map;
    };
  }
}

/** From 1, negative from the end; outside of the array NULL. */
function arrayElement(array: Value, index: Value): Value | null {
  const items = array as readonly (Value | null)[];
  const i = Number(index);
  return items[i > 0 ? i - 1 : i < 0 ? items.length + i : -1] ?? null;
}

function mapEntry(map: Value, key: Value): Value | null {
  return (map as ReadonlyMap<Value, Value | null>).get(key) ?? null;
}

function isNullLiteral(expr: Expr): boolean {
  return expr.node === 'literal' && expr.value === null;
}

/** The comparison of two values that are not NULL. Sides of different types are first cast to the common one. */
function relationOf(
  op: CompareOp,
  leftExpr: Expr,
  rightExpr: Expr,
): (a: Value, b: Value, ctx: EvalContext) => Value | null {
  // a literal NULL has no type of its own and nothing to compare
  if (isNullLiteral(leftExpr) || isNullLiteral(rightExpr)) return () => null;
  const { type: left } = leftExpr;
  const { type: right } = rightExpr;
  const type = comparisonType(left, right);
  assert(type, 'sides of a comparison have a common type');
  const exact = type.kind === 'DECIMAL' ? decimalRelation(op, left, right) : null;
  if (exact) return exact;
  const test = testOf(op, type);
  const castLeft = castBetween(left, type);
  const castRight = castBetween(right, type);
  if (sameType(left, type) && sameType(right, type)) return test;
  return (a, b, ctx) => {
    const x = castLeft(a, ctx);
    const y = castRight(b, ctx);
    return x === null || y === null ? null : test(x, y);
  };
}

/** Exact numbers of different scales are compared as they are: the common type may be too narrow for both. */
function decimalRelation(
  op: CompareOp,
  left: SqlType,
  right: SqlType,
): ((a: Value, b: Value) => boolean) | null {
  const a = decimalOf(left);
  const b = decimalOf(right);
  if (!a || !b || a.scale === b.scale) return null;
  const test = testOf(op, { kind: 'INT' });
  const unscaled = (v: Value) => (typeof v === 'bigint' ? v : BigInt(v as number));
  return (x, y) => test(compareDecimals(unscaled(x), a.scale, unscaled(y), b.scale), 0);
}

function testOf(op: CompareOp, type: SqlType): (a: Value, b: Value) => boolean {
  const equal = equality(type);
  const compare: Comparator = comparator(type);
  switch (op) {
    case '=':
    case 'not distinct':
      return equal;
    case '<>':
    case 'distinct':
      return (a, b) => !equal(a, b);
    case '<':
      return (a, b) => compare(a, b) < 0;
    case '<=':
      return (a, b) => compare(a, b) <= 0;
    case '>':
      return (a, b) => compare(a, b) > 0;
    case '>=':
      return (a, b) => compare(a, b) >= 0;
  }
}
