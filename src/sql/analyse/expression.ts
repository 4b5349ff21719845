import type { Span } from '../../core/span.ts';
import { BOOLEAN, type SqlType, STRING, structOf, typeText } from '../../core/sql-type.ts';
import { canCast, numberLiteral } from '../../expr/coercion.ts';
import type { Expr } from '../../expr/expr.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import type { AggregateCall } from '../../plan/plan.ts';
import type { Expression, Identifier } from '../ast.ts';
import { type Catalog, canonical } from '../catalog.ts';
import { closest } from '../suggest.ts';
import { clockExpr, resolveCall } from './calls.ts';
import { asCommon, coerceTo, type Item, literal, UNTYPED_NULL, unify } from './coerce.ts';
import {
  resolveAny,
  resolveBetween,
  resolveBinary,
  resolveIn,
  resolveUnary,
  toBoolean,
} from './operators.ts';
import { FULL_SQL, type Problems } from './problems.ts';
import { findColumns, lookup, type Scope } from './scope.ts';
import { rounded } from './standard-rounding.ts';
import type { Subqueries } from './subqueries.ts';
import { resolveType } from './type-name.ts';
import { typedLiteral } from './typed-literal.ts';
import type { WindowCalls } from './window-calls.ts';

export type Mode = 'strict' | 'complete';

/** Aggregates that a clause collects; their results stand in the expression as columns from {@link AGGREGATE_BASE}. */
export interface AggregateSink {
  add(call: AggregateCall, span: Span): Expr;
  /** WINDOWSTART | WINDOWEND of a windowed aggregate, or null when there is no window */
  bound(name: 'WINDOWSTART' | 'WINDOWEND'): Expr | null;
}

export interface TableFunctionSink {
  add(call: { fn: string; args: readonly Expr[]; type: SqlType }, span: Span): Expr;
}

/** What one statement's expressions share. */
export interface ResolverContext {
  readonly problems: Problems;
  readonly functions: FunctionRegistry;
  readonly catalog: Catalog;
  readonly mode: Mode;
  readonly scope: Scope;
  /** numbers lambda slots and call sites of functions that are not deterministic */
  readonly numbering: { slot: number; site: number };
  /** where each column expression was written */
  readonly spans: WeakMap<Expr, Span>;
  /** takes the queries in expressions; null: there are none */
  readonly subqueries: Subqueries | null;
}

export interface ClauseOptions {
  /** how messages call the clause */
  readonly clause: string;
  readonly aggregates?: AggregateSink | undefined;
  readonly tableFunctions?: TableFunctionSink | undefined;
  /** why WINDOWSTART and WINDOWEND of a windowed aggregate may not stand here */
  readonly windowBounds?: string | undefined;
  /** takes functions with OVER */
  readonly windowCalls?: WindowCalls | undefined;
  /** what to write instead of a subquery here */
  readonly insteadOfSubquery?: string | undefined;
}

/** Syntax -> typed expression over the input row. Throws a located error at the first rule that is broken. */
export class ExpressionResolver {
  readonly context: ResolverContext;
  readonly options: ClauseOptions;
  readonly #parameters: { readonly name: Identifier; readonly expr: Expr }[] = [];

  constructor(context: ResolverContext, options: ClauseOptions) {
    this.context = context;
    this.options = options;
  }

  get problems(): Problems {
    return this.context.problems;
  }

  get strict(): boolean {
    return this.context.mode === 'strict';
  }

  /** The same names in a place where aggregates and table functions are (not) allowed. */
  inside(options: ClauseOptions): ExpressionResolver {
    const resolver = new ExpressionResolver(this.context, options);
    resolver.#parameters.push(...this.#parameters);
    return resolver;
  }

