import type { DeploymentPlan } from '../../plan/plan.ts';
import { RowChangeWriter } from '../../view-store/row-changes.ts';
import type { Engine, StateParts } from '../dataflow.ts';
import type { LedgerState } from '../ledger.ts';
import { Ledger } from '../ledger.ts';
import {
  encodeChanges,
  encodeOutputs,
  type LiveVersion,
  type SinkOutput,
  type ViewChangeBytes,
} from './epoch-output.ts';
import type { LiveLoopPorts } from './live-view.ts';

/** A finished shadow build: plans, files and state, all at `position`. */
export interface FinishedBuild {
  readonly position: number;
  readonly state: StateParts;
  readonly ledger: LedgerState;
  /** everything the build's engine ran: the built views and what they read */
  readonly plan: DeploymentPlan;
  readonly built: readonly LiveVersion[];
  /** built views whose topic is filled from history */
  readonly fillTopics: readonly string[];
}

/** The bytes of its state, to be handed from thread to thread instead of copied. */
export function stateBuffers({ state }: FinishedBuild): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const parts of state.values()) {
    for (const { buffer, byteLength } of parts) {
      // a part of a shared pool is copied
      if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffers.add(buffer);
    }
  }
  return [...buffers];
}

/** A build brought forward: its state there, and what changed in the built views on the way. */
export interface CaughtUpBuild {
  /** of all that the build ran; what has changed in it since the build is remembered */
  readonly engine: Engine;
  readonly ledger: LedgerState;
  readonly carried: readonly ViewChangeBytes[];
  readonly outputs: readonly SinkOutput[];
}

/**
 * Runs a build's views from where the build ended to `position`. Touches nothing else. `first`: the number under which
 * the state of the build itself is committed.
 */
export function catchUp(
  build: FinishedBuild,
  position: number,
  ports: Pick<LiveLoopPorts, 'log' | 'makeEngine' | 'encoderFor' | 'sinkFor'>,
  { recordsPerEpoch, first }: { readonly recordsPerEpoch: number; readonly first: number },
): CaughtUpBuild {
  const engine = ports.makeEngine(build.plan);
  engine.restore(build.state, build.position);
  engine.track(() => first);
  const ledger = new Ledger();
  ledger.load(build.ledger);
  const encoders = new Map(build.built.map(v => [v.plan.name, ports.encoderFor(v.plan)]));
  const sinks = new Map(
    build.built
      .filter(v => build.fillTopics.includes(v.plan.name))
      .map(v => [v.plan.name, ports.sinkFor(v.plan, build.plan)]),
  );
  const changes = new RowChangeWriter();
  const carried: ViewChangeBytes[] = [];
  const outputs: SinkOutput[] = [];
  for (const block of ports.log.read(build.position, position, recordsPerEpoch)) {
    const output = engine.step(block);
    for (const entry of output.ledger) if (encoders.has(entry.view)) ledger.add(entry);
    carried.push(...encodeChanges(output, changes, view => encoders.get(view)));
    outputs.push(...encodeOutputs(output, block, view => sinks.get(view)));
  }
  return {
    engine,
    ledger: ledger.state(),
    carried,
    outputs,
  };
}
