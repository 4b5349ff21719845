import { deserialize, serialize } from 'node:v8';
import { assert } from '../../core/assert.ts';
import type { Batch } from '../../core/batch.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import { timestampParsers } from '../../decode/timestamp-format.ts';
import type { Epoch, OperatorContext } from '../../operators/operator.ts';
import { Present } from '../../operators/present.ts';
import {
  ChangedPart,
  type ChangedState,
  changedState,
  detachedState,
  MOVED,
} from '../../state/state-section.ts';
import type {
  DataflowOptions,
  DecodeOrder,
  Engine,
  EpochOutput,
  LedgerEntry,
  StateParts,
} from '../dataflow.ts';
import { ofView } from '../view-failure.ts';
import { finalViews } from './demand.ts';
import { type RunningPlan, runningPlan } from './running-node.ts';
import { sinkTime } from './sink-time.ts';
import { type Reject, SourceScans } from './source-scans.ts';

export interface EngineOptions extends DataflowOptions {
  /**
   * Whether the topic of a view is written from this engine's changes; default: of every view that has one. Where it is
   * not (a replay beside the live version), the changes of an epoch may be merged.
   */
  readonly writesTopic?: ((view: string) => boolean) | undefined;
  /** told before the operators of a view run in an epoch; null: all have */
  readonly begins?: ((view: string | null) => void) | undefined;
  /** False: closures run all expressions. Default true. */
  readonly generatedCode?: boolean | undefined;
}

/** raise when the layout of operator state changes */
const FORMAT = 3;

interface RunningView {
  readonly name: string;
  readonly plan: RunningPlan;
  readonly sinkTime: ((batch: Batch) => Batch) | null;
  changes: readonly Batch[];
  /** what was last given of its state, when there was nothing of a table in it */
  given: { readonly bytes: Buffer; readonly neededFrom: number } | null;
}

/**
 * The column engine: all views of a plan, epoch by epoch. Batches that it gives are good until the next step.
 * What goes wrong inside one view is thrown as {@link ViewFailure}; the engine is not to be used any more then.
 */
export function createEngine(options: EngineOptions): Engine {
  return new ColumnEngine(options);
}

class ColumnEngine implements Engine {
  readonly #views = new Map<string, RunningView>();
  readonly #scans: SourceScans;
  readonly #begins: EngineOptions['begins'];
  #position = 0;
  #epoch: Epoch = { firstSeq: 0, n: 0, appendTime: new Float64Array(0) };
  #ledger: LedgerEntry[] = [];
  /** by view: records of the epoch that one of its scans could not read; they count once */
  readonly #unreadable = new Map<string, Set<number>>();

