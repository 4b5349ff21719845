import { grownF64, grownI32 } from '../core/vec.ts';
import type { SessionChains } from './session-chains.ts';

/** What a session looked like from outside before the round: a row of this key, or none. */
export interface Outside {
  readonly start: number;
  readonly end: number;
  readonly rowtime: number;
}

export interface SessionChange {
  /** of the round: the order in which keys were first touched */
  readonly order: number;
  readonly seq: number;
  readonly key: number;
  /** the session as it is now; -1: the row of `outside` is gone */
  readonly session: number;
  readonly outside: Outside | null;
}

interface Touched {
  readonly session: number;
  readonly key: number;
  readonly outside: Outside | null;
  readonly outsideOrder: number;
  /** order of the first touch of the window that the session has now */
  order: number;
  seq: number;
  /** it has become part of another */
  gone: boolean;
}

/**
 * The sessions touched in a round (one sequence; with demand `final` one epoch), and what this changes outside. A
 * session's time is part of its key: when it grows, the row of the old key goes and one of the new key comes.
 */
export class TouchedSessions {
  readonly #chains: SessionChains;
  /** per session where it stands in the list, if it does */
  #at: Int32Array = new Int32Array(64);
  #list: Touched[] = [];
  #order = 0;

  constructor(chains: SessionChains) {
    this.#chains = chains;
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /** A session that was there before its next change. */
  touch(session: number, seq: number): void {
    const known = this.#find(session);
    if (known !== undefined) {
      known.seq = seq;
      return;
    }
    const { start, end, rowtime } = this.#chains;
    const outside = {
      start: start.f64[session] as number,
      end: end.f64[session] as number,
      rowtime: rowtime.f64[session] as number,
    };
    const order = this.#order++;
    this.#add(session, { outside, outsideOrder: order, order, seq });
  }

  touchNew(session: number, seq: number): void {
    this.#add(session, { outside: null, outsideOrder: -1, order: this.#order++, seq });
  }

  /** The session's time has changed. */
  moved(session: number): void {
    const touched = this.#find(session);
    if (touched !== undefined) touched.order = this.#order++;
  }

  merged(session: number): void {
    const touched = this.#find(session);
    if (touched !== undefined) touched.gone = true;
  }

  #find(session: number): Touched | undefined {
    const touched = this.#list[this.#at[session] ?? 0];
    return touched?.session === session ? touched : undefined;
  }

  #add(
    session: number,
    touch: { outside: Outside | null; outsideOrder: number; order: number; seq: number },
  ): void {
    if (session >= this.#at.length) this.#at = grownI32(this.#at, session + 1);
    this.#at[session] = this.#list.length;
    this.#list.push({ session, key: this.#chains.key.i32[session] as number, gone: false, ...touch });
  }

  /** Calls with what has changed outside, in order of sequence and first touch; a new round begins. */
  take(change: (change: SessionChange) => void): void {
    const changes: SessionChange[] = [];
    const { start, end } = this.#chains;
    for (const { session, key, outside, outsideOrder, order, seq, gone } of this.#list) {
      const stays =
        !gone && outside !== null && outside.start === start.f64[session] && outside.end === end.f64[session];
      if (outside !== null && !stays) changes.push({ order: outsideOrder, seq, key, session: -1, outside });
      if (!gone) changes.push({ order, seq, key, session, outside });
    }
    changes.sort((a, b) => a.seq - b.seq || a.order - b.order);
    for (const each of changes) change(each);
    this.#list = [];
    this.#order = 0;
  }
}

/** Rows of output whose columns are written by others: sequence, event time, operation, window. */
export class SessionRows {
  n = 0;
  op: Int8Array = new Int8Array(0);
  seq: Float64Array = new Float64Array(0);
  rowtime: Float64Array = new Float64Array(0);

  push(op: number, seq: number, rowtime: number): void {
    const i = this.n++;
    if (i >= this.op.length) {
      this.seq = grownF64(this.seq, i + 1);
      this.rowtime = grownF64(this.rowtime, i + 1);
      const grown = new Int8Array(this.seq.length);
      grown.set(this.op);
      this.op = grown;
    }
    this.op[i] = op;
    this.seq[i] = seq;
    this.rowtime[i] = rowtime;
  }
}
