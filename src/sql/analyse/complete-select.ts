import type { Column, Schema } from '../../core/schema.ts';
import { BIGINT, INT } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Query, Select } from '../ast.ts';
import { analyseFrom } from './complete-joins.ts';
import { columnExprs, derivedRelation, type Rows } from './derived-relation.ts';
import { allOf, columnsOf, conjuncts, exprKey, isDeterministic } from './expr-tree.ts';
import { checkRetractable, GroupAnalysis } from './group-by.ts';
import { relationSide } from './join-sides.ts';
import { Lookups } from './lookups.ts';
import { Explode, overInput } from './partition.ts';
import { WINDOWLESS } from './problems.ts';
import { checkNames, type OutputItem, resolveItems } from './projection.ts';
import { type QueryOptions, SelectContext } from './query-context.ts';
import type { ResolvedQuery } from './resolved-query.ts';
import { type Complete, inputChanges, withLookups, withWindows } from './select-stages.ts';
import { resolveCondition, sinkWindow } from './strict-query.ts';
import { hasSubquery } from './subqueries.ts';
import { isWindowColumn } from './system-columns.ts';
import { readsClock, splitTemporal, type TemporalSplit } from './temporal.ts';
import { withWhereKeys } from './where-keys.ts';
import { WindowCalls } from './window-calls.ts';

/** One SELECT as it is analysed. */
export interface SelectOptions {
  readonly options: QueryOptions;
  readonly emit: Query['emit'];
  /** rows that are served have a key; those of a subquery may come and go without one */
  readonly served: boolean;
}

/** A SELECT of complete SQL, as PostgreSQL answers it. */
export function analyseSelect(select: Select, { options, emit, served }: SelectOptions): Rows {
  const { problems } = options;
  const context = new SelectContext(select, 'complete', options);
  refuseUnviewable(context);
  const from = analyseFrom(context);
  if (!from) return context.giveUp();

  const condition = select.where ? resolveCondition(context, select.where, 'WHERE') : null;
  const split: TemporalSplit = (condition &&
    problems.attempt(() => splitTemporal(condition, select.where?.span ?? select.span, problems))) ?? {
    rest: null,
    temporal: null,
  };
  const group = new GroupAnalysis(context, 'complete');
  const explode = new Explode();
  const windows = new WindowCalls();
  const items = resolveItems({
    select,
    scope: context.scope,
    problems,
    resolver: context.resolver({
      clause: 'SELECT',
      aggregates: group.aggregates,
      tableFunctions: explode,
      windowCalls: windows,
    }),
    star: context.scope.columns.filter(c => c.listed || isWindowColumn(c.name)),
  });
  group.resolveHaving();
  refuseClock(context, items, group);
  checkNames(items, problems, isWindowColumn);
  const whole: Complete = {
    context,
    input: from.rows,
    side: from.side && withWhereKeys(from.side, split.rest ? conjuncts(split.rest) : []),
    items,
    split,
    explode,
    emit,
    served,
    overGroups: false,
  };
  const lookedUp = withLookups(whole, group);
  const ordered = windows.calls.length > 0 && !group.needed;
  const complete = ordered ? withWindows(lookedUp, windows.calls) : lookedUp;
  refuseRandom(complete, group);
  const query = group.needed ? grouped(complete, group, windows) : plain(complete);
  return { derived: { kind: 'query', query }, listed: items.length };
}

/** What a view that is kept up to date cannot have. */
function refuseUnviewable({ problems, select }: SelectContext): void {
  if (select.partitionBy) {
    problems.report(
      'invalid_statement',
      select.partitionBy[0]?.span ?? select.span,
      'PARTITION BY sets the key of a stream; a VIEW has no topic to key',
      'write CREATE STREAM ... AS to write a stream with another key',
    );
  }
}

/** The clock moves without any row: outside of WHERE nothing would say when a result changes. */
function refuseClock(context: SelectContext, items: readonly OutputItem[], group: GroupAnalysis): void {
  const { problems } = context;
  const refuse = (expr: Expr, at: OutputItem['span']) => {
    if (!readsClock(expr)) return;
    problems.report(
      'invalid_statement',
      at,
      'the clock (NOW, CURRENT_DATE) can only be compared with columns in WHERE: here every row would change all the time',
      'select the column and compute with the clock where the view is read',
    );
  };
  for (const item of items) refuse(item.expr, item.span);
  for (const [i, key] of group.keys.entries()) {
    refuse(key, context.select.groupBy?.items[i]?.span ?? context.select.span);
  }
  group.aggregates.calls.forEach((call, i) => {
    const parts = [...call.args, ...(call.filter ? [call.filter] : [])];
    for (const part of parts) refuse(part, group.aggregates.spans[i] ?? context.select.span);
  });
}

