import type { Clock } from '../core/clock.ts';
import { MillraceError, MillraceErrors } from '../core/errors.ts';
import type { LogRecord } from '../core/log-record.ts';
import type { Column } from '../core/schema.ts';
import type { SourceText } from '../core/span.ts';
import type { Row, Value } from '../core/value.ts';
import type { DataflowOptions } from '../dataflow/dataflow.ts';
import type { Ledger } from '../dataflow/ledger.ts';
import { runOnce } from '../dataflow/reference/one-shot.ts';
import { rowText } from '../dataflow/row-text.ts';
import type { EventLog } from '../log/event-log.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { inputsOf } from '../plan/properties.ts';
import type { Expression, Query } from '../sql/ast.ts';
import { parseStatements } from '../sql/parse.ts';
import { ledgerRecords, ledgerSources } from './ledger-views.ts';
import type { ViewFileText } from './planned-views.ts';
import type { ServedVersion } from './served-version.ts';
import { type PlannerOptions, planFiles } from './view-planner.ts';

export interface AdHocOptions extends PlannerOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly upcasters?: DataflowOptions['upcasters'];
  readonly views: {
    /** the texts from which the served views were planned, and the files of sources */
    plannedFiles(): readonly ViewFileText[];
    open(name: string): ServedVersion;
    position(): number;
    ledger(): Ledger;
  };
}

export interface AdHocResult {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly position: number;
  readonly truncated: boolean;
}

/** rows of a view that a query may read */
const MAX_READ = 200_000;
/** of a topic the query sees the last records only */
const LAST_RECORDS = 20_000;
const MAX_ROWS = 10_000;
const MAX_SQL = 65_536;
const NAME = '$query';

/**
 * One SELECT, run once over the rows of views and the last records of topics, with the meaning of a view of the same
 * text. ORDER BY output columns, LIMIT and OFFSET are allowed here.
 */
export class AdHocQueries {
  readonly #options: AdHocOptions;

  constructor(options: AdHocOptions) {
    this.#options = options;
  }

