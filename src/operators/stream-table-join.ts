import type { Batch, Bits, Vec } from '../core/batch.ts';
import { makeBits, setBit } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import { SlicePool } from '../core/pool.ts';
import type { SqlType } from '../core/sql-type.ts';
import { capacityFor, vecKind } from '../core/vec.ts';
import type { StreamTableJoinNode } from '../plan/plan.ts';
import type { KeyLookups } from '../state/key-lookups.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import type { GatheredColumn } from './gathered-column.ts';
import { JoinKeys } from './join-keys.ts';
import { rowIn } from './moments.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { RowStore } from './row-store.ts';

const NONE = -1;

/** A batch of the stream on its way: rows of it that found their row of the table, or need none. */
interface Found {
  readonly batch: Batch;
  /** how many rows there are, selected ones only */
  readonly n: number;
  /** the next row in order */
  next: number;
  /** physical rows, and the slots of the table that belong to them */
  readonly rows: Int32Array;
  readonly slots: Int32Array;
  count: number;
  /** the table's columns at the rows of the batch; null: one of its key, which is the stream's where there is a row */
  readonly right: readonly (GatheredColumn | null)[];
}

/**
 * Stream S with table T: out = dS * T, T as of dS. dT adds nothing: the table only looks up, so S is not kept. Within one
 * sequence dT comes first. The stream's columns are handed on as they are; only the table's are written. Rows of the
 * stream between two changes of the table are looked up together.
 */
export class StreamTableJoin implements Operator {
  readonly id: string;
  readonly #node: StreamTableJoinNode;
  readonly #table: StateTable;
  readonly #rows: RowStore;
  readonly #keys: JoinKeys;
  readonly #lookups: KeyLookups;
  /** by column of the table: its place among the keys, where the stream's key has the same value in the same form; or -1 */
  readonly #keyPlaces: readonly number[];
  /** 0, 1, 2, ... */
  #ids: Int32Array = new Int32Array(0);

  constructor(node: StreamTableJoinNode, context: OperatorContext, table: StateTable) {
    this.id = node.id;
    this.#table = table;
    this.#node = node;
    this.#rows = new RowStore(node.right.schema, this.#table);
    this.#keys = new JoinKeys(node.id, context, node.left.schema, node.leftKeys);
    this.#lookups = table.index.lookups();
    const { columns, key } = node.right.schema;
    this.#keyPlaces = columns.map(({ type }, c) => (isSameForm(type) ? key.indexOf(c) : NONE));
  }

  step(epoch: Epoch, [left = [], right = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    const out: Batch[] = [];
    const changes = new TableChanges(right);
    for (const batch of left) {
      const found = this.#begin(epoch, batch);
      while (found.next < found.n) {
        const seq = batch.seq[rowIn(batch, found.next)] as number;
        changes.applyUpTo(seq, this);
        this.#lookUp(found, changes.nextSeq);
      }
      if (found.count > 0) out.push(this.#joined(found));
    }
    changes.applyUpTo(Number.POSITIVE_INFINITY, this);
    return out;
  }

  beginChanges(batch: Batch): void {
    this.#rows.begin(batch);
  }

  change(batch: Batch, i: number): void {
    if (batch.op?.[i] !== Op.DELETE) {
      this.#rows.put(batch, i);
      return;
    }
    const slot = this.#rows.find(i);
    if (slot >= 0) this.#table.drop(slot);
  }

  #begin(epoch: Epoch, batch: Batch): Found {
    this.#keys.begin(epoch, batch);
    const n = batch.sel?.length ?? batch.n;
    return {
      batch,
      n,
      next: 0,
      rows: new Int32Array(n),
      slots: new Int32Array(n),
      count: 0,
      right: this.#rows.columns.gathered(batch.n, c => this.#keyPlaces[c] === NONE),
    };
  }

  /** The rows of sequences before `end`. */
  #lookUp(found: Found, end: number): void {
    const from = found.count;
    this.#take(found, end);
    this.#findSlots(found, from);
    if (this.#node.type === 'inner') this.#keepMatched(found, from);
    for (const column of found.right) column?.gather(found, from, found.count);
  }

  /** Rows that may meet others into `rows`. */
  #take(found: Found, end: number): void {
    const { batch, n, rows } = found;
    const { sel, seq } = batch;
    const all = this.#keys.allPresent(batch);
    let { next, count } = found;
    for (; next < n; next++) {
      const i = sel === null ? next : (sel[next] as number);
      if ((seq[i] as number) >= end) break;
      if (all || this.#keys.present(batch, i)) rows[count++] = i;
    }
    found.next = next;
    found.count = count;
  }

  #findSlots({ rows, slots, count }: Found, from: number): void {
    const { encoder, vecs } = this.#keys;
    const [key] = vecs;
    const text = vecs.length === 1 && key?.t === 'str' && key.pool instanceof SlicePool ? key : null;
    if (text === null) {
      for (let k = from; k < count; k++) slots[k] = this.#rows.findKey(encoder, rows[k] as number);
      return;
    }
    const pool = text.pool as SlicePool;
    const lookups = this.#lookups;
    const { index } = this.#table;
    const { length } = pool.data;
    for (let begin = from; begin < count; begin += lookups.room) {
      const n = Math.min(count - begin, lookups.room);
      for (let k = 0; k < n; k++) {
        const id = text.v[rows[begin + k] as number] as number;
        lookups.set(k, 0, pool.start[id] as number, pool.end[id] as number);
      }
      index.prepare(lookups, pool.data, n);
      for (let k = 0; k < n; k++) {
        // text that does not stand in the records lies behind their bytes
        slots[begin + k] =
          (lookups.start[k] as number) < length
            ? index.findPrepared(lookups, pool.data, k)
            : this.#rows.findKey(encoder, rows[begin + k] as number);
      }
    }
  }

