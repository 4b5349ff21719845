import type { Batch, Vec } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import { SlicePool } from '../core/pool.ts';
import type { Value } from '../core/value.ts';
import { capacityFor, grownI32, valueAt } from '../core/vec.ts';
import { comparator, nullable } from '../expr/compare.ts';
import type { Expr } from '../expr/expr.ts';
import type { AggregateNode, FilterNode, WindowSpec } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ComputedColumns } from './computed-columns.ts';
import { GroupFilter } from './group-filter.ts';
import { Groups } from './groups.ts';
import { LastTouches } from './last-touches.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { TextSlots } from './text-slots.ts';
import { Touches } from './touches.ts';
import { WindowChains } from './window-chains.ts';
import { firstWindowStart, isClosed } from './windows.ts';

export interface AggregateOptions {
  readonly node: AggregateNode;
  readonly context: OperatorContext;
  readonly table: StateTable;
  /** the input takes rows away too */
  readonly retracting: boolean;
  /** only the last change per group and epoch is wanted */
  readonly final: boolean;
}

interface AggregateState {
  readonly table: StateTableState;
  readonly laneTime: number;
}

/**
 * GROUP BY without windows or with tumbling or hopping ones: group += the + rows, group -= the - rows, then one UPSERT per
 * touched group, or DELETE of one that has become empty and may go. Merged within one sequence number, or, when only the
 * last state per key is wanted (`final`), within the epoch.
 *
 * A row is late for a window when windowEnd + grace <= lane time, the largest event time that has entered, its own
 * included. Groups of closed windows are let go (their rows stay with the reader), or with RETENTION deleted when
 * windowEnd + retention <= lane time, by (end, key), after the changes of that sequence.
 */
export class Aggregate implements Operator {
  readonly id: string;
  readonly #node: AggregateNode;
  readonly #context: OperatorContext;
  readonly #keys: ComputedColumns;
  readonly #groups: Groups;
  readonly #table: StateTable;
  readonly #final: boolean;
  readonly #retracting: boolean;
  readonly #strict: boolean;
  readonly #always: boolean;
  /** groups may lose all their rows and go */
  readonly #mayEmpty: boolean;
  /** no group ever ends but with its window */
  readonly #onlyGrows: boolean;
  readonly #windows = new WindowChains();
  #laneTime = Number.NEGATIVE_INFINITY;
  /** the oldest window that has groups */
  #firstStart = Number.POSITIVE_INFINITY;

