import { assert } from '../../core/assert.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold, EvalContext } from '../../expr/functions.ts';
import type { Frame } from '../../expr/window-function.ts';
import { FrameWalker, framedSpan } from './frame-walker.ts';
import type { Cells, Give, OrderChange, OrderedRows, PartitionFunction, Span } from './partition-function.ts';

/** What fails is NULL; nothing is counted, since the same rows enter and leave frames again and again. */
const SILENT: EvalContext = { now: 0, rowtime: 0, seq: 0, zone: 'UTC', fail: () => null };

export interface FramedAggregateOptions {
  /** takes rows away too */
  readonly fold: AggregateFold;
  readonly args: readonly number[];
  readonly filter: number | null;
  readonly frame: Frame;
}

/**
 * An aggregate over each row's frame. Where frames begin with the partition, one accumulator of all its rows is kept: it
 * goes back to the change and forth again, so that a row at the end costs one addition. Other frames slide over the rows
 * that are touched, rows entering in front and leaving behind.
 */
export class FramedAggregate implements PartitionFunction {
  readonly #options: FramedAggregateOptions;
  /** of all rows of the partition, where frames begin with it */
  #total: Value | null = null;

  constructor(options: FramedAggregateOptions) {
    this.#options = options;
  }

  affected(change: OrderChange, rows: OrderedRows): Span {
    return framedSpan(this.#options.frame, change, rows);
  }

  update(rows: OrderedRows, change: OrderChange | null, span: Span, give: Give): void {
    const { frame } = this.#options;
    if (frame.from !== null) this.#slide(rows, span, give);
    else if (frame.to === null) this.#whole(rows, change, span, give);
    else this.#run(rows, change, span, give);
  }

  #whole(rows: OrderedRows, change: OrderChange | null, { from, to }: Span, give: Give): void {
    const { fold } = this.#options;
    if (change === null) this.#total = this.#addAll(fold.init(), rows, 0, rows.n);
    else this.#total = this.#step(this.#total, change.inserted, column => change.cell(column));
    const result = fold.result(this.#total);
    for (let at = from; at < to; at++) give(at, result);
  }

  #run(rows: OrderedRows, change: OrderChange | null, { from, to }: Span, give: Give): void {
    const { fold, frame } = this.#options;
    const walker = new FrameWalker(frame, rows);
    if (from < to) walker.move(from);
    const first = from < to ? walker.end : rows.n;
    let reached = change === null ? 0 : Math.min(change.at, first);
    this.#total = change === null ? fold.init() : this.#back(rows, change, reached);
    const forth = (end: number): void => {
      this.#total = this.#addAll(this.#total, rows, reached, end);
      reached = Math.max(reached, end);
    };
    for (let at = from; at < to; at++) {
      walker.move(at);
      forth(walker.end);
      give(at, fold.result(this.#total));
    }
    forth(rows.n);
  }

  /** The accumulator of the rows before `end`, out of that of all rows as they were before the change. */
  #back(rows: OrderedRows, change: OrderChange, end: number): Value | null {
    const { at, inserted } = change;
    let acc = this.#total;
    for (let i = rows.n - 1; i >= at; i--) {
      if (!inserted || i > at) acc = this.#step(acc, false, column => rows.cell(i, column));
    }
    if (!inserted) acc = this.#step(acc, false, column => change.cell(column));
    for (let i = at - 1; i >= end; i--) acc = this.#step(acc, false, column => rows.cell(i, column));
    return acc;
  }

  #slide(rows: OrderedRows, { from, to }: Span, give: Give): void {
    const { fold, frame } = this.#options;
    const walker = new FrameWalker(frame, rows);
    let acc = fold.init();
    let start = -1;
    let end = 0;
    for (let at = from; at < to; at++) {
      walker.move(at);
      if (start < 0) {
        start = walker.start;
        end = walker.start;
      }
      acc = this.#addAll(acc, rows, end, walker.end);
      end = Math.max(end, walker.end);
      for (; start < walker.start; start++) {
        const left = start;
        acc = this.#step(acc, false, column => rows.cell(left, column));
      }
      give(at, fold.result(acc));
    }
  }

  #addAll(acc: Value | null, rows: OrderedRows, from: number, to: number): Value | null {
    let sum = acc;
    for (let at = from; at < to; at++) sum = this.#step(sum, true, column => rows.cell(at, column));
    return sum;
  }

  #step(acc: Value | null, added: boolean, cell: Cells): Value | null {
    const { fold, args, filter } = this.#options;
    if (filter !== null && cell(filter) !== true) return acc;
    const values = args.map(cell);
    if (added) return fold.add(acc, values, SILENT);
    assert(fold.retract, 'an aggregate over frames takes rows away');
    return fold.retract(acc, values, SILENT);
  }
}
