import type { Span } from '../../core/span.ts';
import type { Expr } from '../../expr/expr.ts';
import type { AggregateFold } from '../../expr/functions.ts';
import type { AggregateCall, WindowSpec } from '../../plan/plan.ts';
import type { Expression, SelectItem } from '../ast.ts';
import { windowBoundsReason } from './calls.ts';
import { exprKey } from './expr-tree.ts';
import type { Mode } from './expression.ts';
import { Aggregates, groupSchema, HavingAggregates, overGroup, windowSpec } from './group.ts';
import { FULL_SQL, listText } from './problems.ts';
import type { OutputItem } from './projection.ts';
import type { SelectContext } from './query-context.ts';
import type { ResolvedGroup } from './resolved-query.ts';

/** GROUP BY, HAVING, WINDOW and the aggregates of one SELECT. */
export class GroupAnalysis {
  #keys: readonly Expr[];
  readonly window: WindowSpec | null;
  readonly aggregates: Aggregates;
  readonly #context: SelectContext;
  readonly #mode: Mode;
  #having: Expr | null = null;

  constructor(context: SelectContext, mode: Mode) {
    this.#context = context;
    this.#mode = mode;
    const { select, problems } = context;
    const clause = select.window;
    this.aggregates = new Aggregates(clause !== null);
    this.#keys = this.#resolveKeys();
    this.window = clause ? problems.attempt(() => windowSpec(clause, problems)) : null;
  }

  get keys(): readonly Expr[] {
    return this.#keys;
  }

  /** Groups by further expressions; where they stand among the keys. */
  groupAlsoBy(exprs: readonly Expr[]): readonly number[] {
    return exprs.map(expr => {
      const known = this.#keys.findIndex(key => exprKey(key) === exprKey(expr));
      if (known >= 0) return known;
      this.#keys = [...this.#keys, expr];
      return this.#keys.length - 1;
    });
  }

  /** The keys, the arguments of aggregates and HAVING over other rows. */
  rewrite(change: (expr: Expr) => Expr): void {
    this.#keys = this.#keys.map(change);
    const { calls } = this.aggregates;
    calls.forEach((call, i) => {
      calls[i] = { ...call, args: call.args.map(change), filter: call.filter && change(call.filter) };
    });
    this.#having = this.#having && change(this.#having);
  }

  /** Everything that is computed from the rows of a group. */
  get parts(): readonly Expr[] {
    return [
      ...this.#keys,
      ...this.aggregates.calls.flatMap(c => [...c.args, ...(c.filter ? [c.filter] : [])]),
    ];
  }

  /** Whether the query groups at all. */
  get needed(): boolean {
    const { select } = this.#context;
    return select.groupBy !== null || this.aggregates.calls.length > 0 || select.having !== null;
  }

  #resolveKeys(): readonly Expr[] {
    const { select, problems } = this.#context;
    const keys: Expr[] = [];
    const seen = new Set<string>();
    for (const expression of select.groupBy?.items ?? []) {
      problems.attempt(() => {
        const key = this.#resolveKey(expression);
        const text = exprKey(key);
        if (seen.has(text)) {
          if (this.#mode === 'complete') return;
          throw problems.error(
            'invalid_statement',
            expression.span,
            'the same expression stands twice in GROUP BY',
          );
        }
        seen.add(text);
        keys.push(key);
      });
    }
    return keys;
  }

