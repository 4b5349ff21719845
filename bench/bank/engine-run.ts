import { join } from 'node:path';
import { Op } from '../../src/core/change.ts';
import type { RecordBlock } from '../../src/core/log-record.ts';
import { rowAt, selectedRows } from '../../src/core/vec.ts';
import type { Engine, EpochOutput } from '../../src/dataflow/dataflow.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { ViewRows } from '../../src/dataflow/reference/view-rows.ts';
import { readViewFiles } from '../../src/deploy/discovery.ts';
import { planFiles } from '../../src/deploy/view-planner.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import type { DeploymentPlan, ViewPlan } from '../../src/plan/plan.ts';
import { faultsOf, type SeenRow, type SeenRows } from './faults.ts';

export const bankViews = join(import.meta.dirname, 'views');

/** The plan of the views of the bank. */
export function bankPlan(): DeploymentPlan {
  const { plan, errors } = planFiles(readViewFiles(bankViews, bankViews), {
    functions: standardLibrary,
    zone: 'UTC',
  });
  const [error] = errors;
  if (error !== undefined) throw error;
  return plan;
}

export interface EngineRun {
  /** positions at which the rows were looked at: the end of each epoch */
  readonly positions: number;
  readonly restarts: number;
  /** what was wrong, with its position; the first ones */
  readonly faults: readonly string[];
  /** of the engine alone */
  readonly ms: number;
  /** the rows at the end */
  readonly rows: SeenRows;
}

export interface EngineRunOptions {
  readonly plan: DeploymentPlan;
  /** the log, as it is cut into epochs */
  readonly blocks: Iterable<RecordBlock>;
  /** whether the engine is stopped and restored after an epoch */
  readonly restart: () => boolean;
}

const MAX_FAULTS = 10;

/** Runs the views over a log, and looks at all of their rows after every epoch. */
export function runEngine({ plan, blocks, restart }: EngineRunOptions): EngineRun {
  const fresh = (): Engine =>
    createEngine({ plan, functions: standardLibrary, zone: 'UTC', writesTopic: () => false });
  let engine = fresh();
  const bank = new SeenBank(plan);
  const faults: string[] = [];
  let [positions, restarts, ms] = [0, 0, 0];
  for (const block of blocks) {
    const begun = performance.now();
    const output = engine.step(block);
    ms += performance.now() - begun;
    bank.take(output);
    positions++;
    for (const fault of faultsOf(bank.rows())) {
      if (faults.length < MAX_FAULTS) faults.push(`at ${output.position}: ${fault}`);
    }
    if (!restart()) continue;
    restarts++;
    const parts = engine.snapshot();
    const { position } = engine;
    engine = fresh();
    engine.restore(parts, position);
  }
  return { positions, restarts, faults, ms, rows: bank.rows() };
}

/** The rows of all views as their changes leave them. */
class SeenBank {
  readonly #views: readonly { readonly plan: ViewPlan; readonly rows: ViewRows }[];

  constructor({ views }: DeploymentPlan) {
    // all but the rows that only ever grow
    this.#views = views
      .filter(v => v.name !== 'movements')
      .map(plan => ({ plan, rows: new ViewRows(plan.root.schema) }));
  }

  take(output: EpochOutput): void {
    for (const { plan, rows } of this.#views) {
      for (const batch of output.changes.get(plan.name) ?? []) {
        for (const i of selectedRows(batch)) {
          rows.apply({
            op: (batch.op?.[i] ?? Op.ADD) as Op,
            seq: batch.seq[i] as number,
            rowtime: batch.rowtime[i] as number,
            row: rowAt(batch, i),
            noValue: false,
          });
        }
      }
    }
  }

  rows(): SeenRows {
    return Object.fromEntries(
      this.#views.map(({ plan, rows }) => [
        plan.name,
        rows.inOrder().map(({ row }): SeenRow => {
          const { columns } = plan.root.schema;
          return Object.fromEntries(columns.map(({ name }, c) => [name, cents(row[c])]));
        }),
      ]),
    );
  }
}

function cents(value: unknown): bigint | null {
  return value === null || value === undefined ? null : BigInt(value as number | bigint);
}
