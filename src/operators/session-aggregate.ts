import { assert } from '../core/assert.ts';
import type { Batch, Vec } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import { BIGINT } from '../core/sql-type.ts';
import { grownI32, VecBuilder } from '../core/vec.ts';
import type { AggregateNode, WindowSpec } from '../plan/plan.ts';
import type { ChangedPart } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import type { Accumulator, Pairs } from './accumulators/accumulator.ts';
import { accumulatorFor } from './accumulators/accumulator-for.ts';
import { ComputedColumns } from './computed-columns.ts';
import type { KeyReader } from './key-readers.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { NO_SESSION, SessionChains, type SessionChainsState, type Stretch } from './session-chains.ts';
import { type SessionChange, SessionRows, TouchedSessions } from './touched-sessions.ts';

export interface SessionAggregateOptions {
  readonly node: AggregateNode;
  readonly context: OperatorContext;
  readonly keys: StateTable;
  readonly sessions: StateTable;
  /** only the last change per session and epoch is wanted */
  readonly final: boolean;
}

interface SessionAggregateState {
  readonly chains: SessionChainsState;
  readonly laneTime: number;
}

/**
 * GROUP BY over session windows (append input only). A row joins all sessions of its key that lie within the gap; they
 * become one, from the first to the last event time: - old, + merged. Within one sequence (with `final`: within the
 * epoch) DELETE of each session that is gone, UPSERT of each that is new or changed, in order of first touch.
 *
 * The row is late when the merged session has ended: last event + gap + grace < lane time.
 */
export class SessionAggregate implements Operator {
  readonly id: string;
  readonly #node: AggregateNode;
  readonly #spec: WindowSpec;
  readonly #context: OperatorContext;
  readonly #final: boolean;
  readonly #strict: boolean;
  readonly #keys: ComputedColumns;
  readonly #chains: SessionChains;
  readonly #accumulators: readonly Accumulator[];
  readonly #touched: TouchedSessions;
  /** became part of another in this round; their slots are given free after it */
  #merged: number[] = [];
  #laneTime = Number.NEGATIVE_INFINITY;
  #sweptAt = Number.NEGATIVE_INFINITY;

  // rows of the current batch that are not yet absorbed
  #pairs: Pairs = { slot: new Int32Array(256), row: new Int32Array(256), sign: new Int8Array(256).fill(1) };
  #waiting = 0;

  // the changes collected for output
  readonly #keyReader: KeyReader;
  #rows = new SessionRows();
  #starts = new VecBuilder(BIGINT);
  #ends = new VecBuilder(BIGINT);

