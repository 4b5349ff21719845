import { assert } from '../../core/assert.ts';
import type { Column, Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { BIGINT } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { QueryBody, Select } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { literal } from './coerce.ts';
import { analyseFrom } from './complete-joins.ts';
import { columnExprs, derivedRelation, plainQuery, type Rows } from './derived-relation.ts';
import {
  allOf,
  conjuncts,
  exprKey,
  isDeterministic,
  mapColumns,
  OUTER_BASE,
  readsOuter,
} from './expr-tree.ts';
import { checkRetractable, GroupAnalysis } from './group-by.ts';
import { Lookups } from './lookups.ts';
import { type OutputItem, resolveItems } from './projection.ts';
import { type QueryOptions, SelectContext } from './query-context.ts';
import type { ResolvedQuery } from './resolved-query.ts';
import { isNeverNull } from './scope.ts';
import { hasSubquery, type InnerRows, type InnerValue, type Pair, type SubqueryUse } from './subqueries.ts';
import { isWindowColumn } from './system-columns.ts';
import { readsClock, splitTemporal } from './temporal.ts';
import { withWhereKeys } from './where-keys.ts';

export interface InnerOptions {
  /** `outer` in it: the names of the query around */
  readonly options: QueryOptions;
  readonly rowsOf: (body: QueryBody) => Rows;
}

/**
 * A query in an expression without what its WHERE says of the query around it: equalities of both become pairs on which it
 * is joined in, other conditions go into the join. (Of grouped rows there are only pairs: the group is made for each.)
 */
export function analyseInner(
  use: SubqueryUse,
  { options, rowsOf: rows }: InnerOptions,
): InnerRows | InnerValue {
  refuseTail(use, options);
  const { body } = use.query;
  if (body.kind === 'select' && !body.groupBy?.sets) return new InnerSelect(body, use, options).analyse();
  const { derived, listed } = rows(body);
  checkOneColumn(use, listed, options);
  const relation = relationOf({ derived, listed }, use.span, options);
  const [value = null] = columnExprs(relation.schema);
  if (use.as === 'scalar' && value) return single({ relation, pairs: [], value }, use.span, options);
  return { kind: 'rows', relation, pairs: [], rest: [], value, valueNeverNull: false };
}

function relationOf(rows: Rows, span: Span, { problems }: QueryOptions): Relation {
  return derivedRelation(rows, { name: { name: 'subquery', quoted: false, span }, columns: [], problems });
}

/** Rows that exist are not made more or less by an order, nor by a limit above 0. */
function refuseTail({ query, as }: SubqueryUse, { problems }: QueryOptions): void {
  const limit = query.limit ?? query.offset;
  const harmless =
    as === 'exists' && !query.offset && query.limit?.kind === 'number' && query.limit.text !== '0';
  if (limit && !harmless) {
    problems.report(
      'invalid_statement',
      limit.span,
      'LIMIT and OFFSET of a subquery are not supported: rows beyond the limit would come and go',
      as === 'scalar' ? 'for the largest or smallest write SELECT MAX(...) or MIN(...)' : 'leave LIMIT out',
    );
  }
  if (query.emit?.mode === 'final') {
    problems.report(
      'invalid_statement',
      query.emit.span,
      'EMIT FINAL cannot stand in a subquery of an expression',
      'write the windowed query in FROM of the subquery',
    );
  }
}

function checkOneColumn({ as, span }: SubqueryUse, columns: number, { problems }: QueryOptions): void {
  if (as === 'exists' || columns === 1) return;
  throw problems.error(
    'type_mismatch',
    span,
    `a subquery ${as === 'in' ? 'of IN' : 'that is a value'} has one column, but this one has ${columns}`,
    'select the one column that is meant',
  );
}

class InnerSelect {
  readonly #select: Select;
  readonly #use: SubqueryUse;
  readonly #context: SelectContext;
  readonly #pairs: Pair[] = [];
  readonly #rest: Expr[] = [];

  constructor(select: Select, use: SubqueryUse, options: QueryOptions) {
    this.#select = select;
    this.#use = use;
    this.#context = new SelectContext(select, 'complete', options);
  }

  analyse(): InnerRows | InnerValue {
    const select = this.#select;
    const context = this.#context;
    const { problems } = context;
    const from = analyseFrom(context);
    if (!from?.side) return context.giveUp();
    const local = this.#splitWhere();
    const { rest, temporal } = splitTemporal(local, select.where?.span ?? select.span, problems);
    const group = new GroupAnalysis(context, 'complete');
    const items = this.#items(group);
    group.resolveHaving();
    this.#refuse(group, items);
    context.finish();

    const lookups = new Lookups({
      side: withWhereKeys(from.side, rest ? conjuncts(rest) : []),
      changes: from.rows.changes,
      entries: context.subqueries?.entries ?? [],
      toRow: expr => expr,
    });
    const where = allOf(
      conjuncts(rest ?? literal({ kind: 'BOOLEAN' }, true)).flatMap(p => lookups.condition(p) ?? []),
    );
    group.rewrite(expr => lookups.value(expr));
    const shown = items.map(i => ({ ...i, expr: lookups.value(i.expr) }));
    const rows = lookups.rows(from.rows);
    const input = { ...plainQuery(rows, lookups.side), where: isTrue(where) ? null : where, temporal };
    const changes = rows.changes === 'append' && temporal?.until ? 'retract' : rows.changes;
    const inner = { ...input, changes };
    return group.needed ? this.#grouped(inner, group, shown) : this.#plain(inner, shown);
  }

  /** The conditions that read rows of the subquery alone; pairs and further conditions are noted. */
  #splitWhere(): Expr {
    const { where } = this.#select;
    const context = this.#context;
    const yes = literal({ kind: 'BOOLEAN' }, true);
    if (!where) return yes;
    const condition = context.problems.attempt(() =>
      context.resolver({ clause: 'WHERE' }).boolean(where, 'WHERE'),
    );
    const local: Expr[] = [];
    for (const part of condition ? conjuncts(condition) : []) {
      if (!readsOuter(part)) local.push(part);
      else this.#correlated(part, where.span);
    }
    return allOf(local) ?? yes;
  }

  #correlated(part: Expr, span: Span): void {
    const { problems } = this.#context;
    if (readsClock(part) || !isDeterministic(part) || hasSubquery(part)) {
      problems.report(
        'invalid_statement',
        span,
        'a condition of a subquery on the query around it can have no clock, no random value and no further subquery',
        readsClock(part)
          ? 'compare columns of the query around it with the clock in its own WHERE'
          : 'write such conditions as parts of their own: WHERE a.id = b.id AND ...',
      );
      return;
    }
    if (part.node === 'compare' && part.op === '=') {
      for (const [inner, outer] of [
        [part.left, part.right],
        [part.right, part.left],
      ] as const) {
        if (readsOuter(inner) || !onlyOuter(outer)) continue;
        const own = mapColumns(outer, c => ({ ...c, index: c.index - OUTER_BASE }));
        this.#pairs.push({ inner, outer: own });
        return;
      }
    }
    this.#rest.push(part);
  }

  /** Of EXISTS the list only says whether rows are grouped. */
  #items(group: GroupAnalysis): readonly OutputItem[] {
    const context = this.#context;
    const { scope, problems } = context;
    const items = resolveItems({
      select: this.#select,
      scope,
      problems,
      resolver: context.resolver({ clause: 'SELECT', aggregates: group.aggregates }),
      star: scope.columns.filter(c => c.listed || isWindowColumn(c.name)),
    });
    if (!context.failed) checkOneColumn(this.#use, items.length, context.options);
    return items;
  }

  #refuse(group: GroupAnalysis, items: readonly OutputItem[]): void {
    const { problems } = this.#context;
    const { window } = this.#select;
    const { span, as } = this.#use;
    if (window) {
      problems.report(
        'invalid_statement',
        window.span,
        'WINDOW cannot stand in a subquery of an expression',
        'write the windowed query in FROM of the subquery',
      );
    }
    const shown = as === 'exists' && !group.needed ? [] : items.map(i => i.expr);
    if ([...group.parts, ...shown].some(readsClock)) {
      problems.report(
        'invalid_statement',
        span,
        'the clock (NOW, CURRENT_DATE) can only be compared with columns in WHERE',
        'select the column and compare it with the clock in WHERE',
      );
    }
    const mixed = as === 'in' && !group.needed ? [] : shown;
    if ([...group.parts, ...mixed].some(readsOuter)) {
      problems.report(
        'invalid_statement',
        span,
        'columns of the query around a subquery can only stand in its WHERE',
        'compute with them outside of the subquery: x + (SELECT ...)',
      );
    }
    if (group.needed && this.#rest.length > 0) {
      problems.report(
        'invalid_statement',
        span,
        'a subquery with aggregates can depend on the query around it by equalities only: WHERE inner.column = outer.column',
        'join the rows by this condition in FROM, then GROUP BY the columns of the query around it',
      );
    }
    if (as === 'scalar' && !group.needed && this.#rest.length > 0) {
      problems.report(
        'invalid_statement',
        span,
        'a subquery that is a value can depend on the query around it by equalities only: WHERE inner.column = outer.column',
        'write LEFT JOIN ... ON with this condition instead',
      );
    }
  }

  /** The pairs, the value, then the whole row. */
  #plain(input: ResolvedQuery, items: readonly OutputItem[]): InnerRows | InnerValue {
    const { as, span } = this.#use;
    const { options, scope } = this.#context;
    const item = as === 'exists' ? undefined : items[0]?.expr;
    const mixed = item !== undefined && readsOuter(item);
    const row = columnExprs(input.input.schema);
    const before = this.#pairs.map(pair => pair.inner);
    if (item && !mixed) before.push(item);
    const width = before.length;
    const distinct = this.#select.distinct && as === 'scalar';
    const columns = distinct ? before : [...before, ...row];
    const { key } = input.input.schema;
    const unique =
      input.changes === 'upsert' || (input.changes === 'retract' && input.input.changes === 'retract');
    const schema: Schema = {
      columns: columns.map(named),
      key: distinct ? columns.map((_, i) => i) : unique ? key.map(i => width + i) : [],
      windowed: false,
    };
    const query = {
      ...input,
      columns,
      schema,
      distinct,
      changes: distinct ? 'upsert' : input.changes,
    } as const;
    const relation = relationOf({ derived: { kind: 'query', query }, listed: columns.length }, span, options);
    const pairs = this.#pairs.map(({ outer, inner }, i) => ({ outer, inner: columnAt(i, inner) }));
    const moved = (expr: Expr) =>
      mapColumns(expr, c => (c.index >= OUTER_BASE ? c : { ...c, index: width + c.index }));
    const value = item ? (mixed ? moved(item) : columnAt(width - 1, item)) : null;
    if (as !== 'scalar' || !value) {
      const valueNeverNull = item !== undefined && isNeverNull(item, scope);
      return { kind: 'rows', relation, pairs, rest: this.#rest.map(moved), value, valueNeverNull };
    }
    const paired = new Set(this.#pairs.map(pair => exprKey(pair.inner)));
    const oneEach = unique && key.length > 0 && key.every(i => paired.has(exprKey(row[i] as Expr)));
    if (oneEach) return { kind: 'value', relation, pairs, value, empty: literal(value.type, null) };
    return single({ relation, pairs, value }, span, options);
  }

  #grouped(input: ResolvedQuery, group: GroupAnalysis, items: readonly OutputItem[]): InnerRows | InnerValue {
    const { as, span } = this.#use;
    const context = this.#context;
    const { options, problems } = context;
    if (input.changes !== 'append') checkRetractable(group.aggregates, context, 'complete');
    const whole = this.#select.groupBy === null;
    const at = group.groupAlsoBy(this.#pairs.map(pair => pair.inner));
    const [over] = as === 'exists' ? [] : group.outputs(items);
    const having = group.having();
    context.finish();
    const resolved = group.resolved();
    const row = columnExprs(resolved.schema);
    const pairs = this.#pairs.map(({ outer }, i) => ({ outer, inner: row[at[i] as number] as Expr }));
    const base = { ...input, group: resolved, changes: 'upsert' as const };
    if (whole) {
      if (as === 'in' && having) {
        throw problems.error(
          'invalid_statement',
          span,
          'IN of one aggregate with HAVING is not supported',
          'compare with the value: x = (SELECT ... HAVING ...)',
        );
      }
      const query = { ...base, columns: row, schema: resolved.schema };
      const relation = relationOf({ derived: { kind: 'query', query }, listed: row.length }, span, options);
      const value = over?.over ?? literal({ kind: 'BOOLEAN' }, true);
      const guarded = having ? onlyWhen(having, value) : value;
      const empty = mapColumns(guarded, c => this.#emptyResult(c.index - resolved.keys.length, group, c));
      return { kind: 'value', relation, pairs, value: guarded, empty };
    }
    const columns = over ? [...row, over.over] : row;
    const schema: Schema = { ...resolved.schema, columns: columns.map(named) };
    const query = { ...base, having, columns, schema };
    const relation = relationOf({ derived: { kind: 'query', query }, listed: columns.length }, span, options);
    const value = over ? columnAt(row.length, over.over) : null;
    if (as === 'scalar' && value) return single({ relation, pairs, value }, span, options);
    return { kind: 'rows', relation, pairs, rest: [], value, valueNeverNull: false };
  }

  /** What an aggregate gives for no rows at all. */
  #emptyResult(index: number, { aggregates }: GroupAnalysis, column: Expr): Expr {
    const call = aggregates.calls[index];
    if (!call) return literal(column.type, null);
    const types = call.args.map(a => a.type);
    const fold = this.#context.options.functions.aggregate(call.fn, types, call.type, call.constants);
    return literal(call.type, fold.result(fold.init()));
  }
}

