import { INT } from '../../core/sql-type.ts';
import type { Query, QueryBody } from '../ast.ts';
import { canonical } from '../catalog.ts';
import { analyseSelect } from './complete-select.ts';
import { columnExprs, derivedRelation, type Rows, rowsOf } from './derived-relation.ts';
import type { DerivedTable } from './from.ts';
import { groupedByAll } from './group-by-all.ts';
import { groupedBySets } from './grouping-sets.ts';
import { analyseInner } from './inner-query.ts';
import { limitedRows, withOrderColumns } from './limited-rows.ts';
import { limitsOf } from './limits.ts';
import type { Problems } from './problems.ts';
import type { QueryOptions } from './query-context.ts';
import type { ResolvedQuery } from './resolved-query.ts';
import { analyseSetOperation } from './set-operation.ts';

/** CREATE VIEW ... AS and a bare SELECT: standard SQL as PostgreSQL answers it. */
export function analyseComplete(query: Query, options: QueryOptions): ResolvedQuery {
  const rows = analyseRows(query, { options, served: true });
  return rows.derived.kind === 'query' ? rows.derived.query : served(rows, query, options);
}

interface Place {
  readonly options: QueryOptions;
  /** rows of the view itself have a key; those of its parts may come and go without one */
  readonly served: boolean;
}

function analyseRows(query: Query, { options, served: isServed }: Place): Rows {
  const { problems } = options;
  const limits = limitsOf(query, problems);
  const own = deriving(withCommonTables(query, options));
  if (limits === null) {
    refuseOrder(query, problems, isServed);
    return analyseBody(query, query.body, { options: own, served: isServed });
  }
  const { body, orderBy, span } = query;
  const ordered = body.kind === 'select' ? withOrderColumns(body, orderBy) : body;
  const rows = analyseBody(query, ordered, { options: own, served: false });
  return limitedRows(rows, { ...limits, orderBy, served: isServed, span, problems });
}

function analyseBody(query: Query, body: QueryBody, place: Place): Rows {
  const { problems } = place.options;
  switch (body.kind) {
    case 'select':
      return body.groupBy?.sets
        ? analyseBody(query, groupedBySets(body, place.options), place)
        : analyseSelect(groupedByAll(body, place.options), { ...place, emit: query.emit });
    case 'nested':
      return analyseRows(body.query, place);
    case 'setOperation': {
      if (query.emit?.mode === 'final') {
        problems.report(
          'invalid_statement',
          query.emit.span,
          'EMIT FINAL is for windowed aggregates only',
          'leave EMIT FINAL out, or add WINDOW ... and GROUP BY',
        );
      }
      return analyseSetOperation(body, {
        problems,
        rowsOf: side => analyseBody({ ...query, emit: null }, side, { ...place, served: false }),
      });
    }
    case 'values':
      throw problems.error(
        'invalid_statement',
        body.span,
        'VALUES reads no stream and no table: there is nothing to keep up to date',
        'write the values as a CASE of a SELECT, or insert them into a stream of their own',
      );
  }
}

/** Options under which the queries in FROM and in expressions are analysed too. */
function deriving(options: QueryOptions): QueryOptions {
  return {
    ...options,
    derive: table => derive(table, options),
    inner(use, outer) {
      const own = withCommonTables(use.query, options);
      return analyseInner(use, {
        options: { ...deriving(own), outer },
        rowsOf: body =>
          analyseBody({ ...use.query, emit: null }, body, { options: deriving(own), served: false }),
        firstRows: () => analyseRows({ ...use.query, with: [], emit: null }, { options: own, served: false }),
      });
    },
  };
}

function derive({ query, name, columns }: DerivedTable, options: QueryOptions) {
  const rows = analyseRows(query, { options, served: false });
  return derivedRelation(rows, { name, columns, problems: options.problems });
}

/** Each common table sees those before it; a name that a source has too means the common table from then on. */
function withCommonTables(query: Query, options: QueryOptions): QueryOptions {
  const { problems } = options;
  const names = new Set<string>();
  let own = options;
  for (const { name, columns, query: inner } of query.with) {
    if (names.has(canonical(name))) {
      throw problems.error(
        'duplicate_name',
        name.span,
        `two queries of WITH are called "${name.name}"`,
        'give one of them another name',
      );
    }
    names.add(canonical(name));
    own = { ...own, catalog: own.catalog.with(derive({ query: inner, name, columns }, own)) };
  }
  return own;
}

/** An order alone says in which order a reader gets rows, but not which ones. */
function refuseOrder(query: Query, problems: Problems, isServed: boolean): void {
  const [order] = query.orderBy;
  if (!order) return;
  problems.report(
    'invalid_statement',
    order.span,
    isServed ? 'a view has no order of its own' : 'the rows of a subquery have no order',
    isServed ? 'readers order: GET /views/{name}?order=...' : 'leave ORDER BY out: it changes no rows',
  );
}

/** The rows of a set operation as a view's: equal ones are told apart by their number. */
function served(rows: Rows, query: Query, options: QueryOptions): ResolvedQuery {
  const name = { name: 'rows', quoted: false, span: query.span };
  const input = derivedRelation(rows, { name, columns: [], problems: options.problems });
  const { schema, changes } = rowsOf(rows.derived);
  const copies = changes === 'retract';
  const numbered = [...schema.columns, { name: '$copy', type: INT }];
  return {
    input,
    side: null,
    pseudo: false,
    where: null,
    temporal: null,
    rekey: null,
    explode: [],
    group: null,
    having: null,
    columns: columnExprs(schema),
    schema: copies ? { columns: numbered, key: numbered.map((_, i) => i), windowed: false } : schema,
    hidden: copies ? [schema.columns.length] : [],
    distinct: false,
    copies,
    keyed: false,
    final: null,
    changes: copies ? 'upsert' : changes,
    window: null,
  };
}
