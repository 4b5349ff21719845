import type { LogReader } from '../../log/event-log.ts';
import type { DeploymentPlan } from '../../plan/plan.ts';
import { RowChangeWriter } from '../../view-store/row-changes.ts';
import type { ViewFile } from '../../view-store/view-file.ts';
import type { Engine } from '../dataflow.ts';
import { Ledger } from '../ledger.ts';
import type { FinishedBuild, LiveVersion, SinkOutput } from '../live/live-loop.ts';
import type { SinkWriter } from '../live/sink-writer.ts';
import type { ViewRowEncoder } from '../live/view-rows.ts';
import type { WorkerEnvironment } from '../worker-environment.ts';

export interface BuildOrder {
  /** the views to build and everything that they read */
  readonly plan: DeploymentPlan;
  readonly built: readonly LiveVersion[];
  readonly fillTopics: readonly string[];
}

interface Building {
  readonly version: LiveVersion;
  readonly file: ViewFile;
  readonly encoder: ViewRowEncoder;
  readonly writer: RowChangeWriter;
  readonly sink: SinkWriter | null;
}

const RECORDS_PER_EPOCH = 16_384;
const FOLD_AFTER = 100_000;

/**
 * A shadow build: views computed from the beginning of the log into files of their own, beside the served ones. Nothing
 * of it is visible until it is adopted.
 */
export class ShadowBuild {
  readonly #log: LogReader;
  readonly #engine: Engine;
  readonly #plan: DeploymentPlan;
  readonly #views: ReadonlyMap<string, Building>;
  readonly #ledger = new Ledger();
  #outputs: SinkOutput[] = [];
  #closed = false;

  constructor(environment: WorkerEnvironment, order: BuildOrder) {
    this.#log = environment.log;
    this.#plan = order.plan;
    this.#engine = environment.makeEngine(order.plan);
    this.#engine.restore(new Map(), this.#log.start());
    this.#views = new Map(
      order.built.map(version => [
        version.plan.name,
        {
          version,
          file: environment.openFile(version.version),
          encoder: environment.encoderFor(version.plan),
          writer: new RowChangeWriter(),
          sink: order.fillTopics.includes(version.plan.name) ? environment.sinkFor(version.plan) : null,
        },
      ]),
    );
  }

  get position(): number {
    return this.#engine.position;
  }

  get caughtUp(): boolean {
    return this.#engine.position >= this.#log.end();
  }

  advance(): void {
    for (const block of this.#log.read(this.position, undefined, RECORDS_PER_EPOCH)) {
      const output = this.#engine.step(block);
      for (const entry of output.ledger) if (this.#views.has(entry.view)) this.#ledger.add(entry);
      for (const [name, batches] of output.changes) {
        const view = this.#views.get(name);
        if (view === undefined) continue;
        for (const batch of batches) view.encoder.encode(batch, view.writer);
        const records = view.sink?.records(batches) ?? [];
        if (records.length > 0) this.#outputs.push({ view: name, records });
        if (view.writer.count > FOLD_AFTER) view.file.fold([view.writer.take()], output.position);
      }
      return;
    }
  }

  takeOutputs(): readonly SinkOutput[] {
    return this.#outputs.splice(0);
  }

  finish(): FinishedBuild {
    for (const view of this.#views.values()) view.file.fold([view.writer.take()], this.position);
    const finished: FinishedBuild = {
      position: this.position,
      state: this.#engine.snapshot(),
      ledger: this.#ledger.state(),
      plan: this.#plan,
      built: [...this.#views.values()].map(v => v.version),
    };
    this.close();
    return finished;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const view of this.#views.values()) void view.file.close();
  }
}
