import type { Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { type SqlType, STRING, sameType, typeText } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import { exprText } from '../../expr/show.ts';
import type { JoinType } from '../../plan/plan.ts';
import type { Expression, Relation as RelationSyntax } from '../ast.ts';
import { formatsOf, type Relation } from '../catalog.ts';
import { exprKey } from './expr-tree.ts';
import { type PlacedRelations, placed, relationSide, relationsIn, sideBySide } from './join-sides.ts';
import { FULL_SQL, listText } from './problems.ts';
import type { OutputItem } from './projection.ts';
import type { SelectContext } from './query-context.ts';
import type { JoinSide, JoinWindow, ResolvedJoin } from './resolved-query.ts';

type Join = Extract<RelationSyntax, { kind: 'join' }>;

/**
 * What the projection must hold: one of the columns that have the key's value, or all of them, or ROWKEY, as the key of a
 * join that no column of its inputs has.
 */
export interface JoinedKey {
  readonly kind: 'any' | 'all' | 'synthetic';
  readonly columns: readonly Expr[];
}

/** The tables and streams that one side of a join brings together. */
interface Side extends PlacedRelations {
  readonly kind: 'stream' | 'table';
  /** over the numbering of the scope */
  readonly key: JoinedKey;
  readonly input: JoinSide;
  readonly window: Relation['window'];
}

export interface AnalysedJoin {
  readonly side: JoinSide;
  readonly key: JoinedKey;
  /** the joined rows as a relation, called after the first one */
  readonly rows: Relation;
}

/** FROM with joins, of strict KSQL. The scope's columns stand in the joined row from then on. */
export function analyseJoins(context: SelectContext): AnalysedJoin | null {
  const { from } = context.select;
  if (from?.kind !== 'join') return null;
  const before = context.problems.count;
  const seen = new Set<Relation>();
  for (const { relation, span } of context.from.relations) {
    if (seen.has(relation)) {
      context.problems.report(
        'invalid_statement',
        span,
        `"${relation.name}" stands twice in the join: KSQL has no self joins`,
        FULL_SQL,
      );
    }
    seen.add(relation);
  }
  const counter = { next: 0 };
  const side = ofRelation(from, context, counter);
  const first = context.from.relations[0]?.relation;
  if (side?.input.kind !== 'join' || !first || context.problems.count > before) return null;
  const { schema } = side.input;
  const key = { ...side.key, columns: side.key.columns.map(c => placed(c, side, context.scope)) };
  context.placeRelations(side.offsets);
  if (key.kind === 'synthetic') {
    const [expr] = keyColumnsOf(schema);
    if (expr) context.addColumn({ name: 'ROWKEY', expr, relation: -1, listed: true });
  }
  const changes = side.kind === 'stream' ? 'append' : 'upsert';
  const rows: Relation = { ...first, kind: side.kind, changes, schema, hidden: [], window: side.window };
  return { side: side.input, key, rows };
}

function keyColumnsOf(schema: Schema): readonly Expr[] {
  return schema.key.map(index => {
    const column = schema.columns[index] ?? { name: '', type: STRING };
    return { node: 'column', type: column.type, index, name: column.name };
  });
}

function ofRelation(
  relation: RelationSyntax,
  context: SelectContext,
  counter: { next: number },
): Side | null {
  if (relation.kind === 'join') {
    const left = ofRelation(relation.left, context, counter);
    const right = ofRelation(relation.right, context, counter);
    return left && right && context.problems.attempt(() => ofJoin(relation, left, right, context));
  }
  const at = counter.next++;
  const found = context.from.relations[at]?.relation;
  if (!found) return null;
  const { offset = 0 } = context.scope.relations[at] ?? {};
  const own = found.schema.windowed ? found.schema.key.slice(0, -2) : found.schema.key;
  const columns = own.map((i): Expr => {
    const column = found.schema.columns[i];
    return { node: 'column', type: column?.type ?? STRING, index: offset + i, name: column?.name ?? '' };
  });
  if (found.changes === 'retract') {
    context.problems.report(
      'invalid_statement',
      relation.span,
      `"${found.name}" is a view without a primary key, which cannot be joined`,
      FULL_SQL,
    );
    return null;
  }
  return {
    relations: [at],
    offsets: [0],
    kind: found.kind,
    key: { kind: 'all', columns },
    input: relationSide(found),
    window: found.window,
  };
}

function ofJoin(join: Join, left: Side, right: Side, context: SelectContext): Side {
  const { problems } = context;
  const span = joinSpan(join);
  const refuse = (message: string, at: Span = span, hint: string | undefined = FULL_SQL) =>
    problems.error('invalid_statement', at, message, hint);
  if (join.type === 'cross' || (!join.on && join.using.length === 0)) {
    throw refuse('KSQL joins need a condition: ... ON left_column = right_column');
  }
  if (!join.on) throw refuse('KSQL has no USING: write ON left_column = right_column');
  checkKinds(join, left, right, context);
  const [first, second] = conditionSides(join.on, context);
  const firstAt = sourceOf(first, context);
  const secondAt = sourceOf(second, context);
  const swapped = right.relations.includes(firstAt) && left.relations.includes(secondAt);
  if (!swapped && !(left.relations.includes(firstAt) && right.relations.includes(secondAt))) {
    const names = right.relations.map(i => context.scope.relations[i]?.name.name ?? '');
    throw refuse(
      `the condition must compare "${listText(names)}" with what stands before it in FROM`,
      join.on.span,
      undefined,
    );
  }
  const [leftExpr, rightExpr] = swapped ? [second.expr, first.expr] : [first.expr, second.expr];
  if (!sameType(leftExpr.type, rightExpr.type)) {
    throw problems.error(
      'type_mismatch',
      join.on.span,
      `the sides of the condition are ${typeText(leftExpr.type)} and ${typeText(rightExpr.type)}`,
      'write CAST(... AS ...) to make them one type',
    );
  }
  if (holdsMap(leftExpr.type)) throw refuse('maps cannot be keys, nor be joined on', join.on.span, undefined);
  const sides = { left, right, leftExpr, rightExpr };
  checkFormats(sides, context, span);
  checkWindows(sides, context, span);
  return joined(join, sides, context);
}

interface Sides {
  readonly left: Side;
  readonly right: Side;
  readonly leftExpr: Expr;
  readonly rightExpr: Expr;
}

function joinSpan(join: Join): Span {
  return { start: join.left.span.end + 1, end: join.span.end };
}

function checkKinds(join: Join, left: Side, right: Side, context: SelectContext): void {
  const { problems } = context;
  const streams = left.kind === 'stream' && right.kind === 'stream';
  if (left.kind === 'table' && right.kind === 'stream') {
    throw problems.error(
      'invalid_statement',
      joinSpan(join),
      'a table cannot be joined with a stream',
      'write the stream first: FROM stream JOIN table',
    );
  }
  if (streams && !join.within) {
    throw problems.error(
      'invalid_statement',
      joinSpan(join),
      'a join of two streams needs WITHIN: how far apart rows may be',
      'write JOIN ... WITHIN 1 HOUR ON ...',
    );
  }
  if (!streams && join.within) {
    throw problems.error(
      'invalid_statement',
      join.within.span,
      'WITHIN is for joins of two streams',
      'leave WITHIN out',
    );
  }
  if (left.kind === 'stream' && right.kind === 'table' && (join.type === 'right' || join.type === 'full')) {
    throw problems.error(
      'invalid_statement',
      joinSpan(join),
      `a stream cannot be joined with a table by a ${join.type} join`,
      FULL_SQL,
    );
  }
}

interface ConditionSide {
  readonly expr: Expr;
  readonly span: Span;
}

function conditionSides(on: Expression, context: SelectContext): readonly [ConditionSide, ConditionSide] {
  const { problems } = context;
  if (on.kind === 'binary' && on.op === 'and') {
    throw problems.error(
      'invalid_statement',
      on.opSpan,
      'KSQL joins on one condition only',
      `join on one STRUCT of the columns; or ${FULL_SQL}`,
    );
  }
  if (on.kind !== 'binary' || on.op !== '=') {
    throw problems.error(
      'invalid_statement',
      on.span,
      'KSQL joins on an equality of two expressions',
      FULL_SQL,
    );
  }
  const resolver = context.resolver({ clause: 'ON' });
  const left = problems.attempt(() => resolver.resolve(on.left));
  const right = resolver.resolve(on.right);
  if (!left) return context.giveUp();
  return [
    { expr: left, span: on.left.span },
    { expr: right, span: on.right.span },
  ];
}

/** The one relation whose columns the side reads. */
function sourceOf(side: ConditionSide, context: SelectContext): number {
  const found = relationsIn(side.expr, context.scope);
  const [only] = found;
  if (found.size !== 1 || only === undefined) {
    throw context.problems.error(
      'invalid_statement',
      side.span,
      'each side of a join condition must read columns of exactly one relation',
      FULL_SQL,
    );
  }
  return only;
}

function checkFormats(sides: Sides, context: SelectContext, span: Span): void {
  for (const at of [...sides.left.relations, ...sides.right.relations]) {
    const relation = context.from.relations[at]?.relation;
    if (relation && formatsOf(relation)?.value.format === 'KAFKA') {
      throw context.problems.error(
        'invalid_statement',
        span,
        `"${relation.name}" has values in the KAFKA format, which cannot be joined`,
      );
    }
  }
}

function checkWindows(sides: Sides, context: SelectContext, span: Span): void {
  const left = sides.left.window;
  const right = sides.right.window;
  if (!left && !right) return;
  const refuse = (message: string) => context.problems.error('invalid_statement', span, message);
  if (!left || !right) throw refuse('a windowed source cannot be joined with one that is not windowed');
  if ((left.type === 'session') !== (right.type === 'session')) {
    throw refuse('session windows can only be joined with session windows');
  }
  const onKeys = isKey(sides.left, sides.leftExpr) && isKey(sides.right, sides.rightExpr);
  if (!onKeys || left.size !== right.size) {
    throw refuse('windowed sources can only be joined on their keys, with windows of one size');
  }
}

function isKey(side: Side, expr: Expr): boolean {
  return side.key.columns.some(c => exprKey(c) === exprKey(expr));
}

function joined(join: Join, sides: Sides, context: SelectContext): Side {
  const { left, right, leftExpr, rightExpr } = sides;
  const { kind, window } = left;
  const base = { ...sideBySide(left, right, left.input.schema.columns.length), kind, window };
  const refuse = (message: string) =>
    context.problems.error('invalid_statement', joinSpan(join), message, FULL_SQL);
  if (right.kind === 'table') {
    const rightKey = right.key.columns;
    if (rightKey.length !== 1 || !isKey(right, rightExpr)) {
      throw refuse('a join with a table must be on its whole PRIMARY KEY');
    }
    const foreign = left.kind === 'table' && !(left.key.columns.length === 1 && isKey(left, leftExpr));
    if (foreign && !isKeyOfChain(left, leftExpr)) {
      if (join.type === 'right' || join.type === 'full') {
        throw refuse(`a foreign-key join cannot be a ${join.type} join`);
      }
      const key: JoinedKey = { ...left.key, kind: left.key.kind === 'any' ? 'any' : 'all' };
      return { ...base, key, input: resolvedJoin('foreignKeyJoin', join, sides, context) };
    }
  }
  const node =
    right.kind === 'stream' ? 'streamStreamJoin' : kind === 'stream' ? 'streamTableJoin' : 'tableTableJoin';
  const input = resolvedJoin(node, join, sides, context);
  const columns = [leftExpr, rightExpr].filter(e => e.node === 'column');
  if (join.type === 'full' || columns.length === 0) {
    return { ...base, input, key: { kind: 'synthetic', columns: [leftExpr] } };
  }
  const kept = left.key.kind === 'any' && isKey(left, leftExpr) ? left.key.columns : [];
  const all = [...kept, ...columns.filter(c => !kept.some(k => exprKey(k) === exprKey(c)))];
  return { ...base, input, key: { kind: 'any', columns: all } };
}

/** The join over the rows of its sides. Tables meet by their keys, windowed rows by their windows too. */
function resolvedJoin(
  node: ResolvedJoin['node'],
  join: Join,
  sides: Sides,
  context: SelectContext,
): JoinSide {
  const { left, right, leftExpr, rightExpr } = sides;
  const { schema: leftSchema } = left.input;
  const { schema: rightSchema } = right.input;
  const keyOf = (side: Side, expr: Expr): readonly Expr[] => {
    const own = keyColumnsOf(side.input.schema);
    if (side.kind === 'table' && isKey(side, expr)) return own;
    return [placed(expr, side, context.scope), ...(side.window ? own.slice(-2) : [])];
  };
  const foreign = node === 'foreignKeyJoin';
  const leftKeys = foreign ? [placed(leftExpr, left, context.scope)] : keyOf(left, leftExpr);
  const rightKeys = keyOf(right, rightExpr);
  const pairs = foreign ? [] : leftKeys.map((key, i) => ({ name: pairName(i, leftExpr), type: key.type }));
  const width = leftSchema.columns.length + rightSchema.columns.length;
  const schema: Schema = {
    columns: [...leftSchema.columns, ...rightSchema.columns, ...pairs],
    key: foreign ? leftSchema.key : pairs.map((_, i) => width + i),
    windowed: left.window !== null,
  };
  const within = node === 'streamStreamJoin' ? joinWindow(join) : null;
  const sidesOf = { left: left.input, right: right.input, leftKeys, rightKeys };
  return {
    kind: 'join',
    schema,
    join: { node, type: joinType(join), ...sidesOf, within, condition: null, schema },
  };
}

function pairName(i: number, expr: Expr): string {
  if (i > 0) return i === 1 ? 'WINDOWSTART' : 'WINDOWEND';
  return expr.node === 'column' ? expr.name : 'ROWKEY';
}

function joinType({ type }: Join): JoinType {
  return type === 'cross' ? 'inner' : type;
}

const DAY = 86_400_000;

/** Without GRACE PERIOD rows wait 24 h in all, and unmatched rows are given at once. */
function joinWindow({ within }: Join): JoinWindow {
  const { before, after, grace } = within ?? { before: 0, after: 0, grace: null };
  return { before, after, grace: grace ?? Math.max(0, DAY - before - after), eager: grace === null };
}

function isKeyOfChain(side: Side, expr: Expr): boolean {
  return side.key.kind !== 'all' && isKey(side, expr);
}

function holdsMap(type: SqlType): boolean {
  if (type.kind === 'STRUCT') return type.fields.some(f => holdsMap(f.type));
  return type.kind === 'MAP' || (type.kind === 'ARRAY' && holdsMap(type.element));
}

/** The key of the joined rows must stand in the projection, once. */
export function checkJoinedKey(
  { key, rows }: AnalysedJoin,
  items: readonly OutputItem[],
  context: SelectContext,
  name: string,
): void {
  const { problems, select } = context;
  const span = select.items[0]?.span ?? select.span;
  const matching = (column: Expr) => items.filter(i => exprKey(i.expr) === exprKey(column));
  const shown = (column: Expr): string => {
    const index = column.node === 'column' ? column.index : -1;
    const at = context.scope.relations.findLast(r => r.offset <= index);
    return column.node === 'column' && at ? `${at.name.name}.${column.name}` : exprText(column);
  };
  if (key.kind === 'synthetic') {
    const found = items.some(i => i.expr.node === 'column' && i.expr.index === rows.schema.key[0]);
    if (!found) {
      problems.report(
        'invalid_statement',
        span,
        `the projection of "${name}" lacks ROWKEY, the key of this join`,
        'no column of the joined relations has the value of the key: write SELECT ROWKEY, ...',
      );
    }
    return;
  }
  const missing = key.columns.filter(c => matching(c).length === 0);
  if (key.kind === 'all' ? missing.length > 0 : missing.length === key.columns.length) {
    const texts = missing.map(shown);
    problems.report(
      'invalid_statement',
      span,
      `the projection of "${name}" lacks the key of the join: ${key.kind === 'all' ? listText(texts) : texts.join(' or ')}`,
      `write SELECT ${key.kind === 'all' ? texts.join(', ') : texts[0]}, ...; or ${FULL_SQL}`,
    );
  }
  // of all columns each stands once, as in any other query
  for (const column of key.kind === 'any' ? key.columns : []) {
    const [, second] = matching(column);
    if (second) {
      problems.report(
        'invalid_statement',
        second.span,
        `the key ${shown(column)} stands twice in the projection`,
      );
    }
  }
}

/** The first column that has the key's value stands for the key itself: a missing side makes it NULL, never the key. */
export function withJoinedKey(
  { key, rows }: AnalysedJoin,
  items: readonly OutputItem[],
): readonly OutputItem[] {
  if (key.kind !== 'any') return items;
  const at = key.columns
    .map(column => items.findIndex(item => exprKey(item.expr) === exprKey(column)))
    .find(index => index >= 0);
  const [own] = keyColumnsOf(rows.schema);
  return own === undefined ? items : items.map((item, i) => (i === at ? { ...item, expr: own } : item));
}
