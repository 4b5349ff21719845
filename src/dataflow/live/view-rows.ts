import type { Batch, Vec } from '../../core/batch.ts';
import { Op } from '../../core/change.ts';
import type { Column } from '../../core/schema.ts';
import { type SqlType, structOf } from '../../core/sql-type.ts';
import type { Row } from '../../core/value.ts';
import { rowAt, selectedRows, valueAt } from '../../core/vec.ts';
import { decodeValue, encodeValue } from '../../expr/value-codec.ts';
import { decodeKey, encodeKey } from '../../kv/key-codec.ts';
import type { ViewPlan } from '../../plan/plan.ts';
import type { RowChangeWriter } from '../../view-store/row-changes.ts';
import { keyBytes, prefixBytes } from '../key-bytes.ts';

/**
 * Rows of a view as the view store keeps them. A keyed row lies under its encoded key columns; a row of an append view
 * under (sequence, index within the sequence), so that it keeps the order of the log.
 * A stored value is the event time (f64 LE) and the row as a STRUCT of all its columns, hidden ones too.
 */
export class ViewRowEncoder {
  readonly #columns: readonly Column[];
  readonly #key: readonly number[];
  readonly #keyTypes: readonly SqlType[];
  readonly #append: boolean;
  readonly #rowType: SqlType;

  constructor(plan: ViewPlan) {
    const { columns, key } = plan.root.schema;
    this.#columns = columns;
    this.#key = key;
    this.#keyTypes = key.map(i => (columns[i] as Column).type);
    this.#append = plan.kind === 'append';
    this.#rowType = structOf(columns);
  }

  /** The changes of one epoch: whole sequences, in order. */
  encode(batches: readonly Batch[], writer: RowChangeWriter): void {
    let lastSeq = -1;
    let index = 0;
    for (const batch of batches) {
      for (const i of selectedRows(batch)) {
        const seq = batch.seq[i] as number;
        if (this.#append) {
          index = seq === lastSeq ? index + 1 : 0;
          lastSeq = seq;
          writer.add(encodeKey([seq, index], APPEND_KEY), this.#value(batch, i), seq);
          continue;
        }
        const key = encodeKey(
          this.#key.map(c => valueAt(batch.cols[c] as Vec, (this.#columns[c] as Column).type, i)),
          this.#keyTypes,
        );
        const op = batch.op?.[i] ?? Op.ADD;
        const gone = op === Op.DELETE || op === Op.RETRACT;
        writer.add(key, gone ? null : this.#value(batch, i), seq);
      }
    }
  }

  #value(batch: Batch, i: number): Uint8Array {
    const row = encodeValue(this.#rowType, rowAt(batch, i));
    const out = new Uint8Array(8 + row.length);
    new DataView(out.buffer).setFloat64(0, batch.rowtime[i] as number, true);
    out.set(row, 8);
    return out;
  }
}

const APPEND_KEY: readonly SqlType[] = [{ kind: 'DOUBLE' }, { kind: 'INT' }];

/** Reads stored rows and makes keys to look them up by. */
export class ViewRowDecoder {
  readonly #keyTypes: readonly SqlType[];
  readonly #rowType: SqlType;

  constructor(plan: ViewPlan) {
    const { columns, key } = plan.root.schema;
    this.#keyTypes = key.map(i => (columns[i] as Column).type);
    this.#rowType = structOf(columns);
  }

  /** all columns of the root, hidden ones last */
  decode(value: Uint8Array): { readonly row: Row; readonly rowtime: number } {
    const rowtime = new DataView(value.buffer, value.byteOffset, 8).getFloat64(0, true);
    return { rowtime, row: decodeValue(this.#rowType, value.subarray(8)) as Row };
  }

  /** the encoded key, or the prefix of all keys that begin with these values */
  encodeKey(values: Row): Uint8Array {
    return keyBytes(values, this.#keyTypes);
  }

  /** the values of the key columns, in order */
  decodeKey(key: Uint8Array): Row {
    return decodeKey(key, this.#keyTypes);
  }

  /** the keys that begin with these values: start <= key < end */
  prefixRange(values: Row): { readonly start: Uint8Array; readonly end: Uint8Array | undefined } {
    return prefixBytes(values, this.#keyTypes);
  }
}