  // pairs of the current batch that are not yet absorbed
  #pairs: { slot: Int32Array; row: Int32Array; sign: Int8Array } = {
    slot: new Int32Array(256),
    row: new Int32Array(256),
    sign: new Int8Array(256),
  };
  #from = 0;
  #to = 0;
  /** groups touched in the epoch (`final`) or in the current sequence */
  readonly #touches: Touches;
  #settledTo = 0;
  /** in place of `touches` where groups only grow and only their last change counts */
  readonly #last: LastTouches | null;
  readonly #textSlots: TextSlots;
  /** window starts of the rows in `pairs` */
  #starts = new Float64Array(256);
  #having: GroupFilter | null = null;
  #seq = 0;

  constructor({ node, context, table, retracting, final }: AggregateOptions) {
    this.id = node.id;
    this.#node = node;
    this.#context = context;
    this.#table = table;
    this.#keys = new ComputedColumns(context, node.input.schema, node.keys);
    this.#final = final;
    this.#retracting = retracting;
    this.#strict = node.nullKeys === 'drop';
    this.#always = node.emptyGroups === 'delete' && node.keys.length === 0 && node.window === null;
    this.#mayEmpty = retracting && node.emptyGroups === 'delete' && !this.#always;
    this.#onlyGrows = !retracting && node.window?.retention == null;
    this.#groups = new Groups({ node, context, table, retracting, onlyGrows: this.#onlyGrows });
    this.#touches = new Touches(final);
    this.#textSlots = new TextSlots(this.#groups.keyed, {
      isNew: start => (node.window === null ? table.rows === 0 : !this.#windows.has(start)),
      begin: (slot, start, keys, i) => this.#begin(slot, start, keys, i),
    });
    this.#last = final && this.#onlyGrows ? new LastTouches() : null;
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    if (this.#always && epoch.n > 0 && this.#groups.size === 0) this.#makeGlobalGroup(epoch);
    this.#seq = epoch.firstSeq;
    for (const batch of input) this.#absorbBatch(epoch, batch);
    this.#endSeq();
    this.#settle();
    if (this.#final) this.#emitTouched();
    const out = this.#groups.take();
    this.#groups.collect(slot => this.#windows.remove(this.#groups.keyed.prefixOf(slot), slot));
    this.#dropClosed();
    return out === null ? [] : [out];
  }

  /** From its first row on the aggregate keeps `shown`, for a filter right above. */
  tracksShown(): void {
    this.#groups.tracksShown();
  }

  /** Per slot whether its row is outside. */
  get shown(): Int32Array {
    return this.#groups.shown.i32;
  }

  /** The slot behind row i of the last batch given. */
  slotOf(i: number): number {
    return this.#groups.slotOf(i);
  }

  /**
   * Takes over a filter right above, where it can: then what is given has passed it. False: the filter must run itself.
   */
  takesHaving(filter: FilterNode): boolean {
    if (!this.#final || !this.#onlyGrows || !this.#context.generatedCode) return false;
    this.#having = GroupFilter.of(filter, this.#node);
    if (this.#having !== null) this.tracksShown();
    return this.#having !== null;
  }

  #makeGlobalGroup(epoch: Epoch): void {
    const slot = this.#groups.slot(0, [], 0);
    this.#groups.rowtime.f64[slot] = 0;
    this.#touch(slot, epoch.firstSeq, false);
  }

  #touch(slot: number, seq: number, existed: boolean): void {
    if (this.#last !== null) this.#last.add(slot, seq);
    else this.#touches.add(slot, seq, existed);
  }

  #absorbBatch(epoch: Epoch, batch: Batch): void {
    const skip =
      this.#strict && batch.noValue !== null ? (_: number, row: number) => !bitAt(batch.noValue, row) : null;
    const keys = this.#keys.of(epoch, batch, skip);
    this.#groups.keyed.encoder.begin(keys);
    for (const accumulator of this.#groups.accumulators) accumulator.begin(epoch, batch);
    this.#from = 0;
    this.#to = 0;
    if (this.#last !== null && this.#absorbPlain(batch, keys, this.#last)) return;
    const n = batch.sel === null ? batch.n : batch.sel.length;
    for (let k = 0; k < n; k++) {
      const i = batch.sel === null ? k : (batch.sel[k] as number);
      const seq = batch.seq[i] as number;
      if (seq !== this.#seq) this.#beginSeq(seq);
      this.#enter(batch, keys, i, seq);
    }
    this.#absorbPairs();
  }

  /**
   * The same for the everyday case: rows are only added, nothing needs settling between sequences, windows do not
   * overlap, the key is one text. In passes over the rows with little to do in each, so that the processor waits for
   * the memory of several rows at a time. False: it is not that case.
   */
  #absorbPlain(batch: Batch, keys: readonly Vec[], touches: LastTouches): boolean {
    const [key] = keys;
    const spec = this.#node.window;
    if (key?.t !== 'str' || keys.length !== 1 || !(key.pool instanceof SlicePool)) return false;
    if (key.nulls !== null || batch.noValue !== null || batch.op !== null) return false;
    if (spec !== null && spec.size !== spec.advance) return false;
    const n = this.#gather(batch);
    this.#textSlots.find(
      { v: key.v, pool: key.pool },
      { keys, rows: this.#pairs.row, starts: this.#starts, n },
      this.#pairs.slot,
    );
    const { slot: slots, row: rows } = this.#pairs;
    touches.addAll(slots, rows, batch.seq, n, this.#table.index.high);
    const times = this.#groups.rowtime.f64;
    const { rowtime } = batch;
    for (let k = 0; k < n; k++) {
      const slot = slots[k] as number;
      const time = rowtime[rows[k] as number] as number;
      if (time > (times[slot] as number)) times[slot] = time;
    }
    this.#table.touchAll(slots, n);
    this.#to = n;
    this.#absorbPairs();
    return true;
  }

  /** The rows that are not late into `pairs`, their windows into `starts`; how many they are. */
  #gather(batch: Batch): number {
    const spec = this.#node.window;
    const { sel, rowtime } = batch;
    const n = sel === null ? batch.n : sel.length;
    this.#reservePairs(n);
    if (n > this.#starts.length) this.#starts = new Float64Array(capacityFor(n, this.#starts.length));
    const { row: rows, sign } = this.#pairs;
    const starts = this.#starts;
    let laneTime = this.#laneTime;
    let start = 0;
    let end = spec === null ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    const grace = spec === null ? 0 : spec.grace;
    let to = 0;
    for (let k = 0; k < n; k++) {
      const i = sel === null ? k : (sel[k] as number);
      const time = rowtime[i] as number;
      if (time > laneTime) laneTime = time;
      if (spec !== null && (time < start || time >= end)) {
        start = firstWindowStart(time, spec);
        end = start + spec.size;
      }
      if (spec !== null && end + grace <= laneTime) {
        this.#rejectLate(batch.seq[i] as number, start, spec);
        continue;
      }
      rows[to] = i;
      starts[to] = start;
      sign[to++] = 1;
    }
    this.#laneTime = laneTime;
    return to;
  }

  #begin(slot: number, start: number, keys: readonly Vec[], i: number): void {
    this.#table.reserve(slot + 1);
    this.#groups.begin(slot, keys, i);
    if (this.#node.window !== null) this.#register(start, slot);
  }

  #rejectLate(seq: number, start: number, spec: WindowSpec): void {
    this.#context.reject('late', seq, `${this.id}: window [${start}, ${start + spec.size}) is closed`);
  }

  /** One row into its groups. */
  #enter(batch: Batch, keys: readonly Vec[], i: number, seq: number): void {
    if (this.#strict) {
      if (bitAt(batch.noValue, i)) {
        this.#context.reject('null_key', seq, `${this.id}: record without value`);
        return;
      }
      if (this.#groups.keyed.encoder.hasNull(i)) {
        this.#context.reject('null_key', seq, `${this.id}: NULL in the group key`);
        return;
      }
    }
    const time = batch.rowtime[i] as number;
    if (time > this.#laneTime) this.#laneTime = time;
    const sign = batch.op !== null && batch.op[i] === Op.RETRACT ? -1 : 1;
    const spec = this.#node.window;
    if (spec === null) {
      this.#add(this.#slot(0, keys, i, seq), i, sign, time);
      return;
    }
    for (let start = firstWindowStart(time, spec); start <= time; start += spec.advance) {
      if (isClosed(start, spec, this.#laneTime)) {
        this.#rejectLate(seq, start, spec);
      } else this.#add(this.#slot(start, keys, i, seq), i, sign, time);
    }
  }

  #slot(start: number, keys: readonly Vec[], i: number, seq: number): number {
    const slot = this.#groups.slot(start, keys, i);
    const { wasNew } = this.#groups;
    if (wasNew) this.#textSlots.spoil(start);
    if (this.#table.index.isNew && this.#node.window !== null) this.#register(start, slot);
    this.#touch(slot, seq, !wasNew);
    return slot;
  }

  #add(slot: number, i: number, sign: number, time: number): void {
    const k = this.#to++;
    this.#reservePairs(k + 1);
    this.#pairs.slot[k] = slot;
    this.#pairs.row[k] = i;
    this.#pairs.sign[k] = sign;
    const { rows, rowtime } = this.#groups;
    if (rows !== null) rows.f64[slot] = (rows.f64[slot] as number) + sign;
    if (time > (rowtime.f64[slot] as number)) rowtime.f64[slot] = time;
  }

  #reservePairs(n: number): void {
    const { slot, row, sign } = this.#pairs;
    if (n <= slot.length) return;
    const grown = new Int8Array(capacityFor(n, slot.length));
    grown.set(sign);
    this.#pairs = { slot: grownI32(slot, n), row: grownI32(row, n), sign: grown };
  }

  #absorbPairs(): void {
    this.#groups.absorb(this.#pairs, this.#from, this.#to);
    this.#from = this.#to;
  }

  /** A row of a later sequence comes: what was touched in the one before is now as it stays. */
  #beginSeq(seq: number): void {
    this.#endSeq();
    this.#seq = seq;
  }

  #endSeq(): void {
    if (!this.#final || this.#retracting) this.#settle();
    this.#expire(this.#seq);
  }

  /** Ends empty groups and, unless `final`, emits the groups touched in this sequence in order of first touch. */
  #settle(): void {
    this.#absorbPairs();
    const touches = this.#touches;
    for (let t = this.#settledTo; t < touches.length; t++) {
      const slot = touches.slot(t);
      if (this.#mayEmpty && this.#groups.rows?.f64[slot] === 0 && this.#groups.lives(slot))
        this.#groups.end(slot);
      if (!this.#final) this.#emit(slot, touches.seq(t));
    }
    this.#settledTo = touches.length;
    if (!this.#final) this.#clearTouches();
  }

  #clearTouches(): void {
    this.#touches.clear();
    this.#settledTo = 0;
  }

  #emit(slot: number, seq: number): void {
    if (this.#groups.lives(slot)) this.#groups.emit(slot, seq, Op.UPSERT);
    else if (this.#touches.existed(slot)) this.#groups.emit(slot, seq, Op.DELETE);
  }

  /** Each group touched in the epoch once, in order of last touch. */
  #emitTouched(): void {
    const { slots, seqs, n } = this.#last?.take() ?? this.#touches.takeLast();
    this.#settledTo = 0;
    if (!this.#onlyGrows) {
      for (let k = 0; k < n; k++) this.#emit(slots[k] as number, seqs[k] as number);
      return;
    }
    const { accumulators } = this.#groups;
    const list = this.#having?.passing(slots, seqs, n, accumulators, this.shown) ?? {
      slots,
      seqs,
      ops: new Int8Array(n).fill(Op.UPSERT),
      n,
    };
    this.#groups.emitAll(list.slots, list.seqs, list.ops, list.n);
  }

  #register(start: number, slot: number): void {
    this.#windows.add(start, slot);
    if (start < this.#firstStart) this.#firstStart = start;
  }

  /** Takes the windows that ended `lag` or more before the lane time, the oldest first. */
  #takeWindows(spec: WindowSpec, lag: number): Int32Array[] {
    const isOver = (start: number) => start + spec.size + lag <= this.#laneTime;
    if (!isOver(this.#firstStart)) return [];
    const over: number[] = [];
    this.#firstStart = Number.POSITIVE_INFINITY;
    for (const start of this.#windows.starts()) {
      if (isOver(start)) over.push(start);
      else this.#firstStart = Math.min(this.#firstStart, start);
    }
    over.sort((a, b) => a - b);
    for (const start of over) this.#textSlots.drop(start);
    return over.map(start => this.#windows.take(start));
  }

  /** RETENTION: deletes the rows of windows that are too old, after what the sequence itself changed. */
  #expire(seq: number): void {
    const spec = this.#node.window;
    if (spec === null || spec.retention === null) return;
    if (this.#firstStart + spec.size + spec.retention > this.#laneTime) return;
    this.#settle();
    for (const slots of this.#takeWindows(spec, spec.retention)) {
      for (const slot of this.#inKeyOrder(slots)) {
        if (!this.#groups.lives(slot)) continue;
        this.#touches.add(slot, seq, true);
        this.#groups.end(slot);
        if (!this.#final) this.#groups.emit(slot, seq, Op.DELETE);
      }
    }
    if (!this.#final) this.#clearTouches();
  }

  #inKeyOrder(slots: Int32Array): readonly number[] {
    const reader = this.#groups.keyed.reader();
    for (const slot of slots) reader.push(slot);
    const vecs = reader.take();
    const orders = this.#node.keys.map(key => nullable(comparator(key.type)));
    const cell = (c: number, i: number): Value | null =>
      valueAt(vecs[c] as Vec, (this.#node.keys[c] as Expr).type, i);
    const compare = (a: number, b: number): number => {
      for (let c = 0; c < orders.length; c++) {
        const order = orders[c]?.(cell(c, a), cell(c, b)) ?? 0;
        if (order !== 0) return order;
      }
      return 0;
    };
    return [...slots.keys()].sort(compare).map(i => slots[i] as number);
  }

  /** Accumulators go when their window closes; with RETENTION they stay to name the rows that will be deleted. */
  #dropClosed(): void {
    const spec = this.#node.window;
    if (spec === null || spec.retention !== null) return;
    for (const slots of this.#takeWindows(spec, spec.grace)) this.#table.dropAll(slots);
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): AggregateState {
    return { table: this.#table.state(part), laneTime: this.#laneTime };
  }

  load(state: unknown): void {
    const { table, laneTime } = state as AggregateState;
    this.#table.load(table);
    this.#laneTime = laneTime;
    this.#windows.clear();
    this.#textSlots.clear();
    this.#firstStart = Number.POSITIVE_INFINITY;
    if (this.#node.window === null) return;
    for (const slot of this.#table.slots()) this.#register(this.#groups.keyed.prefixOf(slot), slot);
  }

  size(): { readonly rows: number; readonly bytes: number } {
    const beside = this.#windows.bytes + this.#textSlots.bytes + (this.#last ?? this.#touches).bytes;
    return { rows: this.#table.rows, bytes: this.#table.bytes + beside };
  }
}
