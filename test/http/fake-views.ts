import { MillraceError } from '../../src/core/errors.ts';
import type { Column } from '../../src/core/schema.ts';
import { STRING } from '../../src/core/sql-type.ts';
import type { Row, Value } from '../../src/core/value.ts';
import { PositionWaiters } from '../../src/deploy/position-waiters.ts';
import type {
  ChangeListener,
  OpenView,
  ScanOptions,
  ServedRow,
  Subscription,
  ViewAccess,
  ViewChange,
  ViewStatus,
} from '../../src/deploy/view-access.ts';
import { encodeKey, keyAfterPrefix } from '../../src/kv/key-codec.ts';
import { FakeFeed } from './fake-feed.ts';

export interface FakeViewOptions {
  readonly name: string;
  readonly columns: readonly Column[];
  /** empty: rows in order of arrival */
  readonly key?: readonly number[];
  readonly windowed?: boolean;
  readonly fingerprint?: string;
  /** rows come with a last value that is their key and is not shown */
  readonly hiddenKey?: boolean;
}

/** A served view in memory: rows in order of their encoded keys, and a feed of its changes. */
export class FakeView implements OpenView {
  readonly name: string;
  readonly statement = 'table';
  readonly description = 'a view of a test';
  readonly sql = 'SELECT 1';
  readonly fingerprint: string;
  readonly version = 'v1';
  paused: string | null = null;
  readonly columns: readonly Column[];
  readonly key: readonly number[];
  readonly windowed: boolean;
  readonly feed: FakeFeed;
  position = 0;
  edition = 0;
  scanned = 0;
  readonly #rows = new Map<string, ServedRow>();
  readonly #hiddenKey: boolean;
  #arrived = 0;

  constructor(options: FakeViewOptions, position = 0) {
    this.name = options.name;
    this.columns = options.columns;
    this.key = options.key ?? [];
    this.windowed = options.windowed ?? false;
    this.#hiddenKey = options.hiddenKey ?? false;
    this.fingerprint = options.fingerprint ?? 'f1';
    this.position = position;
    this.feed = new FakeFeed(position);
  }

  /** Rows to add or replace, and keys to delete, as one epoch. */
  apply(position: number, rows: readonly Row[], deleted: readonly Row[] = []): void {
    const changes: ViewChange[] = [];
    for (const values of rows) {
      const key = this.#keyOf(values);
      const row = values.slice(0, this.columns.length);
      this.#rows.set(hex(key), { key, row, rowtime: 0 });
      const op = this.key.length > 0 || this.#hiddenKey ? 'upsert' : 'insert';
      changes.push({ op, row, rowtime: 0, seq: position - 1, id: base64(key), key });
    }
    for (const values of deleted) {
      const key = this.#hiddenKey ? encodeKey(values, [STRING]) : this.#encode(values);
      this.#rows.delete(hex(key));
      const row: (Value | null)[] = this.columns.map(() => null);
      this.key.forEach((column, i) => {
        row[column] = values[i] ?? null;
      });
      changes.push({ op: 'delete', row, rowtime: 0, seq: position - 1, id: base64(key), key });
    }
    this.position = position;
    this.edition++;
    this.feed.publish(changes, position);
  }

  get(key: Row): ServedRow | null {
    if (key.length !== this.key.length) return null;
    return this.#rows.get(hex(this.#encode(key))) ?? null;
  }

