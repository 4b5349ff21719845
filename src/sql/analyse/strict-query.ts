import type { Column, Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { BIGINT } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import { exprText } from '../../expr/show.ts';
import type { RelationKind, SourceSpec, WindowSpec } from '../../plan/plan.ts';
import type { Expression, Query } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { columnsOf, exprKey } from './expr-tree.ts';
import { AGGREGATE_BASE } from './group.ts';
import { checkRetractable, GroupAnalysis } from './group-by.ts';
import { analyseJoins, checkJoinedKey, withJoinedKey } from './joins.ts';
import { Explode, type InputLayout, overInput, partitionLayout } from './partition.ts';
import { FULL_SQL, listText, WINDOWLESS } from './problems.ts';
import { checkNames, type OutputItem, resolveItems, type StarColumn } from './projection.ts';
import { onlySelect, type QueryOptions, SelectContext } from './query-context.ts';
import type { JoinSide, ResolvedQuery } from './resolved-query.ts';
import { isWindowColumn } from './system-columns.ts';

export interface StrictResult {
  readonly query: ResolvedQuery;
  /** where each output column was written */
  readonly spans: readonly Span[];
}

export interface StrictOptions extends QueryOptions {
  /** what the statement makes */
  readonly what: 'stream' | 'table';
  readonly name: string;
  readonly nameSpan: Span;
}

/** CREATE STREAM | TABLE ... AS and INSERT INTO: ksqlDB's meaning, and ksqlDB's refusals. */
export function analyseStrict(query: Query, options: StrictOptions): StrictResult {
  const { problems } = options;
  const context = new SelectContext(onlySelect(query, problems), 'strict', options);
  refuseFullSql(query, context);
  const { select } = context;
  const first = context.scope.relations[0]?.relation;
  if (!first) return context.giveUp();
  const single = context.scope.relations.length === 1;
  const joined = analyseJoins(context);
  if (!single && !joined) return context.giveUp();
  const input = joined?.rows ?? first;
  refuseWindowedTables(context);
  const where = select.where ? resolveCondition(context, select.where, 'WHERE') : null;
  const group = new GroupAnalysis(context, 'strict');
  const explode = new Explode();
  const partitionBy = resolvePartitionBy(context, input);
  const starKeys = partitionBy ?? input.schema.key.map(i => inputColumn(input, i));

  const items = resolveItems({
    select,
    scope: context.scope,
    problems,
    resolver: context.resolver({
      clause: 'SELECT',
      aggregates: group.aggregates,
      tableFunctions: explode,
    }),
    star: single ? starColumns(context, input, starKeys) : joinedColumns(context),
  });
  group.resolveHaving();
  const rekeyed = group.needed || select.partitionBy !== null;
  if (joined && !rekeyed) checkJoinedKey(joined, items, context, options.name);
  const keyed = joined && !rekeyed ? withJoinedKey(joined, items) : items;
  const base = { context, options, input, side: joined?.side ?? null };
  const strict: Strict = { ...base, items: keyed, where, explode, emit: query.emit };
  return group.needed
    ? aggregated(strict, group)
    : transformed(strict, partitionBy === null ? null : partitionBy);
}

interface Strict {
  readonly context: SelectContext;
  readonly options: StrictOptions;
  readonly input: Relation;
  readonly side: JoinSide | null;
  readonly items: readonly OutputItem[];
  readonly where: Expr | null;
  readonly explode: Explode;
  readonly emit: Query['emit'];
}

function refuseWindowedTables({ from, problems }: SelectContext): void {
  for (const { relation, span } of from.relations) {
    if (relation.kind !== 'table' || !relation.schema.windowed) continue;
    problems.report(
      'invalid_statement',
      span,
      `"${relation.name}" is a windowed table: KSQL has no queries over it`,
      FULL_SQL,
    );
  }
}

export function resolveCondition(context: SelectContext, where: Expression, clause: string): Expr | null {
  return context.problems.attempt(() => context.resolver({ clause }).boolean(where, clause));
}

/** What KSQL does not have, though SQL does. */
function refuseFullSql(query: Query, context: SelectContext): void {
  const { problems, select } = context;
  const refuse = (span: Span, what: string) => {
    problems.report('invalid_statement', span, `KSQL has no ${what} in a persistent query`, FULL_SQL);
  };
  if (select.distinct) refuse(select.span, 'SELECT DISTINCT');
  const [order] = query.orderBy;
  if (order) {
    problems.report(
      'invalid_statement',
      order.span,
      'a stream or table has no order of rows: ORDER BY belongs to its reader',
    );
  }
  const limit = query.limit ?? query.offset;
  if (limit) {
    problems.report(
      'invalid_statement',
      limit.span,
      'LIMIT would cut a result that never ends: it belongs to its reader',
    );
  }
  if (select.groupBy?.sets) {
    refuse(select.groupBy.span, 'GROUPING SETS, ROLLUP and CUBE');
  }
}

function inputColumn(input: Relation, index: number): Expr {
  const column = input.schema.columns[index] ?? { name: '', type: BIGINT };
  return { node: 'column', type: column.type, index, name: column.name };
}

/** `*` is the key, then the values; after PARTITION BY the columns of the old key come last. */
function starColumns(context: SelectContext, input: Relation, keys: readonly Expr[]): readonly StarColumn[] {
  const listed = context.scope.columns.filter(c => c.listed);
  const isKey = (column: StarColumn) => keys.some(k => exprKey(k) === exprKey(column.expr));
  const wasKey = (column: StarColumn) =>
    column.expr.node === 'column' && input.schema.key.includes(column.expr.index);
  const first: StarColumn[] = keys.flatMap(key => {
    const column = listed.find(c => exprKey(c.expr) === exprKey(key));
    if (column) return [column];
    return key.node === 'column' && input.schema.key.includes(key.index)
      ? []
      : [{ name: '', expr: key, relation: 0 }];
  });
  const rest = listed.filter(c => !isKey(c));
  return [...first, ...rest.filter(c => !wasKey(c)), ...rest.filter(wasKey)];
}

/** `*` of a join: the key of each relation, its window, then its values; ROWKEY first. */
function joinedColumns(context: SelectContext): readonly StarColumn[] {
  const { relations, columns } = context.scope;
  const rank = (column: StarColumn): number => {
    const of = relations[column.relation];
    if (!of || column.expr.node !== 'column') return 0;
    if (isWindowColumn(column.name)) return 1;
    return of.relation.schema.key.includes(column.expr.index - of.offset) ? 0 : 2;
  };
  return columns
    .filter(c => c.listed || (isWindowColumn(c.name) && relations[c.relation]?.relation.schema.windowed))
    .toSorted((a, b) => a.relation - b.relation || rank(a) - rank(b));
}

function resolvePartitionBy(context: SelectContext, input: Relation): readonly Expr[] | null {
  const { select, problems } = context;
  if (!select.partitionBy) return null;
  const [first] = select.partitionBy;
  const span = first?.span ?? select.span;
  if (!first) {
    problems.report('invalid_statement', span, 'PARTITION BY needs at least one expression');
    return [];
  }
  if (input.kind === 'table') {
    problems.report(
      'invalid_statement',
      span,
      'PARTITION BY is for streams: a table is kept by its key',
      'leave PARTITION BY out; to group its rows by something else write GROUP BY',
    );
  }
  if (select.groupBy) {
    problems.report(
      'invalid_statement',
      span,
      'PARTITION BY and GROUP BY cannot stand together',
      'leave PARTITION BY out: the result has the key of its groups',
    );
  }
  if (select.partitionBy.length === 1 && first.kind === 'null') return [];
  const resolver = context.resolver({ clause: 'PARTITION BY' });
  const keys: Expr[] = [];
  for (const expression of select.partitionBy) {
    problems.attempt(() => {
      const key = resolver.typed(expression);
      if (keys.some(k => exprKey(k) === exprKey(key))) {
        throw problems.error('invalid_statement', expression.span, 'the same expression stands twice here');
      }
      keys.push(key);
    });
  }
  return keys;
}

/** A query without aggregates: rows in, rows out. */
function transformed(strict: Strict, partitionBy: readonly Expr[] | null): StrictResult {
  const { context, options, input, items, explode, emit } = strict;
  const { problems, select } = context;
  if (select.window) {
    problems.report(
      'invalid_statement',
      select.window.span,
      'WINDOW needs a GROUP BY',
      'add GROUP BY with the columns that make a group',
    );
  }
  if (emit?.mode === 'final') {
    problems.report(
      'invalid_statement',
      emit.span,
      'EMIT FINAL is for windowed aggregates only',
      'leave EMIT FINAL out, or add WINDOW ... and GROUP BY',
    );
  }
  const [table] = explode.calls;
  if (table && input.kind === 'table') {
    problems.report(
      'invalid_statement',
      explode.spans[0] ?? select.span,
      'table functions read streams, not tables',
      'declare the topic as a stream too, CREATE STREAM ..., and expand its rows',
    );
  }
  checkNames(items, problems);
  const keys = partitionBy ?? keyColumns(input).map(i => inputColumn(input, i));
  const names = keyNames(strict, keys, partitionBy === null ? 'key column' : 'PARTITION BY expression');
  checkKind(strict, input.kind);
  context.finish();
  if (partitionBy === null) checkWindowedKey(input);

  const pseudo = usesPseudo(strict, keys);
  const layout: InputLayout = partitionBy
    ? partitionLayout(partitionBy, input.schema, pseudo)
    : { columns: input.schema.columns.length + (pseudo ? 2 : 0), map: null };
  const values = items.filter(item => !keys.some(key => exprKey(key) === exprKey(item.expr)));
  const windows = partitionBy === null && input.schema.windowed ? input.schema.key.slice(-2) : [];
  const outputs: { name: string; expr: Expr; span: Span }[] = [
    ...keys.map((expr, i) => ({ name: names[i]?.name ?? '', expr, span: names[i]?.span ?? select.span })),
    ...windows.map((index, i) => ({
      name: i === 0 ? 'WINDOWSTART' : 'WINDOWEND',
      expr: inputColumn(input, index),
      span: select.span,
    })),
    ...values,
  ];
  const schema = outputSchema(outputs, keys.length + windows.length, windows.length > 0);
  return {
    query: {
      input,
      side: strict.side,
      pseudo,
      where: strict.where,
      temporal: null,
      rekey: partitionBy
        ? { keys: partitionBy, rest: layout.rest ?? [], schema: layout.schema ?? schema }
        : null,
      explode: explode.calls.map(call => ({ ...call, args: call.args.map(arg => overInput(arg, layout)) })),
      group: null,
      having: null,
      columns: outputs.map(o => overInput(o.expr, layout)),
      schema,
      hidden: [],
      distinct: false,
      copies: false,
      keyed: false,
      final: null,
      changes: input.changes,
      window: windows.length > 0 ? input.window : null,
    },
    spans: outputs.map(o => o.span),
  };

  function checkWindowedKey(relation: Relation): void {
    if (relation.schema.windowed && options.what === 'table') context.giveUp();
  }
}

/** Key columns without the window's. */
function keyColumns(input: Relation): readonly number[] {
  return input.schema.windowed ? input.schema.key.slice(0, -2) : input.schema.key;
}

function outputSchema(
  outputs: readonly { readonly name: string; readonly expr: Expr }[],
  keys: number,
  windowed: boolean,
): Schema {
  const columns: Column[] = outputs.map(o => ({ name: o.name, type: o.expr.type }));
  return { columns, key: Array.from({ length: keys }, (_, i) => i), windowed };
}

function usesPseudo(strict: Strict, keys: readonly Expr[]): boolean {
  const { input, items, where, explode } = strict;
  const used = new Set<number>();
  for (const expr of [...items.map(i => i.expr), ...keys, ...explode.calls.flatMap(c => c.args)]) {
    columnsOf(expr, used);
  }
  if (where) columnsOf(where, used);
  const first = input.schema.columns.length;
  return used.has(first) || used.has(first + 1);
}

/** The names that the projection gives to the keys; each must stand in it exactly once. */
function keyNames(strict: Strict, keys: readonly Expr[], what: string): readonly OutputItem[] {
  const { context, items, options } = strict;
  const { problems, select } = context;
  const names: OutputItem[] = [];
  const missing: Expr[] = [];
  for (const key of keys) {
    const found = items.filter(item => exprKey(item.expr) === exprKey(key));
    const [first, second] = found;
    if (first) names.push(first);
    else missing.push(key);
    if (first && second) {
      problems.report(
        'invalid_statement',
        second.span,
        `the projection has the ${what} more than once: "${first.name}" and "${second.name}"`,
        `write AS_VALUE(...) for a copy of it among the values; ${FULL_SQL}`,
      );
    }
  }
  if (missing.length > 0 && !context.failed) {
    const texts = missing.map(key => exprText(key));
    problems.report(
      'invalid_statement',
      select.items[0]?.span ?? select.span,
      `the projection of ${options.what} "${options.name}" lacks the ${what}${missing.length > 1 ? 's' : ''} ${listText(texts)}`,
      `write SELECT ${texts.join(', ')}, ...; or ${FULL_SQL}`,
    );
  }
  if (items.length > 0 && items.length === names.length && !context.failed) {
    problems.report(
      'invalid_statement',
      select.items[0]?.span ?? select.span,
      'the projection has no columns beside the key',
      `write AS_VALUE(...) for a copy of the key among the values; ${FULL_SQL}`,
    );
  }
  return names;
}

/** A query gives a stream or a table; the statement must say the same. */
function checkKind(strict: Strict, gives: 'stream' | 'table'): void {
  const { options, context } = strict;
  if (gives === options.what) return;
  context.problems.report(
    'invalid_statement',
    options.nameSpan,
    `the query gives a ${gives}, but the statement creates a ${options.what}`,
    `write CREATE ${gives.toUpperCase()} ... AS SELECT`,
  );
}

function aggregated(strict: Strict, group: GroupAnalysis): StrictResult {
  const { context, input, items, emit, explode } = strict;
  const { problems, select } = context;
  if (explode.calls.length > 0) {
    problems.report(
      'invalid_statement',
      explode.spans[0] ?? select.span,
      'table functions cannot be used with aggregates',
      'expand into a stream first, then group that stream',
    );
    return context.giveUp();
  }
  if (!select.groupBy) {
    problems.report(
      'invalid_statement',
      group.aggregates.spans[0] ?? select.span,
      select.having && group.aggregates.calls.length === 0
        ? 'HAVING needs a GROUP BY'
        : 'an aggregate needs a GROUP BY',
      FULL_SQL,
    );
  } else if (group.aggregates.calls.length === 0 && !context.failed) {
    problems.report(
      'invalid_statement',
      select.groupBy.span,
      'GROUP BY needs an aggregate in SELECT or HAVING',
      FULL_SQL,
    );
  }
  if (select.window && input.kind === 'table') {
    problems.report('invalid_statement', select.window.span, 'windows group streams, not tables', WINDOWLESS);
  }
  if (emit?.mode === 'final' && !select.window) {
    problems.report(
      'invalid_statement',
      emit.span,
      'EMIT FINAL is for windowed aggregates only',
      'leave EMIT FINAL out, or add WINDOW ... and GROUP BY',
    );
  }
  checkNames(items, problems);
  if (input.kind === 'table') checkRetractable(group.aggregates, context, 'strict');
  const outputs = group.outputs(items);
  const having = group.having();
  const names = select.groupBy ? keyNames(strict, group.keys, 'GROUP BY expression') : [];
  checkKind(strict, 'table');
  const window: WindowSpec | null = group.window;
  context.finish();

  const values = outputs.filter(o => !isKey(o.over, group.keys.length));
  const bounds = window
    ? [0, 1].map(i => ({
        name: i === 0 ? 'WINDOWSTART' : 'WINDOWEND',
        over: {
          node: 'column',
          type: BIGINT,
          index: group.keys.length + i,
          name: i === 0 ? 'WINDOWSTART' : 'WINDOWEND',
        } as Expr,
        span: select.span,
      }))
    : [];
  const all = [
    ...group.keys.map((key, i) => ({
      name: names[i]?.name ?? '',
      over: { node: 'column', type: key.type, index: i, name: names[i]?.name ?? '' } as Expr,
      span: names[i]?.span ?? select.span,
    })),
    ...bounds,
    ...values.map(v => ({ name: v.item.name, over: v.over, span: v.item.span })),
  ];
  const schema = outputSchema(
    all.map(o => ({ name: o.name, expr: o.over })),
    group.keys.length + bounds.length,
    window !== null,
  );
  const changes: RelationKind = 'upsert';
  return {
    query: {
      input,
      side: strict.side,
      pseudo: usesPseudo(strict, [...group.keys, ...group.aggregates.calls.flatMap(c => c.args)]),
      where: strict.where,
      temporal: null,
      rekey: null,
      explode: [],
      group: group.resolved(),
      having,
      columns: all.map(o => o.over),
      schema,
      hidden: [],
      distinct: false,
      copies: false,
      keyed: false,
      final: emit?.mode === 'final' ? { closeAfter: emit.closeAfter } : null,
      changes,
      window: sinkWindow(window),
    },
    spans: all.map(o => o.span),
  };
}

/** The group's key columns come first in its row. */
function isKey(over: Expr, keys: number): boolean {
  return over.node === 'column' && over.index < keys && over.index < AGGREGATE_BASE;
}

export function sinkWindow(window: WindowSpec | null): SourceSpec['window'] {
  if (!window) return null;
  return { type: window.type, size: window.type === 'session' ? null : window.size };
}
