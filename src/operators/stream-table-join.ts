import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import { VecBuilder } from '../core/vec.ts';
import type { StreamTableJoinNode } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { JoinKeys } from './join-keys.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { RowStore } from './row-store.ts';

const LEFT = 0;
const RIGHT = 1;

/** Rows of one batch of the stream that found their row of the table. */
interface Found {
  readonly batch: Batch;
  readonly rows: Int32Array;
  count: number;
  /** the table's columns at the rows of the batch */
  readonly right: readonly VecBuilder[];
}

/**
 * Stream S with table T: out = dS * T, T as of dS. dT adds nothing: the table only looks up, so S is not kept. Within one
 * sequence dT comes first. The stream's columns are handed on as they are; only the table's are written.
 */
export class StreamTableJoin implements Operator, PortReader {
  readonly id: string;
  readonly #node: StreamTableJoinNode;
  readonly #table: StateTable;
  readonly #rows: RowStore;
  readonly #keys: JoinKeys;
  #epoch: Epoch | null = null;
  #found: Found | null = null;
  #out: Batch[] = [];

  constructor(node: StreamTableJoinNode, context: OperatorContext, table: StateTable) {
    this.id = node.id;
    this.#table = table;
    this.#node = node;
    this.#rows = new RowStore(node.right.schema, this.#table);
    this.#keys = new JoinKeys(node.id, context, node.left.schema, node.leftKeys);
  }

  step(epoch: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[] {
    this.#epoch = epoch;
    readPorts(inputs, [RIGHT, LEFT], this);
    this.#finish();
    const out = this.#out;
    this.#out = [];
    return out;
  }

  begin(port: number, batch: Batch): void {
    if (port === RIGHT) {
      this.#rows.begin(batch);
      return;
    }
    this.#finish();
    this.#keys.begin(this.#epoch as Epoch, batch);
    this.#found = {
      batch,
      rows: new Int32Array(batch.sel?.length ?? batch.n),
      count: 0,
      right: this.#node.right.schema.columns.map(c => new VecBuilder(c.type, batch.n)),
    };
  }

  take(port: number, batch: Batch, i: number): void {
    if (port === RIGHT) {
      if (batch.op?.[i] !== Op.DELETE) this.#rows.put(batch, i);
      else {
        const slot = this.#rows.find(i);
        if (slot >= 0) this.#table.drop(slot);
      }
      return;
    }
    if (!this.#keys.present(batch, i)) return;
    const slot = this.#rows.findKey(this.#keys.encoder, i);
    if (slot < 0 && this.#node.type === 'inner') return;
    const found = this.#found as Found;
    found.rows[found.count++] = i;
    this.#rows.columns.write(slot, found.right, i);
  }

  settle(): void {}

  #finish(): void {
    const found = this.#found;
    this.#found = null;
    if (found === null || found.count === 0) return;
    const { batch, rows, count } = found;
    this.#out.push({
      ...batch,
      schema: this.#node.schema,
      cols: [...batch.cols, ...found.right.map(b => b.build(batch.n)), ...this.#keys.vecs],
      noValue: null,
      sel: count === batch.n ? null : rows.subarray(0, count),
    });
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
