import type { Batch } from '../core/batch.ts';
import type { FunctionRegistry } from '../expr/registry.ts';
import type { ChangedPart } from '../state/state-section.ts';

/** The sequences [firstSeq, firstSeq + n) that the engine runs as one. */
export interface Epoch {
  readonly firstSeq: number;
  readonly n: number;
  /** the log's clock per sequence, ms; never decreases */
  readonly appendTime: Float64Array;
}

export type RejectReason = 'late' | 'null_key' | 'undecodable' | 'expression_failed';

/**
 * A running plan node. Contract: for any cut of the log into epochs the changes are the same, record by record, unless
 * the operator was built for `demand: final`; then only the last change per key and epoch is given.
 *
 * - `step` is called once per epoch, also when no input has rows (the clock moves). Each input is a list of batches in
 *   order of sequence; the output likewise.
 * - State is declared as data: `state` gives a structured-cloneable value (null: stateless) that `load` takes back in a
 *   fresh operator of the same node.
 */
export interface Operator {
  readonly id: string;
  step(epoch: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[];
  /** next clock time (ms) that needs a step although nothing is appended */
  deadline(): number | null;
  /** with `part` of tables what has changed, see {@link ChangedPart}; all else is given whole */
  state(part?: ChangedPart): unknown;
  load(state: unknown): void;
  size(): { readonly rows: number; readonly bytes: number } | null;
}

/** What operators are built with. */
export interface OperatorContext {
  readonly functions: FunctionRegistry;
  readonly zone: string;
  /** false: closures only, for hosts that forbid code from text */
  readonly generatedCode: boolean;
  /** counts what does not reach the view */
  reject(reason: RejectReason, seq: number, message: string): void;
}

/** The clock at a sequence of the epoch. */
export function clockAt(epoch: Epoch, seq: number): number {
  return epoch.appendTime[seq - epoch.firstSeq] as number;
}

/** Base of operators without state and clock. */
export abstract class StatelessOperator implements Operator {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    return input.map(batch => this.apply(epoch, batch)).filter(b => b.n > 0 && b.sel?.length !== 0);
  }

  abstract apply(epoch: Epoch, batch: Batch): Batch;

  deadline(): number | null {
    return null;
  }

  state(): unknown {
    return null;
  }

  load(): void {}

  size(): null {
    return null;
  }
}