/**
 * A row that is taken away is computed once more to say which one: random values would be others, and the row that was
 * given would stay for ever.
 */
function refuseRandom(complete: Complete, group: GroupAnalysis): void {
  const { context, input, items, split } = complete;
  const { problems, select } = context;
  const refuse = (expr: Expr, at: OutputItem['span']) => {
    if (isDeterministic(expr)) return;
    problems.report(
      'invalid_statement',
      at,
      'random values cannot be computed over rows that change: a row that goes would not be known again',
      'compute them in a stream (CREATE STREAM ... AS) and read that',
    );
  };
  if (split.rest && input.changes === 'retract') refuse(split.rest, select.where?.span ?? select.span);
  const changes = inputChanges(complete);
  if (group.needed ? select.distinct : changes === 'retract' || (changes === 'upsert' && select.distinct)) {
    for (const item of items) refuse(item.expr, item.span);
  }
  if (!group.needed || changes === 'append') return;
  for (const [i, key] of group.keys.entries()) refuse(key, select.groupBy?.items[i]?.span ?? select.span);
  group.aggregates.calls.forEach((call, i) => {
    const parts = [...call.args, ...(call.filter ? [call.filter] : [])];
    for (const part of parts) refuse(part, group.aggregates.spans[i] ?? select.span);
  });
}