  constructor(options: EngineOptions) {
    this.#scans = new SourceScans(options);
    this.#begins = options.begins;
    const timestampParser = timestampParsers(options.zone);
    const final = finalViews(options.plan, options.writesTopic ?? (() => true));
    for (const plan of options.plan.views) {
      const reject: Reject = (reason, seq, message) => {
        const appendTime = this.#epoch.appendTime[seq - this.#epoch.firstSeq] as number;
        this.#ledger.push({ view: plan.name, reason, seq, appendTime, message });
      };
      const context: OperatorContext = {
        functions: options.functions,
        zone: options.zone,
        generatedCode: options.generatedCode ?? true,
        reject,
      };
      this.#views.set(plan.name, {
        name: plan.name,
        plan: ofView(plan.name, () =>
          runningPlan(plan.root, {
            context,
            scans: this.#scans,
            unreadable: (reason, seq, message) => {
              const counted = this.#unreadableOf(plan.name);
              if (!counted.has(seq)) reject(reason, seq, message);
              counted.add(seq);
            },
            changesOf: view => this.#view(view).changes,
            final: final.has(plan.name),
            complete: plan.statement === 'view',
          }),
        ),
        sinkTime: sinkTime(plan, timestampParser, reject),
        changes: [],
        given: null,
      });
    }
  }

  get position(): number {
    return this.#position;
  }

  orderDecoded(): DecodeOrder | null {
    return this.#scans.order();
  }

  step(block: RecordBlock): EpochOutput {
    assert(block.firstSeq >= this.#position, `block at ${block.firstSeq} behind position ${this.#position}`);
    this.#epoch = { firstSeq: block.firstSeq, n: block.n, appendTime: block.appendTime };
    this.#scans.begin(block);
    this.#unreadable.clear();
    const changes = new Map<string, readonly Batch[]>();
    for (const view of this.#views.values()) {
      this.#begins?.(view.name);
      view.changes = ofView(view.name, () => {
        const batches = view.plan.root.run(this.#epoch);
        return view.sinkTime === null ? batches : batches.map(view.sinkTime).filter(b => b.sel?.length !== 0);
      });
      if (view.changes.length > 0) changes.set(view.name, view.changes);
    }
    this.#begins?.(null);
    this.#position = block.firstSeq + block.n;
    // operators report one after the other: back into the order of the log
    const ledger = this.#ledger.sort((a, b) => a.seq - b.seq);
    this.#ledger = [];
    return { position: this.#position, changes, ledger };
  }

  deadline(): number | null {
    let first: number | null = null;
    for (const operator of this.#operators()) {
      const time = operator.operator.deadline();
      if (time !== null && (first === null || time < first)) first = time;
    }
    return first;
  }

  snapshot(): StateParts {
    return new Map([...this.#views.values()].map(view => [view.name, [encoded(stateOf(view))]]));
  }

  track(neededFrom: (view: string) => number): void {
    for (const { name, plan } of this.#views.values()) {
      for (const table of plan.tables) table.track(neededFrom(name));
    }
  }

  untrack(): void {
    for (const view of this.#views.values()) {
      view.given = null;
      for (const table of view.plan.tables) table.untrack();
    }
  }

  changes(commit: number, inTurn?: number): ReadonlyMap<string, ChangedState> {
    const changes = new Map<string, ChangedState>();
    for (const view of this.#views.values()) {
      const part = new ChangedPart(commit, inTurn);
      const state = stateOf(view, part);
      const { given } = view;
      const { neededFrom } = part;
      view.given = null;
      if (!part.isEmpty) {
        changes.set(view.name, { bytes: () => encoded(state), neededFrom });
        continue;
      }
      const bytes = encoded(state);
      const known = given?.bytes.equals(bytes) ? given : null;
      view.given = known ?? { bytes, neededFrom };
      changes.set(view.name, {
        bytes: known === null ? () => bytes : null,
        neededFrom: known?.neededFrom ?? neededFrom,
      });
    }
    return changes;
  }

  restore(parts: StateParts, position: number): void {
    for (const view of this.#views.values()) {
      const part = parts.get(view.name);
      if (part !== undefined) ofView(view.name, () => load(view, part));
    }
    this.#position = position;
  }

  takeOver(from: Engine, views: readonly string[]): boolean {
    if (!(from instanceof ColumnEngine)) return false;
    assert(from.position === this.#position, 'state is taken over at one position');
    for (const name of views) {
      const view = this.#view(name);
      const other = from.#view(name);
      ofView(name, () => loadAll(view, new Map(other.plan.operators.map(o => [o.id, o.state(MOVED)]))));
      view.given = other.given;
    }
    return true;
  }

  stateSize(): ReturnType<Engine['stateSize']> {
    return [...this.#operators()].flatMap(({ view, operator }) => {
      const size = operator.size();
      return size === null ? [] : [{ view, operator: operator.id, ...size }];
    });
  }

  #unreadableOf(view: string): Set<number> {
    const records = this.#unreadable.get(view) ?? new Set();
    this.#unreadable.set(view, records);
    return records;
  }

  *#operators() {
    for (const view of this.#views.values()) {
      for (const operator of view.plan.operators) yield { view: view.name, operator };
    }
  }

  #view(name: string): RunningView {
    const view = this.#views.get(name);
    assert(view !== undefined, `no view ${name} in the plan`);
    return view;
  }
}

type OperatorStates = readonly (readonly [id: string, state: unknown])[];

function stateOf(view: RunningView, part?: ChangedPart): OperatorStates {
  return ofView(view.name, () =>
    view.plan.operators
      .map(o => [o.id, detachedState(o.state(part))] as const)
      .filter(([, state]) => state !== null),
  );
}

function encoded(operators: OperatorStates): Buffer {
  return serialize({ format: FORMAT, operators });
}

function load(view: RunningView, parts: readonly Uint8Array[]): void {
  const byId = new Map<string, unknown>();
  for (const part of parts) {
    const { format, operators } = deserialize(part) as {
      readonly format: number;
      readonly operators: readonly (readonly [string, unknown])[];
    };
    assert(format === FORMAT, `state of format ${format}`);
    for (const [id, state] of operators) byId.set(id, changedState(byId.get(id), state));
  }
  loadAll(view, byId);
}

function loadAll(view: RunningView, byId: ReadonlyMap<string, unknown>): void {
  for (const operator of view.plan.operators) {
    const state = byId.get(operator.id);
    if (state !== undefined && state !== null) operator.load(state);
    else if (operator instanceof Present) operator.begin();
  }
}
