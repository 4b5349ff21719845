import type { Batch } from '../core/batch.ts';
import type { Change } from '../core/change.ts';
import type { RecordBlock } from '../core/log-record.ts';
import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { Upcaster } from '../decode/row-decoder.ts';
import type { FunctionRegistry } from '../expr/registry.ts';
import type { DeploymentPlan, SourceSpec } from '../plan/plan.ts';
import type { ChangedState } from '../state/state-section.ts';

/**
 * What runs plans over the log. Two implementations must agree (design, laws 1 and 2): the reference fold (one record
 * at a time, closures, no state formats) and the engine (columns, epochs, declared state).
 */
export interface DataflowOptions {
  readonly plan: DeploymentPlan;
  readonly functions: FunctionRegistry;
  /** IANA zone of CURRENT_DATE and of conversions without a zone */
  readonly zone: string;
  /** by topic: lifts records of an older schema version before decoding */
  readonly upcasters?: ReadonlyMap<string, Upcaster> | undefined;
}

/** Why a record or row did not reach a view: counted, with positions, in the view's ledger. */
export type LedgerReason = 'late' | 'null_key' | 'undecodable' | 'expression_failed';

export interface LedgerEntry {
  readonly view: string;
  readonly reason: LedgerReason;
  readonly seq: number;
  readonly appendTime: number;
  readonly message: string;
}

/** The reference fold. */
export interface Fold {
  /** Applies all records (ticks too) of a block, one at a time. */
  step(block: RecordBlock): void;
  /** position reached: next sequence */
  readonly position: number;
  /** changes of a view since the last call, ordered by (seq, index) */
  takeChanges(view: string): readonly Change[];
  /** the rows of a table or view now, in order of the encoded key; a stream has none */
  rows(view: string): readonly { readonly row: Row; readonly rowtime: number }[];
  takeLedger(): readonly LedgerEntry[];
  /** next clock time (ms) at which a tick would change a row, or null */
  deadline(): number | null;
}

/** One epoch's results: changes per view in columns, only views that changed; the columns are good until the next step. */
export interface EpochOutput {
  /** position after the epoch */
  readonly position: number;
  readonly changes: ReadonlyMap<string, readonly Batch[]>;
  readonly ledger: readonly LedgerEntry[];
}

/** Operator state per view: in order, what was there at first and what has changed in it since. */
export type StateParts = ReadonlyMap<string, readonly Uint8Array[]>;

/** What may be decoded before the engine asks for it, by another thread. Structured-cloneable. */
export interface DecodeOrder {
  readonly source: SourceSpec;
  readonly columns: readonly Column[];
  readonly zone: string;
}

/** The engine: the same meaning as {@link Fold}, in columns. */
export interface Engine {
  step(block: RecordBlock): EpochOutput;
  /**
   * What a block may have beside it (see `RecordBlock.beside`) from now on, or null: nothing. It is then taken instead of
   * decoding the block.
   */
  orderDecoded(): DecodeOrder | null;
  readonly position: number;
  deadline(): number | null;
  /**
   * The operator state per view, each part self-contained (no ids into pools shared between views), so that parts of
   * several engines at the same position can be put together: a rebuilt view joins the live engine in this way.
   */
  snapshot(): StateParts;
  /** From now on changes of state are remembered; what a view has now is in the commits from `neededFrom` on. */
  track(neededFrom: (view: string) => number): void;
  /** The next changes are all of the state: what was given last is lost. */
  untrack(): void;
  /**
   * State that has changed since the last call, or since `track`, or all of it: the part of a commit. Commits count up. `inTurn`: how
   * many slots each table gives beside, see {@link ChangedPart}.
   */
  changes(commit: number, inTurn?: number): ReadonlyMap<string, ChangedState>;
  /**
   * Loads state into a fresh engine whose plan has all these views; a view without a part starts empty. The engine then
   * continues exactly at `position`.
   */
  restore(parts: StateParts, position: number): void;
  /**
   * Takes the state of views over from another engine at the same position, as it is, remembered changes too; the other
   * engine is not to be used any more. False, and nothing done, when that engine is of another make.
   */
  takeOver(from: Engine, views: readonly string[]): boolean;
  /** bytes and rows of state per view and operator */
  stateSize(): readonly {
    readonly view: string;
    readonly operator: string;
    readonly rows: number;
    readonly bytes: number;
  }[];
}