function plain(complete: Complete): ResolvedQuery {
  const { context, input, items, split, explode, emit } = complete;
  const { problems, select } = context;
  if (select.window && !complete.overGroups) {
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
  const rows = inputChanges(complete);
  if (rows !== 'append' && !explode.calls.every(call => call.args.every(isDeterministic))) {
    problems.report(
      'invalid_statement',
      explode.spans[0] ?? select.span,
      'a table function over rows that change cannot have random values: what was made of a row would not be known again',
    );
  }
  // what a table function makes of a row that changes comes and goes with it
  const changes = table && rows === 'upsert' ? 'retract' : rows;
  context.finish();
  const comeAndGo = changes === 'retract' && !select.distinct;
  // of rows that were joined with what is looked up there is one for each key still
  const unique = !table && comeAndGo && input.changes === 'retract' && input.schema.key.length > 0;
  const copies = comeAndGo && complete.served && !unique;
  const keyed = comeAndGo && complete.served && unique;
  const pseudo = usesPseudo(complete, []);
  const layout = { columns: input.schema.columns.length + (pseudo ? 2 : 0), map: null };
  const columns = items.map(item => overInput(item.expr, layout));
  const keys = input.schema.key.map((i): Expr => {
    const column = input.schema.columns[i];
    return { node: 'column', type: column?.type ?? BIGINT, index: i, name: column?.name ?? '' };
  });
  const output = withKey(items, columns, keys, {
    windowed: input.schema.windowed,
    // the key of a stream identifies nothing: it is kept only where it is shown
    needed: changes === 'upsert' || unique,
  });
  return {
    input,
    side: complete.side,
    pseudo,
    where: split.rest,
    temporal: split.temporal,
    rekey: null,
    explode: explode.calls,
    group: null,
    having: null,
    ...output,
    distinct: select.distinct,
    copies,
    keyed,
    final: null,
    changes: select.distinct || copies || keyed ? 'upsert' : changes,
    window: input.schema.windowed && output.schema.windowed ? input.window : null,
    ...(select.distinct ? distinctOutput(items, columns) : {}),
    ...(copies ? numberedOutput(output) : {}),
    ...(comeAndGo && !copies && !unique ? unkeyed(output) : {}),
  };
}

function grouped(complete: Complete, group: GroupAnalysis, windows: WindowCalls): ResolvedQuery {
  const { context, input, items, split, explode, emit } = complete;
  const { problems, select } = context;
  if (explode.calls.length > 0) {
    problems.report(
      'not_supported',
      explode.spans[0] ?? select.span,
      'table functions in the select list cannot stand beside aggregates',
      'write it in FROM: FROM t, UNNEST(t.list) AS x',
    );
    return context.giveUp();
  }
  const changes = inputChanges(complete);
  if (changes !== 'append') checkRetractable(group.aggregates, context, 'complete');
  if (select.window && changes !== 'append') {
    problems.report(
      'invalid_statement',
      select.window.span,
      `windows group streams; the rows of "${input.name}" change`,
      WINDOWLESS,
    );
  }
  if (emit?.mode === 'final' && !select.window) {
    problems.report(
      'invalid_statement',
      emit.span,
      'EMIT FINAL is for windowed aggregates only',
      'leave EMIT FINAL out, or add WINDOW ... and GROUP BY',
    );
  }
  const outputs = group.outputs(items);
  const having = group.having();
  const { window } = group;
  context.finish();
  windows.rewrite(expr => group.over(expr, 'OVER'));
  context.finish();
  const resolved = group.resolved();
  const keys = resolved.schema.key.map((i): Expr => {
    const column = resolved.schema.columns[i];
    return { node: 'column', type: column?.type ?? BIGINT, index: i, name: column?.name ?? '' };
  });
  const columns = outputs.map(o => o.over);
  const output = withKey(items, columns, keys, { windowed: window !== null, needed: true });
  const query: ResolvedQuery = {
    input,
    side: complete.side,
    pseudo: usesPseudo(complete, group.parts),
    where: split.rest,
    temporal: split.temporal,
    rekey: null,
    explode: [],
    group: resolved,
    having,
    ...output,
    distinct: select.distinct,
    copies: false,
    keyed: false,
    final: emit?.mode === 'final' ? { closeAfter: emit.closeAfter } : null,
    changes: 'upsert',
    window: sinkWindow(window),
    ...(select.distinct ? distinctOutput(items, columns) : {}),
  };
  const over = outputs.map(o => ({ ...o.item, expr: o.over }));
  const lookedUp = [...columns, ...(having ? [having] : [])].some(hasSubquery);
  if (windows.calls.length > 0) {
    if (lookedUp) refuseLookups(context);
    return orderedGroups({ ...complete, items: over }, windows, query);
  }
  if (!lookedUp) return query;
  return lookedUpByGroups({ ...complete, items: over }, group, query);
}

function refuseLookups({ problems, select }: SelectContext): never {
  throw problems.error(
    'invalid_statement',
    select.span,
    'a subquery in SELECT or HAVING cannot stand beside window functions over groups',
    'group in a subquery in FROM, and look up there: FROM (SELECT k, COUNT(*) AS n, (SELECT ...) AS x FROM t GROUP BY k) AS q',
  );
}

/** Window functions over groups: those that HAVING leaves are rows, which are put in order. */
function orderedGroups(complete: Complete, windows: WindowCalls, query: ResolvedQuery): ResolvedQuery {
  const { problems, select } = complete.context;
  const schema = query.group?.schema ?? query.schema;
  const groups: ResolvedQuery = {
    ...query,
    columns: columnExprs(schema),
    schema,
    hidden: [],
    distinct: false,
    changes: 'upsert',
  };
  const rows = { derived: { kind: 'query', query: groups }, listed: schema.columns.length } as const;
  const name = { name: 'groups', quoted: false, span: select.span };
  const input = derivedRelation(rows, { name, columns: [], problems });
  const split = { rest: null, temporal: null };
  const side = relationSide(input);
  return plain(withWindows({ ...complete, input, side, split, emit: null, overGroups: true }, windows.calls));
}

/** What SELECT and HAVING look up for each group: the groups are rows, to which it is joined. */
function lookedUpByGroups(complete: Complete, group: GroupAnalysis, query: ResolvedQuery): ResolvedQuery {
  const { context, items } = complete;
  const { problems, select } = context;
  const { schema } = query.group ?? { schema: query.schema };
  const groups: ResolvedQuery = {
    ...query,
    having: null,
    columns: columnExprs(schema),
    schema,
    hidden: [],
    distinct: false,
  };
  const rows = { derived: { kind: 'query', query: groups }, listed: schema.columns.length } as const;
  const name = { name: 'groups', quoted: false, span: select.span };
  const relation = derivedRelation(rows, { name, columns: [], problems });
  const lookups = new Lookups({
    side: relationSide(relation),
    changes: 'upsert',
    entries: context.subqueries?.entries ?? [],
    toRow: expr => group.over(expr),
  });
  const having = query.having ? conjuncts(query.having) : [];
  const rest = allOf(having.flatMap(part => lookups.condition(part) ?? []));
  const shown = items.map(item => ({ ...item, expr: lookups.value(item.expr) }));
  return plain({
    ...complete,
    input: lookups.rows(relation),
    side: lookups.side,
    items: shown,
    split: { rest, temporal: null },
    emit: null,
    overGroups: true,
  });
}

export type Output = Pick<ResolvedQuery, 'columns' | 'schema' | 'hidden'>;

/**
 * The named columns, then what of the key they do not show: hidden, since REST serves the named columns only. The bounds
 * of a window are shown, as in a table: a row is nothing without them.
 */
export function withKey(
  items: readonly { readonly name: string }[],
  shown: readonly Expr[],
  keys: readonly Expr[],
  options: { readonly windowed: boolean; readonly needed: boolean },
): Output {
  const columns: Column[] = items.map((item, i) => ({ name: item.name, type: shown[i]?.type ?? BIGINT }));
  const exprs = [...shown];
  const key: number[] = [];
  const hidden: number[] = [];
  const bounds = options.windowed ? keys.length - 2 : keys.length;
  // the bounds, which are always shown, come before what is hidden
  const inOrder = [...keys.entries()].sort(([a], [b]) => Number(b >= bounds) - Number(a >= bounds) || a - b);
  for (const [i, expr] of inOrder) {
    const name = i === bounds ? 'WINDOWSTART' : 'WINDOWEND';
    const at = shown.findIndex(
      (s, j) =>
        exprKey(s) === exprKey(expr) &&
        !Object.values(key).includes(j) &&
        (i < bounds || columns[j]?.name.toUpperCase() === name),
    );
    if (at >= 0) {
      key[i] = at;
      const shownColumn = columns[at];
      if (i >= bounds && shownColumn) columns[at] = { ...shownColumn, name };
      continue;
    }
    if (!options.needed) return { columns: exprs, schema: { columns, key: [], windowed: false }, hidden: [] };
    key[i] = columns.length;
    if (i < bounds) hidden.push(columns.length);
    columns.push({ name: i < bounds ? hiddenName(expr, columns) : name, type: expr.type });
    exprs.push(expr);
  }
  const schema: Schema = { columns, key, windowed: options.windowed };
  return { columns: exprs, schema, hidden };
}

function hiddenName(expr: Expr, columns: readonly Column[]): string {
  const base = `$${expr.node === 'column' ? expr.name : 'key'}`;
  let name = base;
  for (let i = 1; columns.some(c => c.name === name); i++) name = `${base}_${i}`;
  return name;
}

/** DISTINCT: all shown columns are the key. */
function distinctOutput(items: readonly OutputItem[], shown: readonly Expr[]): Output & { window: null } {
  const columns = items.map((item, i) => ({ name: item.name, type: shown[i]?.type ?? BIGINT }));
  const schema: Schema = { columns, key: columns.map((_, i) => i), windowed: false };
  return { columns: shown, schema, hidden: [], window: null };
}

/** Rows without a key that come and go: equal ones are told apart by their number. */
export function numberedOutput({ columns, schema }: Output): Output & { window: null } {
  const all: readonly Column[] = [...schema.columns, { name: '$copy', type: INT }];
  const numbered: Schema = { columns: all, key: all.map((_, i) => i), windowed: false };
  return { columns, schema: numbered, hidden: [schema.columns.length], window: null };
}

/** Rows that come and go without a key. */
function unkeyed({ schema }: Output): { readonly schema: Schema } {
  return { schema: { ...schema, key: [] } };
}

function usesPseudo(complete: Complete, parts: readonly Expr[]): boolean {
  const { input, items, split, explode } = complete;
  const used = new Set<number>();
  const all = [
    ...items.map(i => i.expr),
    ...parts,
    ...explode.calls.flatMap(c => c.args),
    ...(split.rest ? [split.rest] : []),
    ...(split.temporal?.from ? [split.temporal.from] : []),
    ...(split.temporal?.until ? [split.temporal.until] : []),
  ];
  for (const expr of all) columnsOf(expr, used);
  const first = input.schema.columns.length;
  return used.has(first) || used.has(first + 1);
}
