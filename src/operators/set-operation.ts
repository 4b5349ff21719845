import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import { rowAt } from '../core/vec.ts';
import type { SetOperationNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
import { KeyEncoder } from './key-encoder.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import type { Epoch, Operator } from './operator.ts';

const LEFT = 0;
const RIGHT = 1;
const NO_BYTES = new Uint8Array(0);
/** prefixes of the table's keys: a row with bytes, and the row that is one NULL */
const BYTES = 0;
const NULL_ROW = 1;

/** INTERSECT and EXCEPT: how often each row is in both inputs. The contract stands on {@link SetOperationNode}. */
export class SetOperation implements Operator, PortReader {
  readonly id: string;
  readonly #table: StateTable;
  /** each input has batches of its own */
  readonly #encoders: readonly [KeyEncoder, KeyEncoder];
  readonly #counts: readonly [GrowingColumn, GrowingColumn];
  /** of the row in the output */
  readonly #rowtime: GrowingColumn;
  readonly #out: ChangeBuilder;
  readonly #times: (left: number, right: number) => number;
  readonly #enter: Op;
  readonly #leave: Op;

  constructor(node: SetOperationNode, table: StateTable) {
    this.id = node.id;
    this.#table = table;
    const types = node.schema.columns.map(c => c.type);
    this.#encoders = [new KeyEncoder(types), new KeyEncoder(types)];
    this.#counts = [table.column('f64'), table.column('f64')];
    this.#rowtime = table.column('f64');
    this.#out = new ChangeBuilder(node.schema);
    this.#times = timesIn(node);
    this.#enter = node.all ? Op.ADD : Op.UPSERT;
    this.#leave = node.all ? Op.RETRACT : Op.DELETE;
  }

  step(_: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[] {
    readPorts(inputs, [LEFT, RIGHT], this);
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  begin(port: number, batch: Batch): void {
    this.#encoders[port as 0 | 1].begin(batch.cols);
  }

  settle(): void {}

  take(port: number, batch: Batch, i: number): void {
    const retract = batch.op?.[i] === Op.RETRACT;
    const slot = this.#slot(this.#encoders[port as 0 | 1], i, !retract);
    if (slot < 0) return;
    const [lefts, rights] = this.#counts;
    const own = this.#counts[port as 0 | 1];
    if (!retract && this.#table.index.isNew) {
      lefts.f64[slot] = 0;
      rights.f64[slot] = 0;
      this.#rowtime.f64[slot] = 0;
    }
    if (retract && own.f64[slot] === 0) return;
    const before = this.#times(lefts.f64[slot] as number, rights.f64[slot] as number);
    own.f64[slot] = (own.f64[slot] as number) + (retract ? -1 : 1);
    const [l, r] = [lefts.f64[slot] as number, rights.f64[slot] as number];
    const after = this.#times(l, r);
    if (before === 0 && after > 0) this.#rowtime.f64[slot] = batch.rowtime[i] as number;
    if (after !== before) {
      const op = after > before ? this.#enter : this.#leave;
      this.#out.push(op, batch.seq[i] as number, this.#rowtime.f64[slot] as number, rowAt(batch, i));
    }
    if (l === 0 && r === 0) this.#table.drop(slot);
    else this.#table.touch(slot);
  }

  /** The slot of row i; -1: it has none, and none is made. */
  #slot(encoder: KeyEncoder, i: number, make: boolean): number {
    const found = encoder.encode(i);
    const prefix = found ? BYTES : NULL_ROW;
    const [bytes, start, end] = found ? [encoder.bytes, encoder.start, encoder.end] : [NO_BYTES, 0, 0];
    return make ? this.#table.slot(prefix, bytes, start, end) : this.#table.find(prefix, bytes, start, end);
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

/** How often a row of these counts is in the output. */
function timesIn({ op, all }: SetOperationNode): (left: number, right: number) => number {
  if (op === 'intersect') {
    return all ? (l, r) => Math.min(l, r) : (l, r) => Math.min(l, r, 1);
  }
  return all ? (l, r) => Math.max(l - r, 0) : (l, r) => (l > 0 && r === 0 ? 1 : 0);
}
