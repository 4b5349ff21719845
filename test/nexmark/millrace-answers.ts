import { NEXMARK_QUERIES, nexmarkSources } from '../../bench/nexmark/queries.ts';
import { NEXMARK_TOPICS, nexmarkRecords, sideInputRecords } from '../../bench/nexmark/records.ts';
import { columnsEngine } from '../../src/cli/test/case-engine.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { errorText } from '../../src/core/errors.ts';
import { type SqlType, typeText } from '../../src/core/sql-type.ts';
import type { Value } from '../../src/core/value.ts';
import type { DataflowOptions, LedgerEntry } from '../../src/dataflow/dataflow.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { ViewRows } from '../../src/dataflow/reference/view-rows.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { valueText } from '../../src/expr/value-text.ts';
import type { AppendRecord, EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { planScript } from '../../src/plan/script.ts';
import type { NumberedRecord } from './duckdb-answers.ts';

export interface NexmarkHistory {
  readonly log: EventLog;
  readonly records: readonly NumberedRecord[];
}

export interface HistoryOptions {
  readonly count: number;
  readonly eventsPerSecond: number;
  readonly seed: number;
}

/** The side input, then so many events, in a log. */
export function nexmarkHistory(options: HistoryOptions): NexmarkHistory {
  const log = createMemoryLog({ clock: new ManualClock(0), id: 'nexmark' });
  for (const name of Object.values(NEXMARK_TOPICS)) log.createTopic({ name, partitions: 1, keyIndex: false });
  const appended: AppendRecord[] = [...sideInputRecords(), ...nexmarkRecords(options)];
  for (const record of appended) log.append({ records: [record], appendTime: record.timestamp });
  const records = appended.map(({ topic, key, value, timestamp = 0 }, seq) => ({
    seq,
    topic,
    arrived: timestamp,
    key: text(key),
    value: text(value) ?? '',
  }));
  return { log, records };
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

/** All views at once, over a log. */
export function nexmarkOptions(): DataflowOptions {
  const views = NEXMARK_QUERIES.map(({ sql }) => sql.slice(nexmarkSources().length));
  const source = { file: 'nexmark.sql', text: [nexmarkSources(), ...views].join('\n') };
  const { plan, errors } = planScript(source, { functions: standardLibrary, zone: 'UTC' });
  if (plan === null) throw new Error(errors.map(errorText).join('\n'));
  return { plan, functions: standardLibrary, zone: 'UTC' };
}

export interface Answers {
  /** by query: sorted, as texts that both sides write alike */
  readonly rows: ReadonlyMap<string, readonly string[]>;
  readonly ledger: readonly LedgerEntry[];
}

export interface RunOptions {
  /** increasing; answers are given at each */
  readonly positions: readonly number[];
  /** the most records of an epoch */
  readonly epoch: number;
}

/** The engine's answers at positions; after each but the last it is stopped, and restored into a new one. */
export function engineAnswers(
  options: DataflowOptions,
  log: EventLog,
  { positions, epoch }: RunOptions,
): Answers[] {
  const { views } = options.plan;
  let engine = createEngine(options);
  const state = new Map(views.map(({ name, root }) => [name, new ViewRows(root.schema)]));
  const ledger: LedgerEntry[] = [];
  let from = 0;
  return positions.map(to => {
    const run = columnsEngine(() => engine)(options);
    for (const block of log.read(from, to, epoch)) {
      run.step(block);
      for (const { name } of views)
        for (const change of run.takeChanges(name)) state.get(name)?.apply(change);
    }
    ledger.push(...run.takeLedger());
    const snapshot = engine.snapshot();
    engine = createEngine(options);
    engine.restore(snapshot, to);
    from = to;
    return { rows: rowTexts(options, state), ledger: [...ledger] };
  });
}

function rowTexts(
  { plan }: DataflowOptions,
  state: ReadonlyMap<string, ViewRows>,
): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, readonly string[]>();
  for (const { name, root, hidden = [] } of plan.views) {
    // a windowed view has its window a second time, as its key
    const windowed = ['WINDOWSTART', 'WINDOWEND'];
    const shown = [...root.schema.columns.entries()].filter(
      ([i, column]) => !hidden.includes(i) && !windowed.includes(column.name),
    );
    const rows = state.get(name)?.inOrder() ?? [];
    const lines = rows.map(({ row }) =>
      shown.map(([i, { type }]) => cellText(row[i] ?? null, type)).join(' | '),
    );
    texts.set(name.toLowerCase(), lines.sort());
  }
  return texts;
}

function cellText(value: Value | null, type: SqlType): string {
  if (value === null) return '~';
  if (type.kind === 'DOUBLE' || type.kind === 'TIMESTAMP') return JSON.stringify(String(value));
  return JSON.stringify(valueText(type)(value));
}

/** Column types by view, for messages. */
export function typesOf({ plan }: DataflowOptions, view: string): string {
  const found = plan.views.find(({ name }) => name.toLowerCase() === view);
  return found?.root.schema.columns.map(c => `${c.name} ${typeText(c.type)}`).join(', ') ?? '';
}
