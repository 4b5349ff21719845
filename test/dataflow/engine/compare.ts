import { expect } from 'vitest';
import { bitAt } from '../../../src/core/bits.ts';
import { type Change, Op } from '../../../src/core/change.ts';
import type { LogRecord } from '../../../src/core/log-record.ts';
import type { Schema } from '../../../src/core/schema.ts';
import { rowAt, selectedRows } from '../../../src/core/vec.ts';
import type { Engine, EpochOutput, LedgerEntry, StateParts } from '../../../src/dataflow/dataflow.ts';
import { finalViews } from '../../../src/dataflow/engine/demand.ts';
import { createEngine } from '../../../src/dataflow/engine/engine.ts';
import { createReferenceFold } from '../../../src/dataflow/reference/reference-fold.ts';
import { ViewRows } from '../../../src/dataflow/reference/view-rows.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import { blockOf } from '../../../src/log/record-block.ts';
import type { DeploymentPlan } from '../../../src/plan/plan.ts';
import { planScript } from '../../../src/plan/script.ts';
import { heldState } from './held-state.ts';

export const ZONE = 'Europe/Berlin';

/** The plan of a script, or what is wrong with it. */
export function planOf(text: string): DeploymentPlan | readonly string[] {
  const { plan, errors } = planScript(
    { file: 'random.sql', text },
    { functions: standardLibrary, zone: ZONE },
  );
  return plan ?? errors.map(e => e.message);
}

/** How a history is cut into epochs: after which records, and after which of them the engine is stopped and restored. */
export interface Cuts {
  readonly name: string;
  cutAfter(i: number): boolean;
  restoreAfter(i: number): boolean;
}

export const WHOLE: Cuts = { name: 'whole', cutAfter: () => false, restoreAfter: () => false };
export const ROW_BY_ROW: Cuts = { name: 'row by row', cutAfter: () => true, restoreAfter: () => false };

/** How the engine is made. */
export interface Mode {
  readonly writesTopics: boolean;
  readonly generatedCode: boolean;
}

const EVERY_CHANGE: Mode = { writesTopics: true, generatedCode: true };
export const MODES: readonly Mode[] = [
  EVERY_CHANGE,
  { writesTopics: false, generatedCode: true },
  { writesTopics: false, generatedCode: false },
];

interface Seen {
  readonly changes: Change[];
  readonly rows: ViewRows;
}

/**
 * Runs a plan over a history through the engine and through the reference fold. Streams, topics and EMIT FINAL must be
 * equal change by change; tables and views row by row after every epoch; so must ledger and deadlines.
 */
export function expectEqual(
  plan: DeploymentPlan,
  records: readonly LogRecord[],
  cuts: Cuts,
  { writesTopics, generatedCode }: Mode = EVERY_CHANGE,
): void {
  const options = { plan, functions: standardLibrary, zone: ZONE };
  const fold = createReferenceFold(options);
  let engine = createEngine({ ...options, writesTopic: () => writesTopics, generatedCode });
  const final = finalViews(plan, () => writesTopics);
  const seen = new SeenViews(plan);
  const commits = new Commits();
  engine.track(() => 1);
  let from = 0;
  for (const i of records.keys()) {
    if (!cuts.cutAfter(i) && i < records.length - 1) continue;
    const block = blockOf(records.slice(from, i + 1));
    from = i + 1;
    fold.step(block);
    seen.take(engine.step(block));
    for (const view of plan.views) {
      if (view.statement === 'stream') continue;
      const rows = seen.rows(view.name);
      expect(rows, `${cuts.name}: rows of ${view.name} at ${from}`).toEqual(fold.rows(view.name));
    }
    expect(engine.deadline(), `${cuts.name}: deadline at ${from}`).toBe(fold.deadline());
    commits.take(engine);
    if (!cuts.restoreAfter(i)) continue;
    const { position } = engine;
    const before = heldState(engine.snapshot());
    engine = createEngine({ ...options, writesTopic: () => writesTopics, generatedCode });
    engine.restore(commits.parts(), position);
    expect(heldState(engine.snapshot()), `${cuts.name}: state at ${from}`).toEqual(before);
    engine.track(view => commits.neededFrom(view));
  }
  for (const view of plan.views) {
    if (final.has(view.name)) continue;
    const changes = seen.changes(view.name);
    const expected = fold.takeChanges(view.name).map(c => bare(c, view.root.schema));
    expect(changes, `${cuts.name}: changes of ${view.name}`).toEqual(expected);
  }
  // the bounds of a late session depend on whether sessions that ended long ago are still remembered
  const entries = (list: readonly LedgerEntry[], view: string) =>
    list
      .filter(e => e.view === view)
      .map(e => ({ ...e, message: e.message.replace(/session \[.*\]/, 'session') }));
  const expected = fold.takeLedger();
  for (const { name } of plan.views) {
    expect(entries(seen.ledger, name), `${cuts.name}: ledger of ${name}`).toEqual(entries(expected, name));
  }
}

/** The changes of state that an engine gives, those that are needed no longer left out. */
class Commits {
  readonly #byView = new Map<string, Map<number, () => Uint8Array>>();
  readonly #neededFrom = new Map<string, number>();
  #commit = 0;

  take(engine: Engine): void {
    const commit = ++this.#commit;
    for (const [view, { bytes, neededFrom }] of engine.changes(commit, 1)) {
      const kept = this.#byView.get(view) ?? new Map<number, () => Uint8Array>();
      this.#byView.set(view, bytes === null ? kept : kept.set(commit, bytes));
      this.#neededFrom.set(view, neededFrom);
      for (const old of [...kept.keys()]) if (old < neededFrom) kept.delete(old);
    }
  }

  parts(): StateParts {
    return new Map([...this.#byView].map(([view, kept]) => [view, [...kept.values()].map(bytes => bytes())]));
  }

  neededFrom(view: string): number {
    return this.#neededFrom.get(view) ?? 1;
  }
}

/** What an engine has given, view by view. */
export class SeenViews {
  readonly ledger: LedgerEntry[] = [];
  readonly #plan: DeploymentPlan;
  readonly #views: ReadonlyMap<string, Seen>;

  constructor(plan: DeploymentPlan) {
    this.#plan = plan;
    this.#views = new Map(
      plan.views.map(v => [v.name, { changes: [], rows: new ViewRows(v.root.schema) } as Seen]),
    );
  }

  rows(view: string): ReturnType<ViewRows['inOrder']> | undefined {
    return this.#views.get(view)?.rows.inOrder();
  }

  changes(view: string): readonly Change[] | undefined {
    return this.#views.get(view)?.changes;
  }

  take(output: EpochOutput): void {
    this.ledger.push(...output.ledger);
    for (const view of this.#plan.views) {
      const own = this.#views.get(view.name);
      for (const batch of output.changes.get(view.name) ?? []) {
        for (const i of selectedRows(batch)) {
          const change: Change = {
            op: (batch.op?.[i] ?? Op.ADD) as Op,
            seq: batch.seq[i] as number,
            rowtime: batch.rowtime[i] as number,
            row: rowAt(batch, i),
            noValue: bitAt(batch.noValue, i),
          };
          own?.changes.push(bare(change, view.root.schema));
          own?.rows.apply(change);
        }
      }
    }
  }
}

/** Of a DELETE only the key and the sequence count. */
function bare(change: Change, schema: Schema): Change {
  if (change.op !== Op.DELETE) return change;
  return { ...change, rowtime: 0, row: change.row.map((v, c) => (schema.key.includes(c) ? v : null)) };
}
