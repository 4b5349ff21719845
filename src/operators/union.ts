import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { UnionNode } from '../plan/plan.ts';
import { ChangeBuilder } from './change-builder.ts';
import type { Epoch, Operator } from './operator.ts';

interface Cursor {
  readonly batches: readonly Batch[];
  batch: number;
  k: number;
}

/** All changes of all inputs, merged by (sequence, input). */
export class Union implements Operator {
  readonly id: string;
  readonly #out: ChangeBuilder;

  constructor(node: UnionNode) {
    this.id = node.id;
    this.#out = new ChangeBuilder(node.schema);
  }

  step(_: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[] {
    const filled = inputs.filter(batches => batches.length > 0);
    if (filled.length <= 1) return filled[0] ?? [];
    const cursors: Cursor[] = filled.map(batches => ({ batches, batch: 0, k: 0 }));
    for (;;) {
      let next: Cursor | null = null;
      let least = Number.POSITIVE_INFINITY;
      for (const cursor of cursors) {
        const seq = seqOf(cursor);
        if (seq < least) {
          least = seq;
          next = cursor;
        }
      }
      if (next === null) break;
      while (seqOf(next) === least) this.#take(next);
    }
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  #take(cursor: Cursor): void {
    const batch = cursor.batches[cursor.batch] as Batch;
    const i = rowOf(batch, cursor.k);
    this.#out.copy(batch.op === null ? Op.ADD : (batch.op[i] as Op), batch, i);
    cursor.k++;
    if (cursor.k >= (batch.sel === null ? batch.n : batch.sel.length)) {
      cursor.batch++;
      cursor.k = 0;
    }
  }

  deadline(): number | null {
    return null;
  }

  state(): unknown {
    return null;
  }

  load(): void {}

  size(): null {
    return null;
  }
}

/** Infinity behind the last row. */
function seqOf(cursor: Cursor): number {
  const batch = cursor.batches[cursor.batch];
  return batch === undefined ? Number.POSITIVE_INFINITY : (batch.seq[rowOf(batch, cursor.k)] as number);
}

function rowOf(batch: Batch, k: number): number {
  return batch.sel === null ? k : (batch.sel[k] as number);
}
