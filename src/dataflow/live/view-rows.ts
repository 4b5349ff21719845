import type { Batch, Vec } from '../../core/batch.ts';
import { Op } from '../../core/change.ts';
import type { Column } from '../../core/schema.ts';
import { type SqlType, structOf } from '../../core/sql-type.ts';
import type { Row } from '../../core/value.ts';
import { decodeValue } from '../../expr/value-codec.ts';
import { decodeKey, encodeKey } from '../../kv/key-codec.ts';
import type { ViewPlan } from '../../plan/plan.ts';
import type { RowChangeWriter } from '../../view-store/row-changes.ts';
import { keyBytes, prefixBytes } from '../key-bytes.ts';
import { type CellWriter, keyCells, valueCells } from './row-cells.ts';

/**
 * Rows of a view as the view store keeps them. A keyed row lies under its encoded key columns; a row of an append view
 * under (sequence, index within the sequence), so that it keeps the order of the log.
 * A stored value is the event time (f64 LE) and the row as a STRUCT of all its columns, hidden ones too.
 */
export class ViewRowEncoder {
  readonly #columns: readonly Column[];
  readonly #key: readonly number[];
  readonly #append: boolean;

  constructor(plan: ViewPlan) {
    const { columns, key } = plan.root.schema;
    this.#columns = columns;
    this.#key = key;
    this.#append = plan.kind === 'append';
  }

  /** The changes of one epoch: whole sequences, in order. */
  encode(batches: readonly Batch[], writer: RowChangeWriter): void {
    let lastSeq = -1;
    let index = 0;
    const { out } = writer;
    for (const batch of batches) {
      const keys = this.#append ? [] : this.#key.map(c => keyCells(batch.cols[c] as Vec, this.#typeOf(c)));
      const cells = this.#columns.map((column, c) => valueCells(batch.cols[c] as Vec, column.type));
      const { op, sel, seq: seqs, rowtime } = batch;
      const n = sel === null ? batch.n : sel.length;
      for (let k = 0; k < n; k++) {
        const i = sel === null ? k : (sel[k] as number);
        const seq = seqs[i] as number;
        writer.begin(seq);
        if (this.#append) {
          index = seq === lastSeq ? index + 1 : 0;
          lastSeq = seq;
          out.append(encodeKey([seq, index], APPEND_KEY));
        } else for (let c = 0; c < keys.length; c++) (keys[c] as CellWriter)(out, i);
        writer.endKey();
        const what = op === null ? Op.ADD : op[i];
        if (!this.#append && (what === Op.DELETE || what === Op.RETRACT)) continue;
        out.reserve(9);
        out.view.setFloat64(out.length, rowtime[i] as number, true);
        // the row is a STRUCT that is there
        out.bytes[out.length + 8] = 1;
        out.length += 9;
        for (let c = 0; c < cells.length; c++) (cells[c] as CellWriter)(out, i);
        writer.endValue();
      }
    }
  }

  #typeOf(column: number): SqlType {
    return (this.#columns[column] as Column).type;
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
