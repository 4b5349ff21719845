import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { LiveVersion, Since, ViewFault } from '../dataflow/live/epoch-output.ts';
import { ViewRowDecoder } from '../dataflow/live/view-rows.ts';
import { MEMORY_BUDGET } from '../dataflow/memory-budget.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { ServedRows, type StoredEntry } from '../view-store/served-rows.ts';
import type { ViewFileReader } from '../view-store/view-file.ts';
import { ChangeFeed } from './change-feed.ts';
import type { OpenView, ScanOptions, ServedRow } from './view-access.ts';
import { ViewChangeReader } from './view-changes.ts';

/** One view version in the serving thread: its rows at a position, and its feed of changes. */
export class ServedVersion implements OpenView {
  readonly plan: ViewPlan;
  readonly version: string;
  /** the file text that this version was made from */
  readonly text: string;
  /** where its history begins, when what lies before was taken from the log */
  readonly since: Since | null;
  readonly feed: ChangeFeed;
  readonly columns: readonly Column[];
  readonly key: readonly number[];
  readonly #rows: ServedRows;
  readonly #file: ViewFileReader;
  readonly #decoder: ViewRowDecoder;
  #fault: ViewFault | null;

  /** `position`: of the rows in the file, unless the version has a fault: then they stand where it went wrong. */
  constructor({ plan, version, text, fault, since }: LiveVersion, file: ViewFileReader, position: number) {
    this.plan = plan;
    this.version = version;
    this.text = text;
    this.since = since ?? null;
    this.#fault = fault ?? null;
    this.#file = file;
    this.#rows = new ServedRows(file, fault?.position ?? position);
    this.#decoder = new ViewRowDecoder(plan);
    const changes = new ViewChangeReader(plan);
    this.feed = new ChangeFeed(this.#rows.position, (bytes, from) => changes.read(bytes, from));
    const hidden = new Set(plan.hidden ?? []);
    this.columns = plan.root.schema.columns.filter((_, i) => !hidden.has(i));
    // hidden columns follow the named ones; a key that one of them is part of names no row for readers
    const { key } = plan.root.schema;
    this.key = plan.kind === 'append' || key.some(i => hidden.has(i)) ? [] : key;
  }

  get name(): string {
    return this.plan.name;
  }

  get statement(): OpenView['statement'] {
    return this.plan.statement;
  }

  get description(): string {
    return this.plan.description;
  }

  get sql(): string {
    return this.plan.sql;
  }

  get fingerprint(): string {
    return this.plan.fingerprint;
  }

  get windowed(): boolean {
    return this.plan.root.schema.windowed;
  }

  get position(): number {
    return this.#rows.position;
  }

  get edition(): number {
    return this.#rows.edition;
  }

  /** rows of the overlay: not yet folded into the file */
  get unfolded(): number {
    return this.#rows.overlaySize;
  }

  get(key: Row): ServedRow | null {
    if (this.plan.kind === 'append') return null;
    if (key.length !== this.plan.root.schema.key.length) return null;
    const encoded = this.#decoder.encodeKey(key);
    const value = this.#rows.get(encoded);
    return value === null ? null : this.#served({ key: encoded, value });
  }

  *scan({ prefix, after, reverse }: ScanOptions = {}): Generator<ServedRow> {
    let { start, end } =
      prefix === undefined ? { start: undefined, end: undefined } : this.#decoder.prefixRange(prefix);
    if (after !== undefined) {
      if (reverse) end = after;
      else start = concat(after, Uint8Array.of(0));
    }
    for (const entry of this.#rows.scan({ start, end, reverse })) yield this.#served(entry);
  }

  /** Whole rows, hidden columns too, in key order: what other plans read. */
  *allRows(): Generator<{ readonly row: Row; readonly rowtime: number }> {
    for (const { value } of this.#rows.scan({})) yield this.#decoder.decode(value);
  }

  /** why the rows do not move any more, or null */
  get fault(): ViewFault | null {
    return this.#fault;
  }

  get paused(): string | null {
    return this.#fault?.paused === undefined ? null : MEMORY_BUDGET;
  }

  /** The rows stay as they are: the view went wrong while it was live. */
  setAside(fault: ViewFault): void {
    this.#fault = fault;
  }

  /**
   * Moves the rows on by one epoch. False when nothing changes: the rows hold that epoch already, or are set aside.
   * The feed is told by the caller, once all views have moved.
   */
  apply(changes: Uint8Array | null, position: number): boolean {
    if (this.#fault !== null || position <= this.#rows.position) return false;
    this.#rows.apply(changes, position);
    return true;
  }

  /** Takes changes up to the position of the rows that the file does not hold yet. */
  carry(changes: Uint8Array): void {
    this.#rows.apply(changes, this.#rows.position);
  }

  folded(position: number): void {
    this.#rows.folded(position);
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.#file.close();
  }

  #served({ key, value }: StoredEntry): ServedRow {
    const { row, rowtime } = this.#decoder.decode(value);
    return { key, row: row.slice(0, this.columns.length), rowtime };
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
