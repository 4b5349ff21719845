import type { Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { BOOLEAN } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Expression, Select } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { literal } from './coerce.ts';
import { analyseFrom } from './complete-joins.ts';
import { columnExprs, plainQuery } from './derived-relation.ts';
import {
  allOf,
  conjuncts,
  exprKey,
  isDeterministic,
  mapColumns,
  OUTER_BASE,
  readsOuter,
  some,
} from './expr-tree.ts';
import { Aggregates } from './group.ts';
import { checkRetractable, GroupAnalysis } from './group-by.ts';
import { relationSide } from './join-sides.ts';
import { isOne, type Limits } from './limits.ts';
import { Lookups } from './lookups.ts';
import { joinedToOuter } from './outer-rows.ts';
import { type OutputItem, resolveItems } from './projection.ts';
import { type QueryOptions, SelectContext } from './query-context.ts';
import { rankedSide } from './ranked-rows.ts';
import type { OrderedExpr, ResolvedQuery } from './resolved-query.ts';
import { isNeverNull } from './scope.ts';
import { ALWAYS, checkOneColumn, named, relationOf, single } from './single-row.ts';
import {
  type DependentValue,
  hasSubquery,
  type InnerRows,
  type InnerValue,
  type OuterRows,
  type Pair,
  type SubqueryUse,
} from './subqueries.ts';
import { isWindowColumn } from './system-columns.ts';
import { readsClock, splitTemporal } from './temporal.ts';
import { withWhereKeys } from './where-keys.ts';
import { nullsFirst } from './window-calls.ts';

/** One SELECT inside of an expression. */
export class InnerSelect {
  readonly #select: Select;
  readonly #use: SubqueryUse;
  readonly #limits: Limits | null;
  readonly #context: SelectContext;
  #pairs: Pair[] = [];
  #rest: Expr[] = [];

  constructor(select: Select, use: SubqueryUse, options: QueryOptions, limits: Limits | null) {
    this.#select = select;
    this.#use = use;
    this.#limits = limits;
    this.#context = new SelectContext(select, 'complete', options);
  }

  /** null: the first rows of a query that does not depend on the one around it, and is not a plain list of rows. */
  analyse(): InnerRows | InnerValue | DependentValue | null {
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
    const order = this.#limits ? this.#order(items) : [];
    this.#refuse(group, items);
    context.finish();
    if (this.#limits && (group.needed || select.distinct)) {
      this.#refuseLimit(order);
      return null;
    }

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
    const all: ResolvedQuery = { ...input, changes };
    const ordered = order.map(o => ({ ...o, expr: lookups.value(o.expr) }));
    if (this.#use.as === 'scalar' && this.#rest.length > 0) {
      return this.#dependent({ rows: all, group, items: shown, order: ordered });
    }
    const inner = this.#limits ? this.#first(all, ordered, this.#limits) : all;
    return group.needed ? this.#grouped(inner, group, shown) : this.#plain(inner, shown);
  }

