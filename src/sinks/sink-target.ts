import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import type { OpenView, ServedRow, ViewChange } from '../deploy/view-access.ts';

/** What a target must know of a view version. */
export type SinkView = Pick<OpenView, 'name' | 'statement' | 'version' | 'columns' | 'key'>;

/** Which rows a target holds: those of one version of a view over one log, at a position. */
export interface SinkState {
  /** id of the log */
  readonly log: string;
  readonly version: string;
  /** all changes by records with a smaller sequence are in the rows */
  readonly position: number;
}

/** Values as JSON text, exact: numbers with all their digits. */
export type JsonOf = (type: SqlType) => (value: Value | null) => string;

/**
 * Where a sink keeps the rows of a view: the port between the runner and a database. One runner calls it, one call at a
 * time. A failed call leaves the target as before it, or, when the connection broke, as after it: `open` tells which. After
 * any failure the runner closes the target and makes a new one.
 */
export interface SinkTarget {
  /**
   * Connects, checks that the rows can be kept there, and tells which are there; null: none of this sink. Called again
   * when another version of the view is to be kept; a load that is under way is dropped.
   * Throws `sink_unreachable` when nobody answers, `sink_refused` when something stands in the way for good.
   */
  open(view: SinkView): Promise<SinkState | null>;
  /** Begins a fresh copy beside what readers see; one at a time. */
  load(view: SinkView): Promise<SinkLoad>;
  /**
   * Applies changes, the last one of each row only, to the rows at `from`; rows and position become durable together.
   * Throws `sink_conflict` when the target does not stand at `from`: somebody else writes there.
   */
  apply(changes: readonly ViewChange[], from: SinkState, to: SinkState): Promise<void>;
  /** Ends a load that is under way; nothing of it stays. Never throws. */
  close(): Promise<void>;
}

/** A fresh copy that nobody sees before `commit`. */
export interface SinkLoad {
  /** Rows that were not given before. */
  rows(rows: readonly ServedRow[]): Promise<void>;
  /** Changes to these rows, the last one of each row only; some may be in the rows already. No `rows` follow. */
  changes(changes: readonly ViewChange[]): Promise<void>;
  /**
   * In one step the copy takes the place of what readers saw. Throws `sink_conflict` when somebody else has written there
   * since {@link SinkTarget.open}.
   */
  commit(state: SinkState): Promise<void>;
}

/** What a target may tell while nobody calls it. */
export interface TargetEvents {
  /** the connection is gone */
  readonly lost: (error: Error) => void;
  /** something that an operator should know */
  readonly notice: (text: string) => void;
}

export interface SinkKind {
  /** where the rows go, for people: `postgres public.totals` */
  readonly place: string;
  make(events: TargetEvents): SinkTarget;
}
