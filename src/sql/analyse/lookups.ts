import { assert, unreachable } from '../../core/assert.ts';
import type { Schema } from '../../core/schema.ts';
import { BOOLEAN } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { JoinType, RelationKind, SemiJoinType } from '../../plan/plan.ts';
import type { Relation } from '../catalog.ts';
import { literal } from './coerce.ts';
import { allOf, mapChildren, mapColumns, OUTER_BASE, readsOuter } from './expr-tree.ts';
import { relationSide } from './join-sides.ts';
import type { JoinSide } from './resolved-query.ts';
import {
  type InnerRows,
  type InnerValue,
  isSubquery,
  type Pair,
  SUBQUERY_BASE,
  type Subquery,
} from './subqueries.ts';

/** Rows that queries in expressions are joined to. */
export interface LookupInput {
  readonly side: JoinSide;
  readonly changes: RelationKind;
  readonly entries: readonly Subquery[];
  /** an expression of the SELECT over the row of the side */
  readonly toRow: (expr: Expr) => Expr;
}

/** `outer` of the pairs, and columns from OUTER_BASE on, are over the row of the side. */
interface JoinParts {
  readonly pairs: readonly Pair[];
  readonly rest: readonly Expr[];
}

/**
 * Queries in expressions become joins of the rows that the expressions read: what a condition of WHERE says with EXISTS and
 * IN a semi-join, with NOT an anti-join; elsewhere a mark. A value is looked up by a left join on its pairs.
 *
 * `x < ANY (rows)` is IN with another comparison, whose rows meet by a condition and not by a key.
 * `x NOT IN (rows)` is true when no row equals x, no row is NULL, and x is not NULL unless there are no rows: three
 * anti-joins, each on equal keys. As a value: TRUE where a row equals x, else NULL where any is NULL or x is, else FALSE.
 */
export class Lookups {
  #side: JoinSide;
  #changes: RelationKind;
  readonly #input: LookupInput;
  readonly #values = new Map<number, Expr>();

  constructor(input: LookupInput) {
    this.#input = input;
    this.#side = input.side;
    this.#changes = input.changes;
  }

  get side(): JoinSide {
    return this.#side;
  }

  /** The joined rows as a relation. */
  rows(first: Relation): Relation {
    const { schema } = this.#side;
    const kind = this.#changes === 'append' ? 'stream' : 'table';
    const window = schema.windowed ? first.window : null;
    return { ...first, kind, changes: this.#changes, schema, hidden: [], window };
  }

  /** A condition that rows must meet: what is left of it. */
  condition(part: Expr): Expr | null {
    const [bare, negated] = part.node === 'not' ? [part.arg, true] : [part, false];
    const entry = this.#entryOf(bare);
    if (!entry || entry.kind === 'value' || entry.kind === 'dependent') return this.value(part);
    if (entry.kind === 'exists') this.#semi(negated ? 'anti' : 'semi', entry.inner, this.#parts(entry.inner));
    else if (!negated) this.#semi('semi', entry.inner, this.#met(entry));
    else for (const parts of this.#notIn(entry)) this.#semi('anti', entry.inner, parts);
    return null;
  }

  /** The expression over the joined rows. */
  value(expr: Expr): Expr {
    const entry = this.#entryOf(expr);
    if (!entry || expr.node !== 'column') return mapChildren(expr, part => this.value(part));
    const known = this.#values.get(expr.index);
    if (known) return known;
    const made = this.#valueOf(entry);
    this.#values.set(expr.index, made);
    return made;
  }

  /** The expression, where only what is joined in already is replaced. */
  known(expr: Expr): Expr {
    const known = expr.node === 'column' ? this.#values.get(expr.index) : undefined;
    return known ?? mapChildren(expr, part => this.known(part));
  }

  #entryOf(expr: Expr): Subquery | null {
    if (expr.node !== 'column' || !isSubquery(expr)) return null;
    return this.#input.entries[expr.index - SUBQUERY_BASE] ?? null;
  }

  #valueOf(entry: Subquery): Expr {
    switch (entry.kind) {
      case 'exists':
        return this.#mark(entry.inner, this.#parts(entry.inner));
      case 'in': {
        const [equal, ...nulls] = this.#notIn(entry).map(parts => this.#mark(entry.inner, parts));
        assert(equal, 'IN compares');
        const unknown = nulls.map(when => ({ when, then: literal(BOOLEAN, null) }));
        if (unknown.length === 0) return equal;
        const whens = [{ when: equal, then: literal(BOOLEAN, true) }, ...unknown];
        return { node: 'case', type: BOOLEAN, whens, otherwise: literal(BOOLEAN, false) };
      }
      case 'value':
        return this.#lookup(entry.inner);
      case 'dependent': {
        const outer = { side: this.#side, changes: this.#changes, toRow: this.#input.toRow };
        return this.#lookup(entry.inner.over(outer));
      }
      default:
        return unreachable(entry);
    }
  }

  #parts({ pairs, rest }: InnerRows): JoinParts {
    const { toRow } = this.#input;
    return {
      pairs: pairs.map(({ outer, inner }) => ({ outer: toRow(outer), inner })),
      rest: rest.map(expr => this.#overSide(expr)),
    };
  }

  /** What an expression reads of the query around it, over the row of the side. */
  #overSide(expr: Expr): Expr {
    return mapColumns(expr, column => {
      if (column.index < OUTER_BASE) return column;
      const own = this.#input.toRow({ ...column, index: column.index - OUTER_BASE });
      return mapColumns(own, c => ({ ...c, index: OUTER_BASE + c.index }));
    });
  }

