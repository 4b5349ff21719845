import type { LogReader } from '../log/event-log.ts';
import type { DeploymentPlan, PlanNode } from '../plan/plan.ts';
import { inputsOf } from '../plan/properties.ts';
import { RowChangeWriter } from '../view-store/row-changes.ts';
import type { Engine } from './dataflow.ts';
import type { ViewRowEncoder } from './live/view-rows.ts';
import type { WorkerEnvironment } from './worker-environment.ts';

/** Which changes of which view: those that records with sequences in [from, to) cause. */
export interface MissedOrder {
  /** the view and everything that it reads */
  readonly plan: DeploymentPlan;
  readonly view: string;
  readonly from: number;
  readonly to: number;
}

/** `bytes`: row changes (`view-store/row-changes.ts`); all changes before `position` are given now. */
export interface MissedEpoch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly position: number;
}

const RECORDS_BEFORE = 16_384;
const RECORDS_PER_EPOCH = 1_024;

/**
 * The changes of a view that nobody kept, computed again from the beginning of the log. A view is its SQL over the log
 * (law 1), so they are the changes that were: each with the sequence of its record.
 */
export class MissedChanges {
  readonly #log: LogReader;
  readonly #order: MissedOrder;
  readonly #engine: Engine;
  readonly #encoder: ViewRowEncoder;
  readonly #writer = new RowChangeWriter();
  readonly #none: boolean;

  constructor(ports: Pick<WorkerEnvironment, 'log' | 'makeEngine' | 'encoderFor'>, order: MissedOrder) {
    const view = order.plan.views.find(v => v.name === order.view);
    if (view === undefined) throw new Error(`no view ${order.view} in the plan`);
    this.#log = ports.log;
    this.#order = order;
    this.#engine = ports.makeEngine(order.plan, () => false);
    this.#engine.restore(new Map(), ports.log.start());
    this.#encoder = ports.encoderFor(view);
    // the first record of all gives an aggregate without groups its row, whatever its topic
    const moves = order.from <= ports.log.start() || order.plan.views.some(v => movesByClock(v.root));
    this.#none = !moves && !hasRecords(ports.log, new Set(view.topics), order);
  }

  /** Runs one epoch; its changes, when it has any. `done` when all are given. */
  advance(): MissedEpoch | 'done' | null {
    const { from, to, view } = this.#order;
    const { position } = this.#engine;
    if (this.#none || position >= to) return 'done';
    const before = position < from;
    const blocks = before
      ? this.#log.read(position, from, RECORDS_BEFORE)
      : this.#log.read(position, to, RECORDS_PER_EPOCH);
    for (const block of blocks) {
      const output = this.#engine.step(block);
      if (before) return null;
      this.#encoder.encode(output.changes.get(view) ?? [], this.#writer);
      if (this.#writer.count === 0) return null;
      return { bytes: this.#writer.take(), position: output.position };
    }
    return 'done';
  }
}

/** Whether rows may come or go without a record of the view's topics. */
function movesByClock(node: PlanNode): boolean {
  if (node.node === 'temporalFilter') return true;
  if (node.node === 'emitFinal' && node.closeAfter !== null) return true;
  return inputsOf(node).some(movesByClock);
}

function hasRecords(log: LogReader, topics: ReadonlySet<string>, { from, to }: MissedOrder): boolean {
  for (const block of log.read(from, to)) {
    const wanted = block.topics.map(name => topics.has(name));
    for (let i = 0; i < block.n; i++) if (wanted[block.topic[i] as number]) return true;
  }
  return false;
}
