import type { Span } from '../../core/span.ts';
import { BOOLEAN, type SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { RelationKind } from '../../plan/plan.ts';
import type { Query } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { some } from './expr-tree.ts';
import type { JoinSide } from './resolved-query.ts';
import type { Scope } from './scope.ts';

/** Results of subqueries stand in expressions as columns from here on, until it is known where they are joined in. */
export const SUBQUERY_BASE = 4_000_000;
const SUBQUERY_END = 5_000_000;

type Compare = Extract<Expr, { node: 'compare' }>;

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

/** A value for each combination of what the rows around it say; it is known when these rows are. */
export interface DependentValue {
  readonly kind: 'dependent';
  readonly type: SqlType;
  readonly over: (outer: OuterRows) => InnerValue;
}

/** The rows of the query around a subquery, as they are when it is joined in. */
export interface OuterRows {
  readonly side: JoinSide;
  readonly changes: RelationKind;
  /** an expression of that query over the row of the side */
  readonly toRow: (expr: Expr) => Expr;
}

export type AnalyseInner = (use: SubqueryUse, outer: Scope) => InnerRows | InnerValue | DependentValue;

/** A query in an expression, as the lookups join it in. */
export type Subquery =
  | { readonly kind: 'exists'; readonly inner: InnerRows }
  | {
      readonly kind: 'in';
      readonly inner: InnerRows;
      /** `=` of IN, any comparison of ANY */
      readonly op: Compare['op'];
      readonly arg: Expr;
      readonly value: Expr;
      readonly argNeverNull: boolean;
    }
  | { readonly kind: 'value'; readonly inner: InnerValue }
  | { readonly kind: 'dependent'; readonly inner: DependentValue };

/** Collects the queries in the expressions of one SELECT. A query of the text is joined in once, wherever it is resolved. */
export class Subqueries {
  readonly entries: Subquery[] = [];
  readonly #analyse: (use: SubqueryUse) => InnerRows | InnerValue | DependentValue;
  readonly #known = new Map<Query, InnerRows | InnerValue | DependentValue>();
  readonly #places = new Map<Query, Expr>();

  constructor(analyse: (use: SubqueryUse) => InnerRows | InnerValue | DependentValue) {
    this.#analyse = analyse;
  }

  exists(query: Query, span: Span): Expr {
    const inner = this.#inner({ query, as: 'exists', span });
    if (inner.kind === 'rows') return this.#place(query, { kind: 'exists', inner }, BOOLEAN);
    if (inner.kind === 'dependent') throw new TypeError('EXISTS has rows');
    // a group of everything has its row, unless HAVING takes it away
    const arg = this.#place(query, { kind: 'value', inner }, inner.value.type);
    return { node: 'isNull', type: BOOLEAN, arg, negated: true };
  }

  scalar(query: Query, span: Span): Expr {
    const inner = this.#inner({ query, as: 'scalar', span });
    if (inner.kind === 'dependent') return this.#place(query, { kind: 'dependent', inner }, inner.type);
    if (inner.kind !== 'value') throw new TypeError('a scalar subquery has a value');
    return this.#place(query, { kind: 'value', inner }, inner.value.type);
  }

  /** `compare`: of the other side with the value of a row of the query, both brought to one type. */
  contains(
    use: SubqueryUse,
    options: {
      readonly compare: (value: Expr) => Compare;
      readonly argNeverNull: (arg: Expr) => boolean;
    },
  ): Expr {
    const { query } = use;
    const inner = this.#inner(use);
    if (inner.kind === 'dependent') throw new TypeError('IN has rows');
    if (inner.kind === 'value') {
      const value = this.#place(query, { kind: 'value', inner }, inner.value.type);
      return options.compare(value);
    }
    const { op, left, right } = options.compare(inner.value as Expr);
    const argNeverNull = options.argNeverNull(left);
    return this.#place(query, { kind: 'in', inner, op, arg: left, value: right, argNeverNull }, BOOLEAN);
  }

  #inner(use: SubqueryUse): InnerRows | InnerValue | DependentValue {
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
