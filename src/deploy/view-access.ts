import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';

/**
 * What readers may ask of the deployed views: the port that HTTP and reactions use. Positions are sequence numbers of
 * the log; `positionToken` in core makes their text.
 */
export interface ViewAccess {
  /** every view, whatever its state, sorted by name */
  list(): readonly ViewStatus[];
  /** throws `unknown_view` with a did-you-mean */
  status(name: string): ViewStatus;
  /**
   * The served version of a view. Throws `unknown_view`; `view_building` (data: progress) while a first version is not
   * ready; `view_failed` when there is no good version.
   */
  open(name: string): OpenView;
  /** sequence that all live views have reached */
  position(): number;
  /** Resolves true as soon as `position() >= seq`, false after `ms`. */
  waitFor(seq: number, ms: number): Promise<boolean>;
  /**
   * Subscribes to a view's changes. With `from` (a position) the changes since then come first; throws
   * `position_expired` when they are no longer kept and `position_ahead` when it lies in the future.
   */
  subscribe(name: string, from: number | null, listener: ChangeListener): Subscription;
  /** Rebuilds a view (and its dependents) beside the served one; resolves when the job has begun. */
  replay(name: string): Promise<ViewStatus>;
  /** Cancels a running build of a view; false when there was none. */
  cancelReplay(name: string): Promise<boolean>;
}

export type ViewState = 'building' | 'live' | 'failed' | 'paused';

export interface ViewStatus {
  readonly name: string;
  readonly statement: 'stream' | 'table' | 'view';
  /** all but `live` may still serve a last good version: see `serving` */
  readonly state: ViewState;
  readonly serving: boolean;
  /** why the view is paused: `memory budget` */
  readonly paused?: string | undefined;
  readonly file: string | null;
  readonly description: string;
  readonly fingerprint: string | null;
  readonly reads: readonly string[];
  readonly readBy: readonly string[];
  /** position of the served rows; null when nothing is served */
  readonly position: number | null;
  /** records that it reads had been taken from the log before it was built: its history begins at this position */
  readonly since?: { readonly position: number; readonly time: number } | undefined;
  readonly build: BuildProgress | null;
  /** errors of the file as it is now, as `errorText` prints them */
  readonly errors: readonly string[];
  /** reported facts that are no errors: `removed, but kept: read by x` */
  readonly notices: readonly string[];
}

export interface BuildProgress {
  readonly from: number;
  readonly position: number;
  readonly target: number;
  /** 0..1 */
  readonly fraction: number;
  /** ms; null until it can be estimated */
  readonly remaining: number | null;
  readonly startedAt: number;
}

export interface OpenView {
  readonly name: string;
  readonly statement: 'stream' | 'table' | 'view';
  readonly description: string;
  readonly sql: string;
  readonly fingerprint: string;
  /** names this build of the view: no other one, of the same SQL or not, has it */
  readonly version: string;
  /** the named columns, hidden ones left out */
  readonly columns: readonly Column[];
  /** positions in `columns` of the key, window bounds last; empty: rows have no key of their own */
  readonly key: readonly number[];
  readonly windowed: boolean;
  /** why the rows do not move any more, when the view is paused: `memory budget` */
  readonly paused?: string | null | undefined;
  /** all rows read within one turn of the event loop stand at this position */
  readonly position: number;
  /** another number once one of the rows has changed */
  readonly edition: number;
  /** The row of a complete key (values of `key` columns in order). */
  get(key: Row): ServedRow | null;
  /** Rows in key order. The iterator must be finished within one turn of the event loop. */
  scan(options?: ScanOptions): Iterable<ServedRow>;
}

export interface ScanOptions {
  /** only rows whose first key columns have these values */
  readonly prefix?: Row | undefined;
  /** continue behind (or, reversed, before) this encoded key: `ServedRow.key` of the last row of a page */
  readonly after?: Uint8Array | undefined;
  readonly reverse?: boolean | undefined;
}

export interface ServedRow {
  /** encoded key, order-preserving; an opaque cursor */
  readonly key: Uint8Array;
  /** values of `OpenView.columns` */
  readonly row: Row;
  /** event time, ms */
  readonly rowtime: number;
}

/** One change of one row. For views without key every row is an `insert`. */
export interface ViewChange {
  readonly op: 'upsert' | 'delete' | 'insert';
  /** key columns only when deleted: other values are null */
  readonly row: Row;
  readonly rowtime: number;
  /** sequence of the record that caused it */
  readonly seq: number;
  /** names the row within the view: the values of its key, else where it is stored */
  readonly id: string;
  /** encoded key, as `ServedRow.key`: equal for changes of one row only */
  readonly key: Uint8Array;
}

export interface ChangeListener {
  /** All changes of a view in one epoch; afterwards its rows stand at `position`. */
  changes(changes: readonly ViewChange[], position: number): void;
  /** The served version was replaced: the subscriber must take a fresh snapshot. */
  reset(): void;
}

export interface Subscription {
  close(): void;
}