  /** What a row meets for which the comparison is true. */
  #met({ inner, op, arg, value }: Extract<Subquery, { kind: 'in' }>): JoinParts {
    const outer = this.value(this.#input.toRow(arg));
    const { pairs, rest } = this.#parts(inner);
    if (op === '=' && !readsOuter(value)) return { pairs: [...pairs, { outer, inner: value }], rest };
    const left = mapColumns(outer, c => ({ ...c, index: OUTER_BASE + c.index }));
    const compared: Expr = { node: 'compare', type: BOOLEAN, op, left, right: this.#overSide(value) };
    return { pairs, rest: [...rest, compared] };
  }

  /** What must meet nothing for NOT IN to be true. */
  #notIn(entry: Extract<Subquery, { kind: 'in' }>): readonly JoinParts[] {
    const { inner, arg, value, argNeverNull } = entry;
    const { pairs, rest } = this.#parts(inner);
    const parts = [this.#met(entry)];
    if (!inner.valueNeverNull) {
      if (readsOuter(value)) parts.push({ pairs, rest: [...rest, isNull(this.#overSide(value))] });
      else parts.push({ pairs: [...pairs, { outer: TRUE, inner: trueIfNull(value) }], rest });
    }
    if (!argNeverNull) {
      const outer = trueIfNull(this.value(this.#input.toRow(arg)));
      parts.push({ pairs: [...pairs, { outer, inner: TRUE }], rest });
    }
    return parts;
  }

  #semi(type: SemiJoinType, { relation }: InnerRows, parts: JoinParts): void {
    const left = this.#side.schema;
    const columns = type === 'mark' ? [...left.columns, { name: 'mark', type: BOOLEAN }] : left.columns;
    const schema: Schema = { ...left, columns, key: this.#uniqueKey() };
    this.#join({ node: 'semiJoin', type, relation, parts, schema });
    const appends = this.#changes === 'append' && relation.changes === 'append';
    this.#changes = type === 'semi' && appends ? 'append' : 'retract';
  }

  #mark(inner: InnerRows, parts: JoinParts): Expr {
    const index = this.#side.schema.columns.length;
    this.#semi('mark', inner, parts);
    return { node: 'column', type: BOOLEAN, index, name: 'mark' };
  }

  #lookup({ relation, pairs, value, empty }: InnerValue): Expr {
    const left = this.#side.schema;
    const width = left.columns.length;
    const right = relationSide(relation);
    const schema: Schema = {
      ...left,
      columns: [...left.columns, ...right.schema.columns],
      key: this.#uniqueKey(),
    };
    // a group of everything has one row
    const type = pairs.length === 0 ? 'inner' : 'left';
    const own = pairs.map(({ outer, inner }) => ({ outer: this.#input.toRow(outer), inner }));
    this.#join({ node: 'equiJoin', type, relation, parts: { pairs: own, rest: [] }, schema });
    this.#changes = 'retract';
    const at = (expr: Expr) => mapColumns(expr, c => ({ ...c, index: width + c.index }));
    const [first] = pairs;
    const plain = value.node === 'column' && empty.node === 'literal' && empty.value === null;
    if (!first || plain) return at(value);
    const found: Expr = { node: 'isNull', type: BOOLEAN, arg: at(first.inner), negated: true };
    return { node: 'case', type: value.type, whens: [{ when: found, then: at(value) }], otherwise: empty };
  }

  #join(options: {
    readonly node: 'semiJoin' | 'equiJoin';
    readonly type: JoinType | SemiJoinType;
    readonly relation: Relation;
    readonly parts: JoinParts;
    readonly schema: Schema;
  }): void {
    const { node, type, parts, schema } = options;
    const width = this.#side.schema.columns.length;
    const rest = parts.rest.map(expr =>
      mapColumns(expr, ({ index, ...column }) => {
        return { ...column, index: index >= OUTER_BASE ? index - OUTER_BASE : width + index };
      }),
    );
    const join = {
      node,
      type,
      left: this.#side,
      right: relationSide(options.relation),
      leftKeys: parts.pairs.map(pair => pair.outer),
      rightKeys: parts.pairs.map(pair => pair.inner),
      within: null,
      condition: allOf(rest),
      schema,
    };
    this.#side = { kind: 'join', join, schema };
  }

  /** The key of a stream's rows identifies nothing. */
  #uniqueKey(): readonly number[] {
    return this.#changes === 'append' ? [] : this.#side.schema.key;
  }
}

const TRUE = literal(BOOLEAN, true);

function isNull(arg: Expr): Expr {
  return { node: 'isNull', type: BOOLEAN, arg, negated: false };
}

/** TRUE or NULL: as a key it meets TRUE. */
function trueIfNull(of: Expr): Expr {
  return { node: 'case', type: BOOLEAN, whens: [{ when: isNull(of), then: TRUE }], otherwise: null };
}