/**
 * Rows of which there must be one for each combination of the pairs: the value of the only row; of several NULL, and a
 * ledger entry wherever it is used.
 */
function single(
  {
    relation,
    pairs,
    value,
  }: { readonly relation: Relation; readonly pairs: readonly Pair[]; readonly value: Expr },
  span: Span,
  options: QueryOptions,
): InnerValue {
  const keys = pairs.map(pair => pair.inner);
  const call = { constants: [], distinct: false, filter: null };
  const schema: Schema = {
    columns: [...keys.map(named), { name: 'value', type: value.type }, { name: 'rows', type: BIGINT }],
    key: keys.map((_, i) => i),
    windowed: false,
  };
  const group = {
    keys,
    aggregates: [
      { ...call, fn: 'SINGLE_VALUE', args: [value], type: value.type },
      { ...call, fn: 'COUNT', args: [], type: BIGINT },
    ],
    window: null,
    nullKeys: 'group',
    emptyGroups: 'delete',
    schema,
  } as const;
  const row = columnExprs(schema);
  const query: ResolvedQuery = {
    ...plainQuery(relation, null),
    group,
    columns: row,
    schema,
    changes: 'upsert',
  };
  const grouped = relationOf({ derived: { kind: 'query', query }, listed: row.length }, span, options);
  const [only, rows] = row.slice(keys.length);
  assert(only && rows, 'the value and the number of rows');
  return {
    kind: 'value',
    relation: grouped,
    pairs: pairs.map(({ outer }, i) => ({ outer, inner: row[i] as Expr })),
    value: { node: 'call', type: value.type, fn: 'SINGLE_ROW', args: [rows, only], site: 0 },
    empty: literal(value.type, null),
  };
}

function onlyWhen(when: Expr, then: Expr): Expr {
  return { node: 'case', type: then.type, whens: [{ when, then }], otherwise: null };
}

function isTrue(expr: Expr | null): boolean {
  return expr?.node === 'literal' && expr.value === true;
}

/** Whether an expression reads the query around the subquery, and nothing else. */
function onlyOuter(expr: Expr): boolean {
  let outer = false;
  let inner = false;
  mapColumns(expr, column => {
    if (column.index >= OUTER_BASE) outer = true;
    else inner = true;
    return column;
  });
  return outer && !inner;
}

function named(expr: Expr, i: number): Column {
  return { name: expr.node === 'column' ? expr.name : `value_${i}`, type: expr.type };
}

function columnAt(index: number, expr: Expr): Expr {
  return {
    node: 'column',
    type: expr.type,
    index,
    name: expr.node === 'column' ? expr.name : `value_${index}`,
  };
}
