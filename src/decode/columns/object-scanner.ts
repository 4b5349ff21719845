import { decodeText } from '../../core/pool.ts';
import type { Column } from '../../core/schema.ts';
import type { ColumnSink } from './column-sink.ts';
import { compileShape, type ShapedBlock, type ShapeScanner, type Stretch } from './record-shape.ts';
import { scanScalar, type Target, targetOf } from './scalar-scanner.ts';
import { skipSpace, standsAt } from './skip-value.ts';

/** field spellings remembered per scanner; records with more go to the row decoder */
const MAX_SPELLINGS = 256;
/** equal records in a row before a scanner for just their shape is compiled */
const WARM = 256;
/** one in so many records may be of another shape */
const TOLERANCE = 8;
const encoder = new TextEncoder();
/** one record */
const ALONE: Stretch = {
  starts: new Int32Array(1),
  ends: new Int32Array(1),
  records: new Int32Array(1),
};

interface Spelling {
  /** the name with its quotes, as it stands in the records */
  readonly bytes: Uint8Array;
  readonly target: Target;
  /** column, or -1 for a field that nobody reads */
  readonly column: number;
}

/**
 * Reads JSON objects straight from record bytes into columns. Speculates that fields come in the order of the record
 * before; any other order costs a lookup. Whatever is not plain makes the row fall back to the row decoder, which
 * alone decides on failures: so both always agree.
 */
