import type { Span } from '../../core/span.ts';
import type { Expr } from '../../expr/expr.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import type { Query, Select } from '../ast.ts';
import type { Catalog } from '../catalog.ts';
import { type ClauseOptions, ExpressionResolver, type Mode, type ResolverContext } from './expression.ts';
import { type From, reportUnsupported, resolveFrom } from './from.ts';
import { type Problems, reported } from './problems.ts';
import { type Scope, type ScopeColumn, type ScopeRelation, scopeOf } from './scope.ts';

export interface QueryOptions {
  readonly catalog: Catalog;
  readonly functions: FunctionRegistry;
  readonly problems: Problems;
  /** IANA zone of CURRENT_DATE */
  readonly zone: string;
}

/** What the analysis of one SELECT shares: its names, its numbering, its errors. */
export class SelectContext {
  readonly select: Select;
  readonly options: QueryOptions;
  readonly problems: Problems;
  readonly from: From;
  readonly scope: Scope;
  readonly #columns: ScopeColumn[];
  readonly #relations: ScopeRelation[];
  readonly #shared: ResolverContext;
  readonly #errorsBefore: number;

  constructor(query: Query, mode: Mode, options: QueryOptions) {
    this.options = options;
    this.problems = options.problems;
    this.#errorsBefore = options.problems.count;
    this.select = onlySelect(query, options.problems);
    this.from = resolveFrom({ ...options, select: this.select });
    const scope = scopeOf(this.from.relations);
    this.#columns = [...scope.columns];
    this.#relations = [...scope.relations];
    this.scope = { relations: this.#relations, columns: this.#columns };
    this.#shared = {
      problems: options.problems,
      functions: options.functions,
      catalog: options.catalog,
      mode,
      scope: this.scope,
      numbering: { slot: 0, site: 0 },
      spans: new WeakMap(),
    };
    if (!this.from.complete) this.giveUp();
  }

  resolver(options: ClauseOptions): ExpressionResolver {
    return new ExpressionResolver(this.#shared, options);
  }

  /** A column that the query itself makes, for the names that follow. */
  addColumn(column: ScopeColumn): void {
    this.#columns.push(column);
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

/** The one SELECT of a query without set operations. */
function onlySelect(query: Query, problems: Problems): Select {
  const [common] = query.with;
  if (common) {
    throw problems.error(
      'not_supported',
      common.span,
      'common table expressions (WITH) are not supported by this version',
    );
  }
  switch (query.body.kind) {
    case 'select':
      return query.body;
    case 'nested':
      return onlySelect(query.body.query, problems);
    case 'setOperation':
      throw problems.error(
        'not_supported',
        query.body.span,
        `${query.body.op.toUpperCase()} is not supported by this version`,
      );
    case 'values':
      throw problems.error('not_supported', query.body.span, 'VALUES is not supported by this version');
  }
}
