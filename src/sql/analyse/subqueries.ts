import type { Span } from '../../core/span.ts';
import { BOOLEAN, type SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Query } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { some } from './expr-tree.ts';
import type { Scope } from './scope.ts';

/** Results of subqueries stand in expressions as columns from here on, until it is known where they are joined in. */
export const SUBQUERY_BASE = 4_000_000;
const SUBQUERY_END = 5_000_000;

/** How a query stands in an expression. */
export interface SubqueryUse {
  readonly query: Query;
  readonly as: 'exists' | 'in' | 'scalar';
  readonly span: Span;
}

/** A subquery without what it says of the query around it: that has become pairs of equal values and further conditions. */
export interface InnerRows {
  readonly kind: 'rows';
  readonly relation: Relation;
  readonly pairs: readonly Pair[];
  /** over the relation's row; columns of the query around it stand from OUTER_BASE on */
  readonly rest: readonly Expr[];
  /** the one column of IN */
  readonly value: Expr | null;
  readonly valueNeverNull: boolean;
}

export interface Pair {
  /** over the row of the query around it */
  readonly outer: Expr;
  /** over the relation's row */
  readonly inner: Expr;
}

/** A subquery that has at most one row for each combination of the pairs. */
export interface InnerValue {
  readonly kind: 'value';
  readonly relation: Relation;
  readonly pairs: readonly Pair[];
  /** over the relation's row */
  readonly value: Expr;
  /** the value where the relation has no row; it reads no columns */
  readonly empty: Expr;
}

export type AnalyseInner = (use: SubqueryUse, outer: Scope) => InnerRows | InnerValue;

/** A query in an expression, as the lookups join it in. */
export type Subquery =
  | { readonly kind: 'exists'; readonly inner: InnerRows }
  | {
      readonly kind: 'in';
      readonly inner: InnerRows;
      readonly arg: Expr;
      readonly value: Expr;
      readonly argNeverNull: boolean;
    }
  | { readonly kind: 'value'; readonly inner: InnerValue };

/** Collects the queries in the expressions of one SELECT. A query of the text is joined in once, wherever it is resolved. */
export class Subqueries {
  readonly entries: Subquery[] = [];
  readonly #analyse: (use: SubqueryUse) => InnerRows | InnerValue;
  readonly #known = new Map<Query, InnerRows | InnerValue>();
  readonly #places = new Map<Query, Expr>();

  constructor(analyse: (use: SubqueryUse) => InnerRows | InnerValue) {
    this.#analyse = analyse;
  }

  exists(query: Query, span: Span): Expr {
    const inner = this.#inner({ query, as: 'exists', span });
    if (inner.kind === 'rows') return this.#place(query, { kind: 'exists', inner }, BOOLEAN);
    // a group of everything has its row, unless HAVING takes it away
    const arg = this.#place(query, { kind: 'value', inner }, inner.value.type);
    return { node: 'isNull', type: BOOLEAN, arg, negated: true };
  }

  scalar(query: Query, span: Span): Expr {
    const inner = this.#inner({ query, as: 'scalar', span });
    if (inner.kind !== 'value') throw new TypeError('a scalar subquery has a value');
    return this.#place(query, { kind: 'value', inner }, inner.value.type);
  }

  /** `equal` compares the value of a row of the query with the other side, and brings both to one type. */
  contains(
    use: SubqueryUse,
    options: {
      readonly equal: (value: Expr) => { readonly left: Expr; readonly right: Expr };
      readonly argNeverNull: (arg: Expr) => boolean;
    },
  ): Expr {
    const { query } = use;
    const inner = this.#inner(use);
    if (inner.kind === 'value') {
      const value = this.#place(query, { kind: 'value', inner }, inner.value.type);
      return { node: 'compare', type: BOOLEAN, op: '=', ...options.equal(value) };
    }
    const { left, right } = options.equal(inner.value as Expr);
    const argNeverNull = options.argNeverNull(left);
    return this.#place(query, { kind: 'in', inner, arg: left, value: right, argNeverNull }, BOOLEAN);
  }

  #inner(use: SubqueryUse): InnerRows | InnerValue {
    const known = this.#known.get(use.query) ?? this.#analyse(use);
    this.#known.set(use.query, known);
    return known;
  }

  #place(query: Query, entry: Subquery, type: SqlType): Expr {
    const known = this.#places.get(query);
    if (known) return known;
    const index = SUBQUERY_BASE + this.entries.length;
    this.entries.push(entry);
    const place: Expr = { node: 'column', type, index, name: 'subquery' };
    this.#places.set(query, place);
    return place;
  }
}

export function isSubquery(expr: Expr): boolean {
  return expr.node === 'column' && expr.index >= SUBQUERY_BASE && expr.index < SUBQUERY_END;
}

export function hasSubquery(expr: Expr): boolean {
  return some(expr, isSubquery);
}
