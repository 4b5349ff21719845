import { type CaseRun, columnsEngine } from '../../src/cli/test/case-engine.ts';
import { encodeCaseRecord } from '../../src/cli/test/ksqldb-records.ts';
import { sourceFormat, unknownFormat } from '../../src/cli/test/topic-formats.ts';
import { type Change, Op } from '../../src/core/change.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { MillraceErrors } from '../../src/core/errors.ts';
import type { Schema } from '../../src/core/schema.ts';
import type { Row } from '../../src/core/value.ts';
import type { DataflowOptions, Engine, LedgerEntry } from '../../src/dataflow/dataflow.ts';
import { keyTextOf } from '../../src/dataflow/reference/key-columns.ts';
import { ViewRows } from '../../src/dataflow/reference/view-rows.ts';
import { readJson } from '../../src/decode/json-reader.ts';
import type { JsonValue } from '../../src/decode/json-value.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import type { FunctionRegistry } from '../../src/expr/registry.ts';
import { valueText } from '../../src/expr/value-text.ts';
import type { AppendRecord, EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { planScript } from '../../src/plan/script.ts';
import type { CaseExpectation, CaseInput, SqlCase } from './case-file.ts';

/** A case ready to run: its plan, and a log that holds all its records. Cut the log as you like. */
export interface PreparedCase {
  readonly options: DataflowOptions;
  readonly log: EventLog;
}

/** Plans a case and writes its records. Throws `MillraceErrors` when the statements are refused. */
export function prepareCase(test: SqlCase, functions: FunctionRegistry = standardLibrary): PreparedCase {
  const options = planCase(test, functions);
  const log = createMemoryLog({ clock: new ManualClock(0), id: 'case' });
  for (const { topic } of options.plan.sources)
    log.createTopic({ name: topic, partitions: 1, keyIndex: false });
  const record = recordEncoder(options);
  for (const input of test.records ?? []) {
    if (input.tick !== undefined) log.tick(input.tick);
    else log.append({ records: [record(input)], appendTime: input.at });
  }
  return { options, log };
}

export function planCase(test: SqlCase, functions: FunctionRegistry = standardLibrary): DataflowOptions {
  const source = { file: '<case>', text: test.statements.join('\n') };
  const script = planScript(source, { functions, zone: 'UTC' });
  if (script.plan === null) throw new MillraceErrors(script.errors);
  return { plan: script.plan, functions, zone: 'UTC' };
}

/** Inputs of a case, but for ticks, as the records of its topics. */
export function recordEncoder({ plan }: DataflowOptions): (input: CaseInput) => AppendRecord {
  const formats = new Map(plan.sources.map(source => [source.topic, sourceFormat(source)]));
  return input => {
    const topic = input.topic ?? 'in';
    const encoded = encodeCaseRecord(
      {
        topic,
        key: exactJson(input.key),
        value: exactJson(input.value),
        timestamp: input.timestamp ?? null,
        window: null,
        headers: (input.headers ?? []).map(([name, value]) => ({
          name,
          value: Buffer.from(value).toString('base64'),
        })),
      },
      formats.get(topic) ?? unknownFormat(topic),
    );
    return input.raw === undefined ? encoded : { ...encoded, value: new TextEncoder().encode(input.raw) };
  };
}

function exactJson(value: unknown): JsonValue {
  return value === undefined ? null : readJson(new TextEncoder().encode(JSON.stringify(value)));
}

/** What running a case showed, as its file writes it. */
export type CaseOutcome = Required<CaseExpectation>;

/** Feeds a run the whole log, at most `maxRecords` a block, and collects what it gave. */
export function runWhole({ options, log }: PreparedCase, run: CaseRun, maxRecords?: number): CaseOutcome {
  for (const block of log.read(0, log.end(), maxRecords)) run.step(block);
  const changes = new Map(options.plan.views.map(view => [view.name, run.takeChanges(view.name)]));
  return outcomeOf(options, changes, run.takeLedger());
}

/** Like {@link runWhole}, on an engine that is stopped at each cut and continued by a fresh one from its snapshot. */
export function runCut(
  { options, log }: PreparedCase,
  cuts: readonly number[],
  createEngine: (options: DataflowOptions) => Engine,
): CaseOutcome {
  const changes = new Map<string, Change[]>(options.plan.views.map(view => [view.name, []]));
  const ledger: LedgerEntry[] = [];
  let engine = createEngine(options);
  let from = 0;
  for (const to of [...cuts, log.end()]) {
    const run = columnsEngine(() => engine)(options);
    for (const block of log.read(from, to)) run.step(block);
    for (const [view, list] of changes) list.push(...run.takeChanges(view));
    ledger.push(...run.takeLedger());
    const snapshot = engine.snapshot();
    engine = createEngine(options);
    engine.restore(snapshot, to);
    from = to;
  }
  return outcomeOf(options, changes, ledger);
}

export function outcomeOf(
  { plan }: DataflowOptions,
  changes: ReadonlyMap<string, readonly Change[]>,
  ledger: readonly LedgerEntry[],
): CaseOutcome {
  const rows: Record<string, string[]> = {};
  const text: Record<string, string[]> = {};
  for (const view of plan.views) {
    const { schema } = view.root;
    const all = changes.get(view.name) ?? [];
    const list = view.sink === null ? withoutEmptyDeletes(all, schema) : all;
    text[view.name] = list.map(change => changeText(change, schema));
    if (view.statement === 'stream') continue;
    const state = new ViewRows(schema);
    for (const change of list) state.apply(change);
    rows[view.name] = state.inOrder().map(({ row }) => rowText(row, schema));
  }
  return { rows, changes: text, ledger: ledgerCounts(ledger) };
}

/** The engine may give a view, whose rows alone count, the deletion of a row that is not there: that is no change. */
function withoutEmptyDeletes(changes: readonly Change[], schema: Schema): readonly Change[] {
  const keyText = keyTextOf(schema);
  const present = new Set<string>();
  return changes.filter(({ op, row }) => {
    if (op === Op.UPSERT) present.add(keyText(row));
    return op !== Op.DELETE || present.delete(keyText(row));
  });
}

function ledgerCounts(ledger: readonly LedgerEntry[]): Record<string, Record<string, number>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const { view, reason } of ledger) {
    const ofView = counts[view] ?? {};
    counts[view] = ofView;
    ofView[reason] = (ofView[reason] ?? 0) + 1;
  }
  return counts;
}

const SIGNS: Readonly<Record<Op, string>> = {
  [Op.ADD]: '+',
  [Op.RETRACT]: '-',
  [Op.UPSERT]: '=',
  [Op.DELETE]: 'x',
};

export function changeText(change: Change, schema: Schema): string {
  const columns = change.op === Op.DELETE ? schema.key : [...schema.columns.keys()];
  const value = change.noValue ? ' (no value)' : '';
  return `${SIGNS[change.op]} ${cellsText(change.row, schema, columns)} @${change.rowtime}${value}`;
}

export function rowText(row: Row, schema: Schema): string {
  return cellsText(row, schema, [...schema.columns.keys()]);
}

function cellsText(row: Row, schema: Schema, columns: readonly number[]): string {
  return columns
    .map(i => {
      const value = row[i] ?? null;
      const type = schema.columns[i]?.type;
      return value === null || type === undefined ? '~' : valueText(type)(value);
    })
    .join(' | ');
}
