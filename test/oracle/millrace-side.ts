import { columnsEngine } from '../../src/cli/test/case-engine.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { errorText } from '../../src/core/errors.ts';
import { type LogRecord, recordAt } from '../../src/core/log-record.ts';
import { type SqlType, typeText } from '../../src/core/sql-type.ts';
import type { Value } from '../../src/core/value.ts';
import type { DataflowOptions, LedgerEntry } from '../../src/dataflow/dataflow.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { runOnce } from '../../src/dataflow/reference/one-shot.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { ViewRows } from '../../src/dataflow/reference/view-rows.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { valueText } from '../../src/expr/value-text.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import type { PlanNode } from '../../src/plan/plan.ts';
import { inputsOf } from '../../src/plan/properties.ts';
import { planScript } from '../../src/plan/script.ts';
import { COLUMNS } from './generator/types.ts';
import type { OracleCase } from './oracle-case.ts';

/** Rows of every view at a position, sorted, as texts that both sides write alike; and what the ledger counted. */
export interface Answers {
  readonly rows: ReadonlyMap<string, readonly string[]>;
  readonly ledger: readonly LedgerEntry[];
}

export interface Prepared {
  readonly options: DataflowOptions;
  readonly log: EventLog;
}

const columns = COLUMNS.map(c => `${c.name} ${c.type}`).join(', ');
const SOURCES = [
  `CREATE STREAM s (k STRING KEY, ${columns}) WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON');`,
  `CREATE TABLE t (k STRING PRIMARY KEY, ${columns}) WITH (KAFKA_TOPIC = 't', VALUE_FORMAT = 'JSON');`,
];

/** KSQL between the source and a view: NULL keys and records without value are dropped. */
const DERIVED =
  'CREATE TABLE g AS SELECT k, COUNT(*) AS n, COUNT(i) AS c, LATEST_BY_OFFSET(t) AS l FROM s GROUP BY k;';

/** Throws an Error with the texts of all refusals when Millrace refuses the views. */
export function prepare(test: OracleCase): Prepared {
  const views = test.views.map(v => `CREATE VIEW ${v.name} AS ${v.millrace};`);
  const derived = test.views.some(v => /\b(FROM|JOIN) g\b/.test(v.millrace)) ? [DERIVED] : [];
  const source = { file: test.name, text: [...SOURCES, ...derived, ...views].join('\n') };
  const { plan, errors } = planScript(source, { functions: standardLibrary, zone: test.zone });
  if (plan === null) throw new Error(`refused:\n${errors.map(errorText).join('\n')}`);
  return { options: { plan, functions: standardLibrary, zone: test.zone }, log: logOf(test) };
}

function logOf(test: OracleCase): EventLog {
  const log = createMemoryLog({ clock: new ManualClock(0), id: 'oracle' });
  for (const name of ['s', 't']) log.createTopic({ name, partitions: 1, keyIndex: false });
  for (const record of test.records) {
    if ('tick' in record) {
      log.tick(record.tick);
      continue;
    }
    const { topic, key, value, time, at } = record;
    log.append({
      records: [{ topic, key: bytes(key), value: bytes(value), timestamp: time }],
      appendTime: at,
    });
  }
  return log;
}

function bytes(text: string | null): Uint8Array | null {
  return text === null ? null : new TextEncoder().encode(text);
}

/** The reference fold at increasing positions. */
export function foldAt({ options, log }: Prepared, positions: readonly number[]): readonly Answers[] {
  const fold = createReferenceFold(options);
  const ledger: LedgerEntry[] = [];
  let from = 0;
  return positions.map(to => {
    for (const block of log.read(from, to)) fold.step(block);
    from = to;
    ledger.push(...fold.takeLedger());
    const rows = new Map(options.plan.views.map(({ name }) => [name, fold.rows(name)]));
    return answers(options, rows, ledger);
  });
}

/** The engine at increasing positions, which are its epochs too; from `restart` on, one restored from a snapshot. */
export function engineAt(
  { options, log }: Prepared,
  positions: readonly number[],
  restart: number,
): readonly Answers[] {
  const { views } = options.plan;
  let engine = createEngine(options);
  const state = new Map(views.map(({ name, root }) => [name, new ViewRows(root.schema)]));
  const ledger: LedgerEntry[] = [];
  let from = 0;
  return positions.map((to, i) => {
    const run = columnsEngine(() => engine)(options);
    for (const block of log.read(from, to)) run.step(block);
    from = to;
    ledger.push(...run.takeLedger());
    for (const { name } of views) for (const change of run.takeChanges(name)) state.get(name)?.apply(change);
    if (i === restart) {
      const snapshot = engine.snapshot();
      engine = createEngine(options);
      engine.restore(snapshot, to);
    }
    const rows = new Map(views.map(({ name }) => [name, state.get(name)?.inOrder() ?? []]));
    return answers(options, rows, ledger);
  });
}

/**
 * Every view as an ad hoc query (POST /query) answers it at the end: its plan run once over the rows of the views before it
 * and the records of its topics.
 */
export function askedOnce({ options, log }: Prepared): Answers {
  const fold = createReferenceFold(options);
  for (const block of log.read(0)) fold.step(block);
  const rows = new Map(
    options.plan.views.map(plan => {
      const rowsOf = (name: string) => fold.rows(name);
      const input = { rowsOf, records: recordsOf(log, plan.root), now: log.lastAppendTime() };
      return [plan.name, runOnce(plan, options, input).map(row => ({ row }))];
    }),
  );
  return answers(options, rows, []);
}

function recordsOf(log: EventLog, root: PlanNode): LogRecord[] {
  const records: LogRecord[] = [];
  for (const block of log.read(0)) {
    for (let i = 0; i < block.n; i++) records.push(recordAt(block, i));
  }
  return records.filter(record => scans(root, record.topic));
}

function scans(node: PlanNode, topic: string): boolean {
  if (node.node === 'scan') return node.source.topic === topic;
  return inputsOf(node).some(input => scans(input, topic));
}

type Rows = ReadonlyMap<string, readonly { readonly row: readonly (Value | null)[] }[]>;

function answers({ plan }: DataflowOptions, rows: Rows, ledger: readonly LedgerEntry[]): Answers {
  const texts = new Map<string, readonly string[]>();
  for (const { name, root, hidden = [], statement } of plan.views) {
    if (statement !== 'view') continue;
    const shown = [...root.schema.columns.entries()].filter(([i]) => !hidden.includes(i));
    const text = (row: readonly (Value | null)[]) =>
      shown.map(([i, { type }]) => cellText(row[i] ?? null, type)).join(' | ');
    texts.set(name, (rows.get(name) ?? []).map(({ row }) => text(row)).sort());
  }
  return { rows: texts, ledger: [...ledger] };
}

function cellText(value: Value | null, type: SqlType): string {
  if (value === null) return '~';
  if (type.kind === 'DOUBLE' || type.kind === 'TIMESTAMP') return JSON.stringify(String(value));
  return JSON.stringify(valueText(type)(value));
}

/** Column types by view, for messages. */
export function typesOf({ options }: Prepared): string {
  return options.plan.views
    .map(
      ({ name, root }) =>
        `${name}(${root.schema.columns.map(c => `${c.name} ${typeText(c.type)}`).join(', ')})`,
    )
    .join('; ');
}