export class ObjectScanner {
  readonly #columns: readonly Column[];
  readonly #targets: readonly Target[];
  readonly #spellings: Spelling[] = [];
  readonly #order: Spelling[] = [];
  readonly #lastRow: Float64Array;
  readonly #exact: boolean;
  #row = 0;
  /** records in a row that had the fields of `order` and no others */
  #alike = 0;
  #shapeSize = 0;
  #shape: ShapeScanner | null = null;
  /** its fields in order: the order of the record before may have become another one */
  #shapeFields: readonly Spelling[] = [];
  #missed = 0;
  /** what the compiled scanner reads now */
  #block: ShapedBlock | null = null;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
    this.#targets = columns.map(c => targetOf(c.type));
    this.#lastRow = new Float64Array(columns.length).fill(-1);
    // two columns that differ by case only: the row decoder's rule is needed
    this.#exact = new Set(columns.map(c => c.name.toUpperCase())).size === columns.length;
  }

  /** Where the values go from now on; null: the column is only checked. */
  target(sinks: readonly (ColumnSink | null)[]): void {
    this.#targets.forEach((t, i) => {
      t.sink = sinks[i] ?? null;
    });
    this.#block = null;
  }

  /** the records lately were all of one shape */
  get alike(): boolean {
    return this.#shape !== null;
  }

  /** Reads records [k, until) into rows from `row` on as long as they are of the compiled shape; the first that is not. */
  scanAlike(bytes: Uint8Array, stretch: Stretch, k: number, until: number, row: number): number {
    if (this.#shape === null) return k;
    const block = this.#block?.bytes === bytes ? this.#block : this.#bind(bytes);
    const next = this.#shape(block, stretch, k, until, row);
    this.#missed = Math.max(0, this.#missed - (next - k));
    return next;
  }

  /** False: the row decoder must read this record. */
  scan(bytes: Uint8Array, start: number, end: number, row: number): boolean {
    if (this.#shape !== null) {
      const { starts, ends } = ALONE;
      starts[0] = start;
      ends[0] = end;
      if (this.scanAlike(bytes, ALONE, 0, 1, row) === 1) return true;
      this.#missed += TOLERANCE;
      if (this.#missed > WARM * TOLERANCE) this.#forget();
    }
    return this.#scanAny(bytes, start, end, row);
  }

  /** Points the compiled scanner at a block. */
  #bind(bytes: Uint8Array): ShapedBlock {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const fields = this.#shapeFields;
    const missing = this.#targets.filter((_, i) => !fields.some(f => f.column === i));
    this.#block = { bytes, view, targets: [...fields.map(f => f.target), ...missing] };
    return this.#block;
  }

  #forget(): void {
    this.#shape = null;
    this.#missed = 0;
    this.#alike = 0;
  }

  /** After a record whose `size` fields came as expected. */
  #sawAlike(size: number): void {
    this.#alike = size === this.#shapeSize ? this.#alike + 1 : 0;
    this.#shapeSize = size;
    if (this.#alike !== WARM) return;
    const fields = this.#order.slice(0, size);
    const columns = fields.map(f => f.column).filter(c => c >= 0);
    if (new Set(columns).size !== columns.length) return;
    this.#shapeFields = fields;
    this.#shape = compileShape(
      fields.map(f => ({ name: f.bytes, target: f.target })),
      this.#columns.length - columns.length,
    );
    this.#block = null;
  }

  /** False: the row decoder must read this record. */
  #scanAny(bytes: Uint8Array, start: number, end: number, row: number): boolean {
    if (!this.#exact) return false;
    const tick = ++this.#row;
    const order = this.#order;
    const lastRow = this.#lastRow;
    let p = skipSpace(bytes, start, end);
    if (p >= end || bytes[p] !== 0x7b) return false;
    p = skipSpace(bytes, p + 1, end);
    let found = 0;
    let size = 0;
    let expected = true;
    if (p < end && bytes[p] === 0x7d) p++;
    else {
      for (let k = 0; ; k++) {
        let spelling: Spelling | undefined = k < order.length ? order[k] : undefined;
        if (spelling === undefined || !standsAt(bytes, p, end, spelling.bytes)) {
          spelling = this.#lookup(bytes, p, end);
          if (spelling === undefined) return false;
          order[k] = spelling;
          expected = false;
        }
        p += spelling.bytes.length;
        if (bytes[p] !== 0x3a) {
          p = skipSpace(bytes, p, end);
          if (p >= end || bytes[p] !== 0x3a) return false;
        }
        p++;
        if (p < end && (bytes[p] as number) <= 0x20) p = skipSpace(bytes, p, end);
        if (p >= end) return false;
        p = scanScalar(bytes, p, end, spelling.target, row);
        if (p < 0 || p >= end) return false;
        const column = spelling.column;
        if (column >= 0) {
          if (lastRow[column] === tick) return false; // twice, or in two spellings
          lastRow[column] = tick;
          found++;
        }
        let c = bytes[p] as number;
        if (c <= 0x20) {
          p = skipSpace(bytes, p, end);
          if (p >= end) return false;
          c = bytes[p] as number;
        }
        p++;
        size = k + 1;
        if (c === 0x7d) break;
        if (c !== 0x2c) return false;
        if (p < end && (bytes[p] as number) <= 0x20) p = skipSpace(bytes, p, end);
      }
    }
    if (p !== end && skipSpace(bytes, p, end) !== end) return false;
    if (expected && this.#shape === null) this.#sawAlike(size);
    else this.#alike = 0;
    if (found < this.#columns.length) {
      for (let i = 0; i < lastRow.length; i++) if (lastRow[i] !== tick) this.#targets[i]?.sink?.setNull(row);
    }
    return true;
  }

  #lookup(bytes: Uint8Array, p: number, end: number): Spelling | undefined {
    if (p >= end || bytes[p] !== 0x22) return undefined;
    for (const known of this.#spellings) if (standsAt(bytes, p, end, known.bytes)) return known;
    if (this.#spellings.length >= MAX_SPELLINGS) return undefined;
    let q = p + 1;
    for (; q < end && bytes[q] !== 0x22; q++) {
      const c = bytes[q] as number;
      if (c === 0x5c || c < 0x20 || c >= 0x80) return undefined;
    }
    if (q >= end) return undefined;
    const name = decodeText(bytes, p + 1, q);
    const upper = name.toUpperCase();
    const column = this.#columns.findIndex(c => c.name.toUpperCase() === upper);
    const spelling: Spelling = {
      bytes: encoder.encode(`"${name}"`),
      target: this.#targets[column] ?? targetOf(null),
      column,
    };
    this.#spellings.push(spelling);
    return spelling;
  }
}
