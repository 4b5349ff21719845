import type { Span } from '../../core/span.ts';
import type { Expr } from '../../expr/expr.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import type { Query, Select } from '../ast.ts';
import type { Catalog, Relation } from '../catalog.ts';
import { queriesIn } from '../queries-in.ts';
import { type ClauseOptions, ExpressionResolver, type Mode, type ResolverContext } from './expression.ts';
import {
  type DerivedTable,
  type From,
  type FromRelation,
  reportUnsupported,
  resolveFrom,
  type TableFunctionSyntax,
} from './from.ts';
import { lateralRelation } from './lateral.ts';
import { FULL_SQL, type Problems, reported } from './problems.ts';
import { type Scope, type ScopeColumn, type ScopeRelation, scopeOf } from './scope.ts';
import { type AnalyseInner, Subqueries } from './subqueries.ts';
import { holdsWindowCalls } from './window-calls.ts';

export interface QueryOptions {
  readonly catalog: Catalog;
  readonly functions: FunctionRegistry;
  readonly problems: Problems;
  /** IANA zone of CURRENT_DATE */
  readonly zone: string;
  /** makes relations of the queries in FROM; absent: there are none */
  readonly derive?: ((table: DerivedTable) => Relation) | undefined;
  /** analyses the queries in expressions; absent: there are none */
  readonly inner?: AnalyseInner | undefined;
  /** of a subquery: the names of the query around it */
  readonly outer?: Scope | undefined;
}

/** What the analysis of one SELECT shares: its names, its numbering, its errors. */
export class SelectContext {
  readonly select: Select;
  readonly options: QueryOptions;
  readonly problems: Problems;
  readonly from: From;
  readonly scope: Scope;
  /** rows are laid out as in a join, though there may be one relation */
  readonly wide: boolean;
  readonly subqueries: Subqueries | null;
  readonly #columns: ScopeColumn[];
  readonly #relations: ScopeRelation[];
  readonly #shared: ResolverContext;
  readonly #errorsBefore: number;

  constructor(select: Select, mode: Mode, options: QueryOptions) {
    this.options = options;
    this.problems = options.problems;
    this.#errorsBefore = options.problems.count;
    this.select = select;
    const empty: ResolverContext = {
      problems: options.problems,
      functions: options.functions,
      catalog: options.catalog,
      mode,
      scope: { relations: [], columns: [], outer: options.outer },
      numbering: { slot: 0, site: 0 },
      spans: new WeakMap(),
      subqueries: null,
    };
    const lateral =
      options.derive &&
      ((call: TableFunctionSyntax, before: readonly FromRelation[]) => lateralRelation(call, before, empty));
    this.from = resolveFrom({ ...options, select: this.select, lateral });
    // queries inside see all columns of the row, ROWTIME of each relation too
    this.wide =
      this.from.relations.length > 1 ||
      options.outer !== undefined ||
      (options.inner !== undefined && (holdsSubqueries(select) || holdsWindowCalls(select)));
    const scope = scopeOf(this.from.relations, this.wide);
    this.#columns = [...scope.columns];
    this.#relations = [...scope.relations];
    this.scope = { relations: this.#relations, columns: this.#columns, outer: options.outer };
    const { inner } = options;
    this.subqueries = inner ? new Subqueries(use => inner(use, this.scope)) : null;
    this.#shared = { ...empty, scope: this.scope, subqueries: this.subqueries };
    if (!this.from.complete) this.giveUp();
  }

  resolver(options: ClauseOptions): ExpressionResolver {
    return new ExpressionResolver(this.#shared, options);
  }

  /** A column that the query itself makes, for the names that follow. */
  addColumn(column: ScopeColumn): void {
    this.#columns.push(column);
  }

  /** USING: one column in the place of others, before all that were there; those are reached by their relation's name. */
  mergeColumns(
    columns: readonly { readonly column: ScopeColumn; readonly of: readonly ScopeColumn[] }[],
  ): void {
    for (const { column, of } of columns.toReversed()) {
      const others = this.#columns.map(c => (of.includes(c) ? { ...c, qualifiedOnly: true as const } : c));
      // what was merged before is a part of this one now
      const kept = others.filter(c => !(c.qualifiedOnly && c.relation < 0));
      this.#columns.splice(0, this.#columns.length, column, ...kept);
    }
  }

  /** The relations' columns stand elsewhere in the input row: `offsets` of each relation's first column. */
  placeRelations(offsets: readonly number[]): void {
    const before = this.#relations.map(r => r.offset);
    this.#relations.forEach((relation, at) => {
      this.#relations[at] = { ...relation, offset: offsets[at] ?? 0 };
    });
    this.#columns.forEach((column, i) => {
      const { expr, relation } = column;
      if (expr.node !== 'column') return;
      const index = expr.index - (before[relation] ?? 0) + (offsets[relation] ?? 0);
      this.#columns[i] = { ...column, expr: { ...expr, index } };
    });
  }

  spanOf(expr: Expr): Span {
    return this.#shared.spans.get(expr) ?? this.select.span;
  }

  get failed(): boolean {
    return this.problems.count > this.#errorsBefore;
  }

  /** Ends the analysis when anything is wrong or not supported; real mistakes hide what is not supported. */
  finish(): ScopeRelation {
    const [relation] = this.scope.relations;
    if (this.failed || this.from.unsupported.length > 0 || !relation) this.giveUp();
    return relation as ScopeRelation;
  }

  giveUp(): never {
    if (!this.failed) reportUnsupported(this.from.unsupported, this.problems);
    throw reported(this.problems);
  }
}

function holdsSubqueries({ items, where, groupBy, having }: Select): boolean {
  return queriesIn([items, where, groupBy, having]).length > 0;
}

/** The one SELECT of a strict query: ksqlDB has no other queries. */
export function onlySelect(query: Query, problems: Problems): Select {
  const [common] = query.with;
  const refuse = (span: Span, what: string) =>
    problems.error('not_supported', span, `KSQL has no ${what}`, FULL_SQL);
  if (common) throw refuse(common.span, 'common table expressions (WITH)');
  switch (query.body.kind) {
    case 'select':
      if (query.body.groupBy?.all) throw refuse(query.body.groupBy.span, 'GROUP BY ALL');
      return query.body;
    case 'nested':
      return onlySelect(query.body.query, problems);
    case 'setOperation':
      throw refuse(query.body.span, query.body.op.toUpperCase());
    case 'values':
      throw refuse(query.body.span, 'VALUES in the place of a query');
  }
}