  *scan({ prefix, after, reverse }: ScanOptions = {}): Generator<ServedRow> {
    let start = prefix === undefined ? undefined : this.#encode(prefix);
    let end = start === undefined ? undefined : keyAfterPrefix(start);
    if (after !== undefined) {
      if (reverse) end = after;
      else start = Buffer.concat([after, Uint8Array.of(0)]);
    }
    const rows = [...this.#rows.values()]
      .filter(
        r =>
          (start === undefined || Buffer.compare(r.key, start) >= 0) &&
          (end === undefined || Buffer.compare(r.key, end) < 0),
      )
      .sort((a, b) => Buffer.compare(a.key, b.key));
    for (const row of reverse ? rows.reverse() : rows) {
      this.scanned++;
      yield row;
    }
  }

  #keyOf(row: Row): Uint8Array {
    if (this.#hiddenKey) return encodeKey([row.at(-1) ?? null], [STRING]);
    return this.key.length === 0 ? this.#arrival() : this.#encode(this.key.map(i => row[i] ?? null));
  }

  #encode(values: Row): Uint8Array {
    return encodeKey(
      values,
      values.map((_, i) => (this.columns[this.key[i] ?? -1] as Column).type),
    );
  }

  #arrival(): Uint8Array {
    const key = Buffer.alloc(8);
    key.writeUInt32BE(this.#arrived++, 4);
    return key;
  }
}

/** The views of a test, all at one position. */
export class FakeViews implements ViewAccess {
  readonly waiters = new PositionWaiters();
  readonly replays: string[] = [];
  /** times that somebody waited */
  waits = 0;
  #views = new Map<string, FakeView>();
  #building = new Map<string, number>();
  #position = 0;

  add(options: FakeViewOptions): FakeView {
    const view = new FakeView(options, this.#position);
    this.#views.set(options.name, view);
    return view;
  }

  /** A view that nobody can read yet. */
  building(name: string, fraction: number): void {
    this.#building.set(name, fraction);
  }

  /** Moves all views on; `apply` changes them meanwhile. */
  moveTo(position: number, apply?: () => void): void {
    apply?.();
    this.#position = position;
    for (const view of this.#views.values()) view.position = position;
    this.waiters.reached(position);
  }

  /** Replaces the served version, as a promotion does. */
  replace(options: FakeViewOptions): FakeView {
    this.#views.get(options.name)?.feed.close();
    return this.add(options);
  }

  list(): readonly ViewStatus[] {
    return [...this.#views.keys(), ...this.#building.keys()].sort().map(n => this.status(n));
  }

  status(name: string): ViewStatus {
    const known = [...this.#views.keys(), ...this.#building.keys()].find(
      n => n.toLowerCase() === name.toLowerCase(),
    );
    if (known === undefined) throw new MillraceError('unknown_view', `there is no view "${name}"`);
    const view = this.#views.get(known);
    return {
      name: known,
      statement: 'table',
      state: view === undefined ? 'building' : 'live',
      serving: view !== undefined,
      file: `views/${known}.sql`,
      description: '',
      fingerprint: view?.fingerprint ?? null,
      reads: [],
      readBy: [],
      position: view?.position ?? null,
      build: null,
      errors: [],
      notices: [],
    };
  }

  open(name: string): FakeView {
    const known = this.status(name).name;
    const view = this.#views.get(known);
    if (view !== undefined) return view;
    throw new MillraceError('view_building', `view "${known}" is being built`, {
      data: { view: known, fraction: this.#building.get(known), position: 4, target: 10 },
    });
  }

  position(): number {
    return this.#position;
  }

  waitFor(seq: number, ms: number): Promise<boolean> {
    this.waits++;
    return this.waiters.wait(this.#position, seq, ms);
  }

  subscribe(name: string, from: number | null, listener: ChangeListener): Subscription {
    if (from !== null && from > this.#position) {
      throw new MillraceError('position_ahead', 'this position lies ahead of the views');
    }
    return this.open(name).feed.subscribe(from, listener);
  }

  async replay(name: string): Promise<ViewStatus> {
    this.replays.push(this.status(name).name);
    return this.status(name);
  }

  async cancelReplay(name: string): Promise<boolean> {
    const at = this.replays.indexOf(this.status(name).name);
    if (at >= 0) this.replays.splice(at, 1);
    return at >= 0;
  }
}

function base64(key: Uint8Array): string {
  return Buffer.from(key).toString('base64url');
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString('hex');
}
