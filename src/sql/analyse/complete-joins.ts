import { assert } from '../../core/assert.ts';
import type { Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { BOOLEAN, sameType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { JoinType, RelationKind } from '../../plan/plan.ts';
import type { Expression, Relation as RelationSyntax } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { conjuncts, isDeterministic, readsOuter } from './expr-tree.ts';
import { type PlacedRelations, placed, relationSide, relationsIn, sideBySide } from './join-sides.ts';
import { explodedSide } from './lateral.ts';
import type { SelectContext } from './query-context.ts';
import type { JoinSide } from './resolved-query.ts';
import { readsClock } from './temporal.ts';
import { usedColumns } from './using.ts';

type Join = Extract<RelationSyntax, { kind: 'join' }>;

interface Side extends PlacedRelations {
  readonly input: JoinSide;
  readonly changes: RelationKind;
}

/** What FROM gives: its rows as a relation, and where they come from when that is not the relation alone. */
export interface FromRows {
  readonly side: JoinSide | null;
  readonly rows: Relation;
}

/** FROM of complete SQL; null after an error. */
export function analyseFrom(context: SelectContext): FromRows | null {
  const joined = analyseCompleteJoins(context);
  const { relations } = context.scope;
  const first = relations[0]?.relation;
  if (joined || !first || relations.length > 1) return joined;
  if (!context.wide) return { side: null, rows: first };
  const side = relationSide(first);
  return { side, rows: { ...first, schema: side.schema } };
}

/**
 * FROM with joins, as PostgreSQL has them, as long as an equality of both sides is among the conditions. The scope's
 * columns stand in the joined row from then on.
 */
function analyseCompleteJoins(context: SelectContext): FromRows | null {
  const { from } = context.select;
  const first = context.from.relations[0]?.relation;
  if (from?.kind !== 'join' || !first) return null;
  const side = ofRelation(from, context, { next: 0 });
  if (!side) return null;
  context.placeRelations(side.offsets);
  const { schema } = side.input;
  const kind = side.changes === 'append' ? 'stream' : 'table';
  const rows: Relation = { ...first, kind, changes: side.changes, schema, hidden: [], window: null };
  return { side: side.input, rows };
}

function ofRelation(
  relation: RelationSyntax,
  context: SelectContext,
  counter: { next: number },
): Side | null {
  if (relation.kind === 'join') {
    const left = ofRelation(relation.left, context, counter);
    if (relation.right.kind === 'tableFunction') {
      const at = counter.next++;
      return left && context.problems.attempt(() => ofTableFunction(relation, left, at, context));
    }
    const right = ofRelation(relation.right, context, counter);
    return left && right && context.problems.attempt(() => ofJoin(relation, left, right, context));
  }
  const at = counter.next++;
  const found = context.from.relations[at]?.relation;
  return found ? { relations: [at], offsets: [0], input: relationSide(found), changes: found.changes } : null;
}

/** Each row of the left side with the rows that a table function makes of it, then ON. */
function ofTableFunction(join: Join, left: Side, at: number, context: SelectContext): Side {
  const { problems, scope } = context;
  const found = context.from.relations[at];
  assert(found?.lateral, 'a table function in FROM');
  const { lateral, name } = found;
  if (
    (join.type !== 'inner' && join.type !== 'cross') ||
    join.within ||
    join.natural ||
    join.using.length > 0
  ) {
    throw problems.error(
      'invalid_statement',
      found.span,
      'a table function is joined by a comma, CROSS JOIN or JOIN ... ON: rows of which it makes none are left out',
      'to keep them write LEFT JOIN (SELECT id, UNNEST(list) AS x FROM t) AS u ON u.id = t.id',
    );
  }
  if (lateral.args.some(arg => [...relationsIn(arg, scope)].some(r => !left.relations.includes(r)))) {
    throw problems.error(
      'invalid_statement',
      found.span,
      'a table function reads the relations on its left side only',
      'write it behind the relations that it reads',
    );
  }
  const args = lateral.args.map(arg => placed(arg, left, scope));
  const width = left.input.schema.columns.length;
  const both = sideBySide(left, { relations: [at], offsets: [0] }, width);
  const input = explodedSide(left.input, { ...lateral, args }, name.name);
  const changes = left.changes === 'append' ? 'append' : 'retract';
  if (!join.on) return { ...both, changes, input };
  const predicate = placed(resolveOn(join.on, both, context), both, scope);
  return { ...both, changes, input: { kind: 'filter', input, predicate, schema: input.schema } };
}

function ofJoin(join: Join, left: Side, right: Side, context: SelectContext): Side {
  const { problems } = context;
  if (join.within) {
    throw problems.error(
      'invalid_statement',
      join.within.span,
      'WITHIN belongs to CREATE STREAM; a VIEW says in ON how far apart the rows may be',
      "write ON a.id = b.id AND b.at BETWEEN a.at AND a.at + INTERVAL '1' HOUR",
    );
  }
  const used =
    join.using.length > 0 || join.natural
      ? usedColumns(join, { left: left.relations, right: right.relations }, context)
      : null;
  const both = sideBySide(left, right, left.input.schema.columns.length);
  const on = used ? used.on : join.on && resolveOn(join.on, both, context);
  const split = on ? splitEqualities(on, left, right, context) : NO_CONDITION;
  const columns = [...left.input.schema.columns, ...right.input.schema.columns];
  const type = join.type === 'cross' ? 'inner' : join.type;
  const sides = { type, left: left.input, right: right.input, within: null };
  used?.merge(type);
  const lookup = keyLookup(type, left, right, split);
  if (lookup) {
    const schema: Schema = { columns, key: left.input.schema.key, windowed: false };
    const base = { node: 'foreignKeyJoin', ...sides, ...lookup, condition: null, schema } as const;
    const resolved = { ...base, nullKeys: 'keep' } as const;
    return { ...both, changes: 'upsert', input: { kind: 'join', schema, join: resolved } };
  }
  const schema: Schema = { columns, key: [], windowed: false };
  const { leftKeys, rightKeys, rest } = split;
  const condition = rest && placed(rest, both, context.scope);
  const resolved = { node: 'equiJoin', ...sides, leftKeys, rightKeys, condition, schema } as const;
  const appends = left.changes === 'append' && right.changes === 'append';
  return {
    ...both,
    changes: type === 'inner' && appends ? 'append' : 'retract',
    input: { kind: 'join', schema, join: resolved },
  };
}

function resolveOn(expression: Expression, both: PlacedRelations, context: SelectContext): Expr {
  const { problems, scope } = context;
  const resolver = context.resolver({
    clause: 'ON',
    insteadOfSubquery: 'write the condition in WHERE, or join with the subquery in FROM',
  });
  const on = resolver.boolean(expression, 'ON');
  if (readsOuter(on)) {
    throw problems.error(
      'invalid_statement',
      expression.span,
      'a join inside of a subquery cannot be on columns of the query around it',
      'write the condition in WHERE of the subquery',
    );
  }
  const foreign = [...relationsIn(on, scope)].find(at => !both.relations.includes(at));
  if (foreign !== undefined) {
    throw problems.error(
      'unknown_source',
      expression.span,
      `ON of a join sees its two sides only, not "${scope.relations[foreign]?.name.name}"`,
      'write the condition in ON of the join that brings it in, or in WHERE',
    );
  }
  checkCondition(on, expression.span, context);
  return on;
}

/**
 * A table's rows that look up another table by its whole key: at most one row for each, so that the result has the left
 * table's key. The keys in the order of the right table's; null: not such a join.
 */
function keyLookup(
  type: JoinType,
  left: Side,
  right: Side,
  { leftKeys, rightKeys, rest }: Equalities,
): Pick<Equalities, 'leftKeys' | 'rightKeys'> | null {
  const tables = [left, right].every(side => side.changes === 'upsert' && !side.input.schema.windowed);
  const { key } = right.input.schema;
  if (!tables || rest || key.length !== rightKeys.length || (type !== 'inner' && type !== 'left'))
    return null;
  const at = key.map(index => rightKeys.findIndex(k => k.node === 'column' && k.index === index));
  if (key.length === 0 || at.includes(-1)) return null;
  return { leftKeys: at.flatMap(i => leftKeys[i] ?? []), rightKeys: at.flatMap(i => rightKeys[i] ?? []) };
}

/** A condition must give the same for the same rows whenever it is asked. */
function checkCondition(on: Expr, span: Span, context: SelectContext): void {
  if (readsClock(on)) {
    throw context.problems.error(
      'invalid_statement',
      span,
      'the clock (NOW, CURRENT_DATE) can only be compared with columns in WHERE',
      'move the condition to WHERE',
    );
  }
  if (!isDeterministic(on)) {
    throw context.problems.error('invalid_statement', span, 'a join cannot be on random values');
  }
}

const NO_CONDITION: Equalities = { leftKeys: [], rightKeys: [], rest: null };

interface Equalities {
  /** over the rows of the sides */
  readonly leftKeys: readonly Expr[];
  readonly rightKeys: readonly Expr[];
  /** over the scope's numbering */
  readonly rest: Expr | null;
}

function splitEqualities(on: Expr, left: Side, right: Side, context: SelectContext): Equalities {
  const { scope } = context;
  const leftKeys: Expr[] = [];
  const rightKeys: Expr[] = [];
  const rest: Expr[] = [];
  const within = (expr: Expr, side: Side): boolean => {
    const found = [...relationsIn(expr, scope)];
    return found.length > 0 && found.every(at => side.relations.includes(at));
  };
  for (const part of conjuncts(on)) {
    const isEquality =
      part.node === 'compare' && part.op === '=' && sameType(part.left.type, part.right.type);
    if (isEquality && within(part.left, left) && within(part.right, right)) {
      leftKeys.push(placed(part.left, left, scope));
      rightKeys.push(placed(part.right, right, scope));
    } else if (isEquality && within(part.right, left) && within(part.left, right)) {
      leftKeys.push(placed(part.right, left, scope));
      rightKeys.push(placed(part.left, right, scope));
    } else rest.push(part);
  }
  const condition =
    rest.length === 0 ? null : rest.reduce((a, b) => ({ node: 'and', type: BOOLEAN, left: a, right: b }));
  return { leftKeys, rightKeys, rest: condition };
}