  /** Throws `MillraceErrors` with places in `<query>`. */
  run(sql: string): AdHocResult {
    if (sql.length > MAX_SQL)
      throw new MillraceError('limit_exceeded', `a query may have ${MAX_SQL} characters`);
    const source: SourceText = { file: '<query>', text: sql };
    const query = onlySelect(source);
    const plan = this.#plan(source, query);
    const { log, clock, views } = this.#options;
    const rows = runOnce(plan, this.#options, {
      now: Math.max(clock.now(), log.lastAppendTime()),
      records: this.#records(plan),
      rowsOf: name => bounded(views.open(name).allRows(), name),
    });
    const hidden = new Set(plan.hidden ?? []);
    const columns = plan.root.schema.columns.filter((_, i) => !hidden.has(i));
    const sorted = sortRows(
      rows.map(r => r.slice(0, columns.length)),
      columns,
      query,
      source,
    );
    const offset = count(query.offset, source) ?? 0;
    const limit = Math.min(count(query.limit, source) ?? MAX_ROWS, MAX_ROWS);
    const page = sorted.slice(offset, offset + limit);
    const truncated = query.limit === null && sorted.length > offset + limit;
    return { columns, rows: page, position: views.position(), truncated };
  }

  #plan(source: SourceText, query: Query): ViewPlan {
    // ORDER BY and LIMIT are done here: blank them out, so that places in errors stay right
    const { text } = source;
    const body = query.body.span.end;
    const plain =
      text.slice(0, body) + text.slice(body, query.span.end).replace(/\S/g, ' ') + text.slice(query.span.end);
    const file: ViewFileText = { name: NAME, file: source.file, text: plain };
    const files = this.#options.views.plannedFiles();
    const sources = [...(this.#options.sources ?? []), ...ledgerSources(files.map(f => f.name))];
    const { plan, errors } = planFiles([...files, file], { ...this.#options, sources });
    const own = errors.filter(e => e.place?.source.file === source.file);
    const planned = plan.views.find(v => v.name === NAME);
    if (own.length > 0 || planned === undefined) {
      throw new MillraceErrors(
        own.length > 0 ? own : [new MillraceError('invalid_statement', 'a SELECT is expected')],
      );
    }
    return planned;
  }

  #records(plan: ViewPlan): readonly LogRecord[] {
    const { log, views } = this.#options;
    const topics = [...new Set(scannedTopics(plan.root))];
    return topics
      .flatMap(
        topic =>
          ledgerRecords(topic, views.ledger()) ??
          (log.topic(topic) === null ? [] : log.lastRecords(topic, LAST_RECORDS)),
      )
      .sort((a, b) => a.seq - b.seq);
  }
}

function onlySelect(source: SourceText): Query {
  const { statements, errors } = parseStatements(source);
  if (errors.length > 0) throw new MillraceErrors(errors);
  const [statement] = statements;
  if (statement?.kind === 'select' && statements.length === 1) return statement.query;
  const span = (statements[1] ?? statement)?.span ?? { start: 0, end: source.text.length };
  throw new MillraceError('invalid_statement', 'one SELECT is expected', {
    place: { source, span },
    hint: 'a view is made by dropping a file into views/',
  });
}

function scannedTopics(node: ViewPlan['root']): string[] {
  if (node.node === 'scan') return [node.source.topic];
  if (node.node === 'read') return [];
  return inputsOf(node).flatMap(scannedTopics);
}

function* bounded<T>(rows: Iterable<T>, view: string): Generator<T> {
  let n = 0;
  for (const row of rows) {
    if (++n > MAX_READ) {
      throw new MillraceError(
        'limit_exceeded',
        `"${view}" has more than ${MAX_READ} rows, too many for a query`,
        {
          hint: 'make the query a view: drop it into views/ as a file',
        },
      );
    }
    yield row;
  }
}

function sortRows(rows: Row[], columns: readonly Column[], query: Query, source: SourceText): Row[] {
  if (query.orderBy.length === 0) return rows;
  const keys = query.orderBy.map(item => ({
    column: orderColumn(item.expression, columns, source),
    sign: item.descending ? -1 : 1,
    // as PostgreSQL: NULL counts as the largest value
    nullsFirst: item.nulls === null ? item.descending : item.nulls === 'first',
  }));
  return rows.sort((a, b) => {
    for (const { column, sign, nullsFirst } of keys) {
      const order = compareNullable(
        columns[column] as Column,
        a[column] ?? null,
        b[column] ?? null,
        sign,
        nullsFirst,
      );
      if (order !== 0) return order;
    }
    return 0;
  });
}

function compareNullable(
  column: Column,
  a: Value | null,
  b: Value | null,
  sign: number,
  nullsFirst: boolean,
): number {
  if (a === null || b === null) return a === b ? 0 : (a === null) === nullsFirst ? -1 : 1;
  return sign * rowText.compare(column, a, b);
}

function orderColumn(expression: Expression, columns: readonly Column[], source: SourceText): number {
  const index =
    expression.kind === 'number'
      ? Number(expression.text) - 1
      : expression.kind === 'column'
        ? columns.findIndex(c => c.name.toLowerCase() === expression.name.name.toLowerCase())
        : -1;
  if (columns[index] !== undefined) return index;
  throw new MillraceError('invalid_statement', 'ORDER BY takes output columns by name or number', {
    place: { source, span: expression.span },
    hint: 'give the expression a name in SELECT and order by that name',
  });
}

function count(expression: Expression | null, source: SourceText): number | null {
  if (expression === null) return null;
  if (expression.kind === 'number' && /^\d{1,9}$/.test(expression.text)) return Number(expression.text);
  throw new MillraceError('invalid_statement', 'a whole number is expected', {
    place: { source, span: expression.span },
  });
}