  #keepMatched(found: Found, from: number): void {
    const { rows, slots } = found;
    let to = from;
    for (let k = from; k < found.count; k++) {
      if ((slots[k] as number) < 0) continue;
      rows[to] = rows[k] as number;
      slots[to++] = slots[k] as number;
    }
    found.count = to;
  }

  #joined(found: Found): Batch {
    const { batch, rows, count } = found;
    const { vecs } = this.#keys;
    const ids = this.#idsUpTo(batch.n);
    const unmatched = unmatchedRows(found);
    const right = found.right.map((column, c): Vec => {
      if (column !== null) return column.build(ids);
      const key = vecs[this.#keyPlaces[c] as number] as Exclude<Vec, { t: 'val' }>;
      return unmatched === null ? key : { ...key, nulls: unmatched };
    });
    return {
      ...batch,
      schema: this.#node.schema,
      cols: [...batch.cols, ...right, ...vecs],
      noValue: null,
      sel: count === batch.n ? null : rows.subarray(0, count),
    };
  }

  #idsUpTo(n: number): Int32Array {
    if (this.#ids.length < n) {
      this.#ids = new Int32Array(capacityFor(n, this.#ids.length));
      for (let i = 0; i < this.#ids.length; i++) this.#ids[i] = i;
    }
    return this.#ids;
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): StateTableState {
    return this.#table.state(part);
  }

  load(state: unknown): void {
    this.#table.load(state as StateTableState);
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#table.rows, bytes: this.#table.bytes };
  }
}

/** Whether equal keys of the type are the same values: not so a DOUBLE, of which 0 and -0 are equal. */
function isSameForm(type: SqlType): boolean {
  const kind = vecKind(type);
  return kind === 'i32' || kind === 'i64' || kind === 'str';
}

/** The rows without a row of the table; null: there are none. Keys that were looked up are not NULL. */
function unmatchedRows({ batch, rows, slots, count }: Found): Bits | null {
  let unmatched: Bits | null = null;
  for (let k = 0; k < count; k++) {
    if ((slots[k] as number) >= 0) continue;
    unmatched ??= makeBits(batch.n);
    setBit(unmatched, rows[k] as number);
  }
  return unmatched;
}

/** The changes of the table in an epoch, in order. */
class TableChanges {
  readonly #batches: readonly Batch[];
  #at = 0;
  #k = 0;

  constructor(batches: readonly Batch[]) {
    this.#batches = batches;
    this.#skipEmpty();
  }

  /** of the next change; Infinity behind the last one */
  get nextSeq(): number {
    const batch = this.#batches[this.#at];
    return batch === undefined ? Number.POSITIVE_INFINITY : (batch.seq[rowIn(batch, this.#k)] as number);
  }

  applyUpTo(seq: number, to: StreamTableJoin): void {
    for (let batch = this.#batches[this.#at]; batch !== undefined; batch = this.#batches[this.#at]) {
      const i = rowIn(batch, this.#k);
      if ((batch.seq[i] as number) > seq) return;
      if (this.#k === 0) to.beginChanges(batch);
      to.change(batch, i);
      if (++this.#k < (batch.sel?.length ?? batch.n)) continue;
      this.#k = 0;
      this.#at++;
      this.#skipEmpty();
    }
  }

  #skipEmpty(): void {
    while (this.#at < this.#batches.length) {
      const batch = this.#batches[this.#at] as Batch;
      if ((batch.sel?.length ?? batch.n) > 0) return;
      this.#at++;
    }
  }
}
