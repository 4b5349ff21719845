import type { Batch } from '../core/batch.ts';

/** What an operator of several inputs does with their rows. */
export interface PortReader {
  /** the next rows of the port are of this batch */
  begin(port: number, batch: Batch): void;
  take(port: number, batch: Batch, i: number): void;
  /** every row of the sequence has been taken */
  settle(seq: number): void;
}

/** The rows of several inputs sequence by sequence; within one, port by port as `order` has them. */
export function readPorts(
  inputs: readonly (readonly Batch[])[],
  order: readonly number[],
  reader: PortReader,
): void {
  const cursors = order.map(port => new Cursor(port, inputs[port] ?? [], reader));
  for (;;) {
    let seq = Number.POSITIVE_INFINITY;
    for (const cursor of cursors) if (cursor.seq < seq) seq = cursor.seq;
    if (seq === Number.POSITIVE_INFINITY) return;
    for (const cursor of cursors) cursor.read(seq);
    reader.settle(seq);
  }
}

class Cursor {
  readonly #port: number;
  readonly #batches: readonly Batch[];
  readonly #reader: PortReader;
  #at = -1;
  #batch: Batch | null = null;
  #rows = 0;
  #k = 0;
  /** of the next row; Infinity behind the last one */
  seq = Number.POSITIVE_INFINITY;

  constructor(port: number, batches: readonly Batch[], reader: PortReader) {
    this.#port = port;
    this.#batches = batches;
    this.#reader = reader;
    this.#enter();
  }

  read(seq: number): void {
    while (this.seq === seq) {
      const batch = this.#batch as Batch;
      if (this.#k === 0) this.#reader.begin(this.#port, batch);
      this.#reader.take(this.#port, batch, rowOf(batch, this.#k++));
      if (this.#k < this.#rows) this.seq = batch.seq[rowOf(batch, this.#k)] as number;
      else this.#enter();
    }
  }

  /** The next batch that has rows. */
  #enter(): void {
    this.#k = 0;
    do {
      this.#batch = this.#batches[++this.#at] ?? null;
      this.#rows = this.#batch === null ? 0 : (this.#batch.sel?.length ?? this.#batch.n);
    } while (this.#batch !== null && this.#rows === 0);
    this.seq =
      this.#batch === null ? Number.POSITIVE_INFINITY : (this.#batch.seq[rowOf(this.#batch, 0)] as number);
  }
}

function rowOf(batch: Batch, k: number): number {
  return batch.sel === null ? k : (batch.sel[k] as number);
}