  constructor({ node, context, keys, sessions, final }: SessionAggregateOptions) {
    assert(node.window?.type === 'session', 'session aggregate without session window');
    this.id = node.id;
    this.#node = node;
    this.#spec = node.window;
    this.#context = context;
    this.#final = final;
    this.#strict = node.nullKeys === 'drop';
    this.#keys = new ComputedColumns(context, node.input.schema, node.keys);
    this.#chains = new SessionChains(
      node.keys.map(key => key.type),
      keys,
      sessions,
    );
    this.#accumulators = node.aggregates.map(call => {
      assert(!call.distinct, 'DISTINCT aggregates over sessions cannot merge');
      return accumulatorFor({
        call,
        context,
        table: sessions,
        schema: node.input.schema,
        retracting: false,
      });
    });
    this.#touched = new TouchedSessions(this.#chains);
    this.#keyReader = this.#chains.reader();
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    let seq = epoch.firstSeq;
    for (const batch of input) {
      const vecs = this.#keyColumns(epoch, batch);
      this.#chains.begin(vecs);
      for (const accumulator of this.#accumulators) accumulator.begin(epoch, batch);
      const n = batch.sel === null ? batch.n : batch.sel.length;
      for (let k = 0; k < n; k++) {
        const i = batch.sel === null ? k : (batch.sel[k] as number);
        if (!this.#final && batch.seq[i] !== seq) {
          this.#settle();
          seq = batch.seq[i] as number;
        }
        this.#enter(batch, vecs, i);
      }
      this.#absorb();
    }
    this.#settle();
    const out = this.#take();
    // after the output has its keys: a dropped key's bytes may move
    this.#sweep();
    return out;
  }

  #keyColumns(epoch: Epoch, batch: Batch): readonly Vec[] {
    const skips = this.#strict && batch.noValue !== null;
    return this.#keys.of(epoch, batch, skips ? (_, row) => !bitAt(batch.noValue, row) : null);
  }

  #enter(batch: Batch, vecs: readonly Vec[], i: number): void {
    const seq = batch.seq[i] as number;
    if (this.#strict) {
      if (bitAt(batch.noValue, i)) {
        this.#context.reject('null_key', seq, `${this.id}: record without value`);
        return;
      }
      if (this.#chains.hasNull(i)) {
        this.#context.reject('null_key', seq, `${this.id}: NULL in the group key`);
        return;
      }
    }
    const time = batch.rowtime[i] as number;
    if (time > this.#laneTime) this.#laneTime = time;
    const { size, grace } = this.#spec;
    const found = this.#chains.find(i);
    const near = this.#chains.near(found, time, size);
    if (near.end + size + 1 + grace <= this.#laneTime) {
      this.#context.reject('late', seq, `${this.id}: session [${near.start}, ${near.end}] is closed`);
      return;
    }
    let session = near.first;
    if (session === NO_SESSION) {
      session = this.#chains.add(this.#chains.keyOf(vecs, i), near.before, time);
      for (const accumulator of this.#accumulators) accumulator.reset(session);
      this.#touched.touchNew(session, seq);
    } else this.#join(near, time, seq);
    this.#add(session, i);
  }

  /** Makes the sessions of a stretch one, the first of them, that holds a time. */
  #join({ first, last, start, end }: Stretch, time: number, seq: number): void {
    const chains = this.#chains;
    this.#touched.touch(first, seq);
    if (first !== last) this.#absorb();
    let rowtime = Math.max(time, chains.rowtime.f64[first] as number);
    for (let at = first; at !== last; ) {
      at = chains.next(first);
      this.#touched.touch(at, seq);
      this.#touched.merged(at);
      for (const accumulator of this.#accumulators) accumulator.merge(first, at);
      rowtime = Math.max(rowtime, chains.rowtime.f64[at] as number);
      chains.unlink(at);
      this.#merged.push(at);
    }
    if (chains.start.f64[first] !== start || chains.end.f64[first] !== end) this.#touched.moved(first);
    chains.start.f64[first] = start;
    chains.end.f64[first] = end;
    chains.rowtime.f64[first] = rowtime;
  }

  #add(session: number, row: number): void {
    const k = this.#waiting++;
    if (k === this.#pairs.slot.length) {
      const slot = grownI32(this.#pairs.slot, k + 1);
      this.#pairs = {
        slot,
        row: grownI32(this.#pairs.row, k + 1),
        sign: new Int8Array(slot.length).fill(1),
      };
    }
    this.#pairs.slot[k] = session;
    this.#pairs.row[k] = row;
    this.#chains.touch(session);
  }

  #absorb(): void {
    if (this.#waiting === 0) return;
    for (const accumulator of this.#accumulators) accumulator.absorb(this.#pairs, 0, this.#waiting);
    this.#waiting = 0;
  }

  /** Ends the round: what it changed goes to the output. */
  #settle(): void {
    if (this.#touched.isEmpty) return;
    this.#absorb();
    this.#touched.take(change => this.#emit(change));
    for (const session of this.#merged) this.#chains.drop(session);
    this.#merged = [];
  }

  #emit({ seq, key, session, outside }: SessionChange): void {
    this.#keyReader.push(key);
    if (session < 0 && outside !== null) {
      this.#rows.push(Op.DELETE, seq, outside.rowtime);
      this.#starts.pushInteger(outside.start);
      this.#ends.pushInteger(outside.end);
      for (const accumulator of this.#accumulators) accumulator.pushNull();
      return;
    }
    const { start, end, rowtime } = this.#chains;
    this.#rows.push(Op.UPSERT, seq, rowtime.f64[session] as number);
    this.#starts.pushInteger(start.f64[session] as number);
    this.#ends.pushInteger(end.f64[session] as number);
    for (const accumulator of this.#accumulators) accumulator.push(session);
  }

  #take(): readonly Batch[] {
    const { n, seq, rowtime, op } = this.#rows;
    if (n === 0) return [];
    const batch: Batch = {
      schema: this.#node.schema,
      n,
      cols: [
        ...this.#keyReader.take(),
        this.#starts.build(),
        this.#ends.build(),
        ...this.#accumulators.map(accumulator => accumulator.take()),
      ],
      seq,
      rowtime,
      op,
      noValue: null,
      sel: null,
    };
    this.#rows = new SessionRows();
    this.#starts = new VecBuilder(BIGINT);
    this.#ends = new VecBuilder(BIGINT);
    return [batch];
  }

  /**
   * Lets go of sessions that no row can reach any more: not one that joins them alone (it would be late), nor one that
   * joins them to a later session, there or still to come.
   */
  #sweep(): void {
    const { size, grace } = this.#spec;
    const lane = this.#laneTime;
    if (lane < this.#sweptAt + size + grace + 1) return;
    this.#sweptAt = lane;
    const { start, end } = this.#chains;
    this.#chains.sweep((session, next) => {
      const ended = end.f64[session] as number;
      if (ended + 3 * size + 1 + grace > lane) return false;
      return next === NO_SESSION || (start.f64[next] as number) > ended + 2 * size;
    });
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): SessionAggregateState {
    return { chains: this.#chains.state(part), laneTime: this.#laneTime };
  }

  load(state: unknown): void {
    const { chains, laneTime } = state as SessionAggregateState;
    this.#chains.load(chains);
    this.#laneTime = laneTime;
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return this.#chains.size();
  }
}