  /** What the first rows are ordered by: expressions over the rows, items by their name or position. */
  #order(items: readonly OutputItem[]): readonly OrderedExpr[] {
    const context = this.#context;
    const { problems } = context;
    const resolver = context.resolver({ clause: 'ORDER BY', aggregates: new Aggregates(false) });
    return this.#use.query.orderBy.flatMap(item => {
      const { expression, descending } = item;
      const expr = problems.attempt(() => itemOf(expression, items) ?? resolver.typed(expression));
      return expr ? [{ expr, descending, nullsFirst: nullsFirst(item) }] : [];
    });
  }

  /** Groups and DISTINCT rows are put in order as a whole: for each row of the query around there would be others. */
  #refuseLimit(order: readonly OrderedExpr[]): void {
    const depends = this.#pairs.length > 0 || this.#rest.length > 0 || order.some(o => readsOuter(o.expr));
    if (!depends) return;
    throw this.#context.problems.error(
      'invalid_statement',
      this.#use.span,
      'the first groups, or DISTINCT rows, of a subquery cannot depend on the query around it',
      'write the largest or smallest as an aggregate: MAX(...), MIN(...)',
    );
  }

  /**
   * A value that depends on the query around it by more than equalities: what that query's rows say is joined to the rows
   * of the subquery first, each combination once, and they are grouped or put in order for each.
   */
  #dependent(parts: {
    readonly rows: ResolvedQuery;
    readonly group: GroupAnalysis;
    readonly items: readonly OutputItem[];
    readonly order: readonly OrderedExpr[];
  }): DependentValue {
    const { rows, group, items, order } = parts;
    const { options, problems } = this.#context;
    const { span } = this.#use;
    const ofRow = [...items.map(i => i.expr), ...group.parts, ...order.map(o => o.expr)];
    if (ofRow.some(expr => some(expr, e => e.node === 'rowtime'))) {
      throw problems.error(
        'invalid_statement',
        span,
        'ROWTIME of a subquery that depends on the query around it needs its relation',
        'write t.ROWTIME',
      );
    }
    const type = items[0]?.expr.type ?? BOOLEAN;
    const over = (outer: OuterRows): InnerValue => {
      const correlated = { pairs: this.#pairs, rest: this.#rest };
      const { query, pair, shift } = joinedToOuter(this.#relation(rows), correlated, {
        outer,
        span,
        options,
      });
      this.#pairs = [pair];
      this.#rest = [];
      group.rewrite(shift);
      const shown = items.map(item => ({ ...item, expr: shift(item.expr) }));
      const moved = order.map(o => ({ ...o, expr: shift(o.expr) }));
      const inner = this.#limits ? this.#first(query, moved, this.#limits) : query;
      const found = group.needed ? this.#grouped(inner, group, shown) : this.#plain(inner, shown);
      if (found.kind !== 'value') throw new TypeError('a scalar subquery has a value');
      return found;
    };
    return { kind: 'dependent', type, over };
  }

  /** The rows that WHERE leaves, all their columns. */
  #relation(all: ResolvedQuery): Relation {
    const { schema } = all.input;
    const key = isUnique(all) ? schema.key : [];
    const query: ResolvedQuery = { ...all, columns: columnExprs(schema), schema: { ...schema, key } };
    const rows = { derived: { kind: 'query', query }, listed: schema.columns.length } as const;
    return relationOf(rows, this.#use.span, this.#context.options);
  }

  /** The first rows of each combination of the pairs. */
  #first(all: ResolvedQuery, order: readonly OrderedExpr[], { from, to }: Limits): ResolvedQuery {
    const { problems } = this.#context;
    const { span } = this.#use;
    if (this.#rest.length > 0 || order.some(o => readsOuter(o.expr))) {
      throw problems.error(
        'invalid_statement',
        span,
        'the first rows of a subquery can depend on the query around it by equalities only: WHERE inner.column = outer.column',
        'number them in a join in FROM: ROW_NUMBER() OVER (PARTITION BY the row around ORDER BY ...) AS n, then WHERE n = 1',
      );
    }
    const rows = this.#relation(all);
    const partition = this.#pairs.map(pair => pair.inner);
    const side = rankedSide(relationSide(rows), { partition, order, from, to });
    const input = { ...rows, kind: 'table', changes: 'retract', schema: side.schema, hidden: [] } as const;
    return plainQuery(input, side);
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
    if (group.needed && as !== 'scalar' && this.#rest.length > 0) {
      problems.report(
        'invalid_statement',
        span,
        'groups of a subquery of IN or EXISTS can depend on the query around it by equalities only: WHERE inner.column = outer.column',
        'group the join of both: SELECT DISTINCT o.id FROM o JOIN t ON t.x < o.x GROUP BY o.id, o.n, t.k HAVING COUNT(*) = o.n',
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
    const unique = isUnique(input);
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
    if (this.#limits && isOne(this.#limits)) {
      const keyed = pairs.length > 0 ? pairs : [ALWAYS];
      return { kind: 'value', relation, pairs: keyed, value, empty: literal(value.type, null) };
    }
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

function isUnique({ changes, input }: ResolvedQuery): boolean {
  return changes === 'upsert' || (changes === 'retract' && input.changes === 'retract');
}

/** The item of the select list that ORDER BY means by its position or its name. */
function itemOf(expression: Expression, items: readonly OutputItem[]): Expr | null {
  if (expression.kind === 'number') return items[Number(expression.text) - 1]?.expr ?? null;
  if (expression.kind !== 'column' || expression.qualifier) return null;
  const name = expression.name.name.toUpperCase();
  return items.find(item => item.name.toUpperCase() === name)?.expr ?? null;
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

function columnAt(index: number, expr: Expr): Expr {
  return {
    node: 'column',
    type: expr.type,
    index,
    name: expr.node === 'column' ? expr.name : `value_${index}`,
  };
}
