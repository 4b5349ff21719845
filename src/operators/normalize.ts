import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { NormalizeNode } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
import type { Epoch, Operator } from './operator.ts';
import { RowStore } from './row-store.ts';

/**
 * Upsert to retract: each change of a key gives - the row it had, + the row it has. The - carries the event time at which
 * the row was added, so that whatever was computed from it is taken away exactly.
 */
export class Normalize implements Operator {
  readonly id: string;
  readonly #rows: RowStore;
  readonly #table: StateTable;
  readonly #out: ChangeBuilder;

  constructor(node: NormalizeNode, table: StateTable) {
    this.id = node.id;
    this.#table = table;
    this.#rows = new RowStore(node.input.schema, table);
    this.#out = new ChangeBuilder(node.schema);
  }

  step(_: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    for (const batch of input) {
      this.#rows.begin(batch);
      const n = batch.sel === null ? batch.n : batch.sel.length;
      for (let k = 0; k < n; k++) this.#change(batch, batch.sel === null ? k : (batch.sel[k] as number));
    }
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  #change(batch: Batch, i: number): void {
    const old = this.#rows.find(i);
    const seq = batch.seq[i] as number;
    if (old >= 0) {
      this.#out.begin(Op.RETRACT, seq, this.#rows.rowtime.f64[old] as number);
      this.#out.addKept(this.#rows.columns, old);
    }
    if (batch.op !== null && batch.op[i] === Op.DELETE) {
      if (old >= 0) this.#table.drop(old);
      return;
    }
    this.#rows.put(batch, i);
    this.#out.copy(Op.ADD, batch, i);
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
