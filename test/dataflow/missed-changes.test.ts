import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../src/core/log-record.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { ViewRowEncoder } from '../../src/dataflow/live/view-rows.ts';
import { MissedChanges } from '../../src/dataflow/missed-changes.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import type { LogReader } from '../../src/log/event-log.ts';
import { blockOf } from '../../src/log/record-block.ts';
import type { DeploymentPlan, ViewPlan } from '../../src/plan/plan.ts';
import { type RowChange, RowChangeWriter, readRowChanges } from '../../src/view-store/row-changes.ts';
import { planOf, ZONE } from './engine/compare.ts';
import { history, SOURCES, statement } from './engine/random-scripts.ts';

const seed = Number(process.env.MILLRACE_SEED ?? 20_261_124);
const RUNS = Number(process.env.MILLRACE_RUNS ?? 300);

function logOf(records: readonly LogRecord[]): LogReader {
  function* read(from: number, to = records.length, max = records.length) {
    for (let at = from; at < to; at += max) yield blockOf(records.slice(at, Math.min(to, at + max)));
  }
  return {
    id: 'testlog',
    ancestors: [],
    start: () => 0,
    end: () => records.length,
    read,
    scan: read,
    topics: () => [],
    topic: () => null,
    close: async () => {},
  };
}

const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));

type Rows = Map<string, string>;

function apply(rows: Rows, changes: Iterable<RowChange>): Rows {
  for (const { key, value } of changes) {
    const [k, v] = [hex(key) as string, hex(value)];
    if (v === null) rows.delete(k);
    else rows.set(k, v);
  }
  return rows;
}

/** The rows that a view has at a position, computed record by record. */
function rowsAt(plan: DeploymentPlan, view: ViewPlan, records: readonly LogRecord[], position: number): Rows {
  const engine = createEngine({ plan, functions: standardLibrary, zone: ZONE });
  const encoder = new ViewRowEncoder(view);
  const writer = new RowChangeWriter();
  const rows: Rows = new Map();
  for (const record of records.slice(0, position)) {
    encoder.encode(engine.step(blockOf([record])).changes.get(view.name) ?? [], writer);
    apply(rows, readRowChanges(writer.take()));
  }
  return rows;
}

function missed(
  plan: DeploymentPlan,
  view: string,
  records: readonly LogRecord[],
  range: { from: number; to: number },
) {
  const run = new MissedChanges(
    {
      log: logOf(records),
      makeEngine: (p, writesTopic) =>
        createEngine({ plan: p, functions: standardLibrary, zone: ZONE, writesTopic }),
      encoderFor: v => new ViewRowEncoder(v),
    },
    { plan, view, ...range },
  );
  const changes: RowChange[] = [];
  for (let step = run.advance(); step !== 'done'; step = run.advance()) {
    if (step !== null) changes.push(...readRowChanges(step.bytes));
  }
  return changes;
}

test(`changes that are computed again bring the rows of one position to those of another, seed ${seed}`, () => {
  let compared = 0;
  fc.assert(
    fc.property(statement, history, fc.nat(), fc.nat(), (sql, records, a, b) => {
      const plan = planOf(`${SOURCES}${sql}`);
      if (!('views' in plan)) return;
      const [from = 0, to = 0] = [a, b].map(n => n % (records.length + 1)).sort((x, y) => x - y);
      for (const view of plan.views) {
        const changes = missed(plan, view.name, records, { from, to });
        const rows = apply(rowsAt(plan, view, records, from), changes);
        expect(rows).toEqual(rowsAt(plan, view, records, to));
        for (const { seq } of changes)
          expect(seq >= from && seq < to, `${seq} in [${from}, ${to})`).toBe(true);
        compared += changes.length;
      }
    }),
    { seed, numRuns: RUNS },
  );
  expect(compared).toBeGreaterThan(RUNS / 4);
});
