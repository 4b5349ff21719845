import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { layDownSample } from '../../pipelines/sample/sample-history.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { Op } from '../../src/core/change.ts';
import { ManualClock } from '../../src/core/clock.ts';
import type { Schema } from '../../src/core/schema.ts';
import type { SqlType } from '../../src/core/sql-type.ts';
import type { Row, Value } from '../../src/core/value.ts';
import { rowAt, selectedRows } from '../../src/core/vec.ts';
import type { DataflowOptions, Engine } from '../../src/dataflow/dataflow.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { jsonFromValue } from '../../src/decode/json-writer.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { moneyText } from '../../src/invoice/money.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { shippedPlan } from '../oracle/shipped-plan.ts';
import { answers, duckdbOver } from './duckdb-answers.ts';

const UNTIL = Date.UTC(2026, 10, 24, 10);
const DAY = 86_400_000;

let folder: string;
let log: EventLog;
let options: DataflowOptions;
let duckdb: Awaited<ReturnType<typeof duckdbOver>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-views-'));
  log = createMemoryLog({ clock: new ManualClock(UNTIL) });
  const commands = new CommandRuntime({
    log,
    entity: invoiceEntity,
    onError: error => {
      throw error;
    },
  });
  await layDownSample({ log, commands, until: UNTIL, seed: 3 });
  log.tick(UNTIL);
  duckdb = await duckdbOver(log, folder);
  options = await shippedPlan('UTC');
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const textOf = (row: Row, schema: Schema): string =>
  row.map((value, i) => valueText(value, schema.columns[i]?.type)).join(' | ');

function valueText(value: Value | null, type: SqlType | undefined): string {
  if (value === null) return 'null';
  if (type?.kind === 'ARRAY') return jsonFromValue(value, type);
  if (type?.kind === 'DATE') return new Date(Number(value) * DAY).toISOString().slice(0, 10);
  if (type?.kind === 'DECIMAL') return moneyText(value as bigint, type.scale);
  if (type?.kind === 'DOUBLE' && Number.isInteger(value)) return `${value}.0`; // as DuckDB writes it
  return String(value);
}

const schemaOf = (view: string): Schema => {
  const plan = options.plan.views.find(v => v.name === view);
  if (!plan) throw new Error(`no view ${view}`);
  return plan.root.schema;
};

/** The rows that the engine's changes leave. */
class EngineRows {
  readonly engine: Engine = createEngine(options);
  readonly #rows = new Map<string, Map<string, Row>>();
  readonly ledger: unknown[] = [];

  step(from: number): void {
    for (const block of log.read(from)) {
      const { changes, ledger } = this.engine.step(block);
      this.ledger.push(...ledger);
      for (const [view, batches] of changes) {
        const rows = this.#rows.get(view) ?? new Map();
        this.#rows.set(view, rows);
        for (const batch of batches) {
          for (const i of selectedRows(batch)) {
            const row = rowAt(batch, i);
            const key = batch.schema.key.map(k => String(row[k])).join('/');
            if (batch.op?.[i] === Op.DELETE) rows.delete(key);
            else rows.set(key, row);
          }
        }
      }
    }
  }

  rows(view: string): readonly string[] {
    const schema = schemaOf(view);
    return [...(this.#rows.get(view)?.values() ?? [])].map(row => textOf(row, schema)).sort();
  }
}

test('every shipped view answers what DuckDB answers on the same history, and moves with the clock', async () => {
  const fold = createReferenceFold(options);
  const engine = new EngineRows();
  const foldRows = (view: string) =>
    fold
      .rows(view)
      .map(r => textOf(r.row, schemaOf(view)))
      .sort();
  for (const block of log.read(0)) fold.step(block);
  engine.step(0);
  const expected = answers('2026-11-24');
  const views = options.plan.views.filter(v => v.kind !== 'append').map(v => v.name);
  expect(Object.keys(expected).sort()).toEqual(views.sort());
  for (const view of views) {
    const rows = await duckdb(expected[view] ?? '');
    expect(rows.length, view).toBeGreaterThan(20);
    expect(foldRows(view), `${view} of the fold`).toEqual(rows);
    expect(engine.rows(view), `${view} of the engine`).toEqual(rows);
  }
  expect(fold.takeLedger()).toEqual([]);
  expect(engine.ledger).toEqual([]);

  // Nothing happens, but the day turns.
  const before = engine.rows('overdue_invoices').length;
  const end = log.end();
  log.tick(Date.UTC(2026, 10, 25));
  for (const block of log.read(end)) fold.step(block);
  engine.step(end);
  const overdue = await duckdb(answers('2026-11-25').overdue_invoices ?? '');
  expect(overdue.length).toBeGreaterThan(before);
  expect(foldRows('overdue_invoices')).toEqual(overdue);
  expect(engine.rows('overdue_invoices')).toEqual(overdue);
}, 120_000);