  resolve(expression: Expression): Expr {
    switch (expression.kind) {
      case 'null':
        return UNTYPED_NULL;
      case 'boolean':
        return literal(BOOLEAN, expression.value);
      case 'number':
        return this.number(expression.text, expression.span);
      case 'string':
        return literal(STRING, expression.value);
      case 'typedLiteral':
        return typedLiteral(expression, this.problems);
      case 'duration':
        throw this.#error(expression.span, 'type_mismatch', 'a duration has no value of its own here');
      case 'unit':
        return literal(STRING, expression.unit);
      case 'column':
        return this.#column(expression);
      case 'star':
        throw this.#error(
          expression.span,
          'invalid_statement',
          '* is an argument of COUNT only',
          'name the column',
        );
      case 'call':
        return resolveCall(this, expression);
      case 'lambda':
        throw this.#error(
          expression.span,
          'invalid_statement',
          'a lambda is an argument of a function, not a value',
        );
      case 'unary':
        return resolveUnary(this, expression);
      case 'binary':
        return resolveBinary(this, expression);
      case 'between':
        return resolveBetween(this, expression);
      case 'like':
        return this.#like(expression);
      case 'in':
        return resolveIn(this, expression);
      case 'any':
        return resolveAny(this, expression);
      case 'exists':
        return this.subqueries(expression.span).exists(expression.query, expression.span);
      case 'subquery':
        return this.subqueries(expression.span).scalar(expression.query, expression.span);
      case 'isNull': {
        const arg = this.resolve(expression.arg);
        return { node: 'isNull', type: BOOLEAN, arg, negated: expression.negated };
      }
      case 'isTruth': {
        const left = this.boolean(expression.arg, 'IS TRUE');
        const right = literal(BOOLEAN, expression.truth);
        const op = expression.negated ? 'distinct' : 'not distinct';
        return { node: 'compare', type: BOOLEAN, op, left, right };
      }
      case 'case':
        return this.#case(expression);
      case 'cast':
        return this.#cast(expression);
      case 'field':
        return this.field(this.resolve(expression.arg), expression.name, expression.span);
      case 'subscript':
        return this.#subscript(expression);
      case 'array':
        return this.#array(expression);
      case 'map':
        return this.#map(expression);
      case 'struct': {
        this.#distinctFields(expression);
        const fields = expression.fields.map(f => this.typed(f.value));
        const names = expression.fields.map((f, i) => ({
          name: f.name.name,
          type: fields[i]?.type ?? STRING,
        }));
        return { node: 'struct', type: structOf(names), fields };
      }
      case 'extract':
        return this.#extract(expression);
    }
  }

  /** The expression, where NULL without a type is none. */
  typed(expression: Expression): Expr {
    const expr = this.resolve(expression);
    if (expr !== UNTYPED_NULL) return expr;
    if (!this.strict) return literal(STRING, null);
    throw this.#error(
      expression.span,
      'type_mismatch',
      'the type of NULL cannot be told here',
      'write CAST(NULL AS STRING), or the type that you mean',
    );
  }

  boolean(expression: Expression, where: string): Expr {
    return toBoolean(this, this.resolve(expression), expression.span, where);
  }

  item(expression: Expression): Item {
    return { expr: this.resolve(expression), span: expression.span };
  }

  /** Brings lambda parameters into view for the body. */
  lambdaBody(
    parameters: readonly Identifier[],
    types: readonly SqlType[],
    body: Expression,
  ): Extract<Expr, { node: 'lambda' }> {
    const before = this.#parameters.length;
    const slots = parameters.map((name, i) => {
      const slot = this.context.numbering.slot++;
      const type = types[i] ?? STRING;
      this.#parameters.push({ name, expr: { node: 'parameter', type, slot, name: name.name } });
      return slot;
    });
    try {
      const inner = this.resolve(body);
      return { node: 'lambda', type: inner.type, slots, body: inner };
    } finally {
      this.#parameters.length = before;
    }
  }

  /** What takes the queries of this clause. */
  subqueries(span: Span): Subqueries {
    const { clause, insteadOfSubquery } = this.options;
    const { subqueries } = this.context;
    if (subqueries && !insteadOfSubquery) return subqueries;
    throw this.#error(
      span,
      'not_supported',
      subqueries ? `a subquery cannot stand in ${clause}` : 'KSQL has no subqueries',
      insteadOfSubquery ?? FULL_SQL,
    );
  }

  /** A call that the resolver itself writes, with arguments that have the function's types. */
  callOf(fn: string, args: readonly Expr[], type: SqlType): Expr {
    return { node: 'call', type, fn, args, site: 0 };
  }

  number(text: string, span: Span): Expr {
    const found = numberLiteral(text);
    if (!found)
      throw this.#error(
        span,
        'type_mismatch',
        `number ${text} is outside of every number type`,
        `write it as a DOUBLE: ${text}E0`,
      );
    return literal(found.type, found.value);
  }

  field(arg: Expr, name: Identifier, span: Span): Expr {
    if (arg.type.kind !== 'STRUCT') {
      throw this.#error(
        span,
        'type_mismatch',
        `-> needs a STRUCT, but this is ${typeText(arg.type)}`,
        arg.type.kind === 'MAP' ? `write ['${name.name}']` : 'leave -> and what follows it out',
      );
    }
    const { fields } = arg.type;
    const exact = fields.findIndex(f => f.name === name.name);
    const index =
      exact >= 0 ? exact : fields.findIndex(f => f.name.toUpperCase() === name.name.toUpperCase());
    const field = fields[index];
    if (!field) {
      const near = closest(
        name.name,
        fields.map(f => f.name),
      );
      throw this.#error(
        name.span,
        'unknown_column',
        `the struct has no field "${name.name}"`,
        near === null ? `its fields: ${fields.map(f => f.name).join(', ')}` : `did you mean "${near}"?`,
      );
    }
    return { node: 'field', type: field.type, arg, index, name: field.name };
  }

  #error(span: Span, code: Parameters<Problems['error']>[0], message: string, hint?: string) {
    return this.problems.error(code, span, message, hint);
  }

  #column(expression: Extract<Expression, { kind: 'column' }>): Expr {
    const { name, qualifier } = expression;
    if (qualifier === null) {
      const parameter = this.#parameters.findLast(p => p.name.name.toUpperCase() === name.name.toUpperCase());
      if (parameter) return parameter.expr;
    }
    const upper = name.name.toUpperCase();
    if (!name.quoted && (upper === 'WINDOWSTART' || upper === 'WINDOWEND')) {
      const bound = this.options.aggregates?.bound(upper) ?? null;
      if (bound) return this.#noted(bound, expression.span);
      if (this.options.windowBounds) {
        throw this.#error(expression.span, 'invalid_statement', this.options.windowBounds);
      }
    }
    if (qualifier === null && !name.quoted && findColumns(this.context.scope.columns, name).length === 0) {
      const clock = clockExpr(this, name.name);
      if (clock) return this.#noted(clock, expression.span);
    }
    return this.#noted(lookup(this.context.scope, qualifier, name, this.problems).expr, expression.span);
  }

  #noted(expr: Expr, span: Span): Expr {
    const copy = { ...expr };
    this.context.spans.set(copy, span);
    return copy;
  }

  #like(expression: Extract<Expression, { kind: 'like' }>): Expr {
    const text = (e: Expression): Expr => {
      const expr = coerceTo(this.resolve(e), STRING);
      if (expr?.type.kind !== 'STRING') {
        throw this.#error(e.span, 'type_mismatch', 'LIKE compares STRINGs');
      }
      return expr;
    };
    const arg = text(expression.arg);
    const pattern = text(expression.pattern);
    let escapeCharacter: string | null = null;
    if (expression.escape) {
      if (expression.escape.kind !== 'string' || [...expression.escape.value].length !== 1) {
        throw this.#error(expression.escape.span, 'invalid_argument', 'ESCAPE is a single character');
      }
      escapeCharacter = expression.escape.value;
    }
    return {
      node: 'like',
      type: BOOLEAN,
      arg,
      pattern,
      escape: escapeCharacter,
      negated: expression.negated,
    };
  }

  #case(expression: Extract<Expression, { kind: 'case' }>): Expr {
    const conditions = expression.whens.map(w =>
      expression.operand
        ? resolveBinary(this, {
            kind: 'binary',
            op: '=',
            left: expression.operand,
            right: w.when,
            span: w.when.span,
            opSpan: w.when.span,
          })
        : this.boolean(w.when, 'WHEN'),
    );
    const branches = expression.whens.map(w => this.item(w.then));
    if (expression.otherwise) branches.push(this.item(expression.otherwise));
    const type = unify(branches, 'branches of CASE', this.problems);
    if (!type && this.strict) {
      throw this.#error(
        expression.span,
        'type_mismatch',
        'all branches of CASE are NULL',
        'write CAST(NULL AS STRING), or the type that you mean',
      );
    }
    const values = asCommon(branches, type ?? STRING, 'branches of CASE', this.problems);
    const whens = conditions.map((when, i) => ({ when, then: values[i] ?? UNTYPED_NULL }));
    const otherwise = expression.otherwise ? (values.at(-1) ?? null) : null;
    return { node: 'case', type: type ?? STRING, whens, otherwise };
  }

  #cast(expression: Extract<Expression, { kind: 'cast' }>): Expr {
    const type = resolveType(expression.type, this.context.catalog, this.problems);
    const arg = this.resolve(expression.arg);
    if (arg === UNTYPED_NULL) return literal(type, null);
    if (!canCast(arg.type, type) && !coerceTo(arg, type)) {
      throw this.#error(
        expression.span,
        'type_mismatch',
        `${typeText(arg.type)} cannot be cast to ${typeText(type)}`,
        arg.type.kind === 'ARRAY'
          ? `cast its elements: TRANSFORM(..., x => CAST(x AS ${typeText(type)}))`
          : 'CAST goes between numbers, between texts and everything, and between points in time',
      );
    }
    const whole = type.kind === 'INT' || type.kind === 'BIGINT';
    return { node: 'cast', type, arg: whole && !this.strict ? rounded(arg) : arg };
  }

  #subscript(expression: Extract<Expression, { kind: 'subscript' }>): Expr {
    const arg = this.resolve(expression.arg);
    const index = this.resolve(expression.index);
    const wanted = arg.type.kind === 'MAP' ? arg.type.key : null;
    if (arg.type.kind === 'MAP' && wanted) {
      const key = coerceTo(index, wanted);
      if (key) return { node: 'subscript', type: arg.type.value, arg, index: key };
    } else if (arg.type.kind === 'ARRAY') {
      if (index.type.kind === 'INT') return { node: 'subscript', type: arg.type.element, arg, index };
      if (index.type.kind === 'BIGINT') {
        const key: Expr = { node: 'cast', type: { kind: 'INT' }, arg: index };
        return { node: 'subscript', type: arg.type.element, arg, index: key };
      }
    } else {
      throw this.#error(
        expression.span,
        'type_mismatch',
        `[...] needs an ARRAY or a MAP, but this is ${typeText(arg.type)}`,
      );
    }
    throw this.#error(
      expression.index.span,
      'type_mismatch',
      `the index of ${typeText(arg.type)} cannot be ${typeText(index.type)}`,
    );
  }

  #array(expression: Extract<Expression, { kind: 'array' }>): Expr {
    const items = expression.items.map(e => this.item(e));
    const type = unify(items, 'elements of the array', this.problems);
    if (!type) {
      throw this.#error(
        expression.span,
        'type_mismatch',
        items.length === 0 ? 'an array needs at least one element' : 'all elements of the array are NULL',
        'write CAST(NULL AS STRING), or the type that you mean',
      );
    }
    const values = asCommon(items, type, 'elements of the array', this.problems);
    return { node: 'array', type: { kind: 'ARRAY', element: type }, items: values };
  }

  #map(expression: Extract<Expression, { kind: 'map' }>): Expr {
    const keys = expression.entries.map(e => this.item(e.key));
    const values = expression.entries.map(e => this.item(e.value));
    const key = unify(keys, 'keys of the map', this.problems);
    const value = unify(values, 'values of the map', this.problems);
    if (!key || !value) {
      const empty = keys.length === 0;
      const message = empty
        ? 'a map needs at least one entry'
        : `all ${key ? 'values' : 'keys'} of the map are NULL`;
      throw this.#error(
        expression.span,
        'type_mismatch',
        message,
        'write CAST(NULL AS STRING), or the type that you mean',
      );
    }
    const keyExprs = asCommon(keys, key, 'keys of the map', this.problems);
    const valueExprs = asCommon(values, value, 'values of the map', this.problems);
    const entries = keyExprs.map((k, i) => ({ key: k, value: valueExprs[i] ?? UNTYPED_NULL }));
    return { node: 'map', type: { kind: 'MAP', key, value }, entries };
  }

  /** EXTRACT(part FROM x) is the function EXTRACT('part', x). */
  #distinctFields(expression: Extract<Expression, { kind: 'struct' }>): void {
    const seen = new Set<string>();
    for (const { name } of expression.fields) {
      if (seen.has(canonical(name))) {
        throw this.#error(
          name.span,
          'duplicate_name',
          `two fields of the struct are called "${name.name}"`,
          'give one of them another name',
        );
      }
      seen.add(canonical(name));
    }
  }

  #extract(expression: Extract<Expression, { kind: 'extract' }>): Expr {
    const part: Expression = { kind: 'string', value: expression.part, span: expression.span };
    return resolveCall(this, {
      kind: 'call',
      name: { name: 'EXTRACT', quoted: false, span: expression.span },
      args: [part, expression.arg],
      distinct: false,
      filter: null,
      over: null,
      span: expression.span,
    });
  }
}
