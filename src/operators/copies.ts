import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { CopiesNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
import { KeyedTable } from './keyed-table.ts';
import type { Epoch, Operator } from './operator.ts';

/** Retract to upsert: equal rows are numbered from 1; the last one goes first. State: how often each row is there. */
export class Copies implements Operator {
  readonly id: string;
  readonly #table: StateTable;
  readonly #rows: KeyedTable;
  readonly #count: GrowingColumn;
  readonly #out: ChangeBuilder;

  constructor(node: CopiesNode, table: StateTable) {
    this.id = node.id;
    this.#table = table;
    this.#rows = new KeyedTable(
      node.input.schema.columns.map(c => c.type),
      table,
    );
    this.#count = table.column('f64');
    this.#out = new ChangeBuilder(node.schema);
  }

  step(_: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    for (const batch of input) {
      this.#rows.encoder.begin(batch.cols);
      const n = batch.sel === null ? batch.n : batch.sel.length;
      for (let k = 0; k < n; k++) this.#change(batch, batch.sel === null ? k : (batch.sel[k] as number));
    }
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  #change(batch: Batch, i: number): void {
    const retract = batch.op?.[i] === Op.RETRACT;
    const slot = retract ? this.#rows.find(0, i) : this.#rows.slot(0, i);
    if (slot < 0) return;
    if (!retract) {
      const before = this.#table.index.isNew ? 0 : (this.#count.f64[slot] as number);
      this.#count.f64[slot] = before + 1;
      this.#push(Op.UPSERT, batch, i, before + 1);
      return;
    }
    const count = this.#count.f64[slot] as number;
    this.#push(Op.DELETE, batch, i, count);
    if (count === 1) this.#table.drop(slot);
    else {
      this.#count.f64[slot] = count - 1;
      this.#table.touch(slot);
    }
  }

  #push(op: Op, batch: Batch, i: number, number: number): void {
    this.#out.begin(op, batch.seq[i] as number, batch.rowtime[i] as number);
    this.#out.addVecs(batch.cols, i);
    this.#out.addValues([number]);
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