  #resolveKey(expression: Expression): Expr {
    const { select } = this.#context;
    const resolver = this.#context.resolver({
      clause: 'GROUP BY',
      windowBounds: select.window ? windowBoundsReason : undefined,
    });
    if (this.#mode === 'complete') {
      const item = this.#outputItem(expression);
      if (item?.kind === 'expression') return resolver.typed(item.expression);
    }
    return resolver.typed(expression);
  }

  /** PostgreSQL: a position, or the name of an output column where no input column has it. */
  #outputItem(expression: Expression): SelectItem | null {
    const { select, problems, scope } = this.#context;
    if (expression.kind === 'number' && /^\d+$/.test(expression.text)) {
      const item = select.items[Number(expression.text) - 1];
      if (item?.kind === 'expression') return item;
      throw problems.error(
        'invalid_statement',
        expression.span,
        `GROUP BY position ${expression.text} is not in the select list`,
        `write a number from 1 to ${select.items.length}, or the column itself`,
      );
    }
    if (expression.kind !== 'column' || expression.qualifier) return null;
    const { name } = expression;
    const upper = name.name.toUpperCase();
    if (scope.columns.some(c => c.name.toUpperCase() === upper)) return null;
    return select.items.find(i => i.kind === 'expression' && i.alias?.name.toUpperCase() === upper) ?? null;
  }

  resolveHaving(): void {
    const { select, problems } = this.#context;
    const { having } = select;
    if (!having) return;
    this.#having = problems.attempt(() =>
      this.#context
        .resolver({
          clause: 'HAVING',
          aggregates: new HavingAggregates(this.aggregates),
          windowBounds: select.window ? windowBoundsReason : undefined,
        })
        .boolean(having, 'HAVING'),
    );
  }

  /** The select list over the group's row. */
  outputs(items: readonly OutputItem[]): readonly { readonly item: OutputItem; readonly over: Expr }[] {
    const { problems, select } = this.#context;
    // without its keys nothing can be said about what is grouped
    if (this.keys.length < (select.groupBy?.items.length ?? 0) && this.#context.failed) return [];
    return items.flatMap(item => {
      const over = problems.attempt(() => this.#over(item.expr, 'SELECT', item.span));
      return over ? [{ item, over }] : [];
    });
  }

  having(): Expr | null {
    const { problems, select } = this.#context;
    const condition = this.#having;
    if (!condition) return null;
    return problems.attempt(() => this.#over(condition, 'HAVING', select.having?.span ?? select.span));
  }

  /** An expression of the SELECT as one over the group's row. */
  over(expr: Expr, clause = 'a subquery'): Expr {
    return this.#over(expr, clause, this.#context.select.span);
  }

  #over(expr: Expr, clause: string, span: Span): Expr {
    const { problems } = this.#context;
    const group = { keys: this.keys, windowed: this.window !== null };
    return overGroup(expr, group, column => {
      const name = column.node === 'rowtime' ? 'ROWTIME' : column.name;
      const at = this.#context.spanOf(column);
      return problems.error(
        'invalid_statement',
        at === this.#context.select.span ? span : at,
        `column "${name}" in ${clause} is neither in GROUP BY nor in an aggregate`,
        clause === 'HAVING' && this.#context.select.groupBy === null
          ? 'conditions over rows stand in WHERE'
          : this.#mode === 'strict'
            ? `add it to GROUP BY, or use LATEST_BY_OFFSET(${name})`
            : 'add it to GROUP BY',
      );
    });
  }

  resolved(): ResolvedGroup {
    const strict = this.#mode === 'strict';
    if (this.window?.type === 'session') this.#checkSessions();
    return {
      keys: this.keys,
      aggregates: this.aggregates.calls,
      window: this.window,
      nullKeys: strict ? 'drop' : 'group',
      emptyGroups: strict ? 'keep' : 'delete',
      schema: groupSchema(this.keys, this.window, this.aggregates.calls),
    };
  }

  /** A row between two sessions makes one of them: every aggregate must join what it knows of both. */
  #checkSessions(): void {
    const { problems, select } = this.#context;
    this.aggregates.calls.forEach((call, i) => {
      const span = this.aggregates.spans[i] ?? select.span;
      if (call.distinct) {
        problems.report(
          'not_supported',
          span,
          'DISTINCT aggregates over session windows are not supported by this version',
          'WINDOW TUMBLING and HOPPING take them',
        );
      } else if (!foldOf(call, this.#context).merge) {
        problems.report('invalid_statement', span, `${call.fn} cannot be computed over session windows`);
      }
    });
  }
}

/** What a function leaves of a group, to be joined with what it leaves of another. */
function foldOf(call: AggregateCall, { options }: SelectContext): AggregateFold {
  const types = call.args.map(a => a.type);
  return options.functions.aggregate(call.fn, types, call.type, call.constants);
}

/** Over changing rows every aggregate must be able to take a row away. */
export function checkRetractable(aggregates: Aggregates, context: SelectContext, mode: Mode): void {
  const refused: { name: string; span: Span }[] = [];
  aggregates.calls.forEach((call, i) => {
    const fold = foldOf(call, context);
    const able = fold.retract !== undefined || (mode === 'complete' && fold.retracting !== undefined);
    if (!able) refused.push({ name: call.fn, span: aggregates.spans[i] ?? context.select.span });
  });
  const [first] = refused;
  if (!first) return;
  const names = listText([...new Set(refused.map(r => r.name))]);
  context.problems.report(
    'invalid_statement',
    first.span,
    `${names} cannot be computed over a table, whose rows change`,
    mode === 'strict' ? FULL_SQL : undefined,
  );
}
