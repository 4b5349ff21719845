import type { ServedRow, ViewChange } from '../../deploy/view-access.ts';
import type { JsonOf } from '../sink-target.ts';
import { bytesText, type CellText, COPY_NULL, cellText, copyCell } from './cell-text.ts';
import type { TableShape } from './table-shape.ts';

/** Rows and changes of a view as PostgreSQL reads them. */
export class RowWriter {
  readonly #shape: TableShape;
  readonly #cells: readonly CellText[];
  readonly #types: readonly string[];
  readonly #rowKey: boolean;

  constructor(shape: TableShape, json: JsonOf) {
    this.#shape = shape;
    this.#types = shape.columns.map(c => c.type);
    this.#rowKey = shape.columns.at(-1)?.of === null;
    this.#cells = shape.columns.flatMap(c => (c.of === null ? [] : [cellText(c.of, json)]));
  }

  /** lines of COPY's text format */
  rows(rows: readonly ServedRow[]): string {
    let text = '';
    for (const row of rows) text += `${this.#line(row.row, this.#keyOf(row))}\n`;
    return text;
  }

  /** Lines of COPY's text format for the staging table: what {@link goneMask} says, then the columns. */
  staged(changes: readonly ViewChange[]): string {
    let text = '';
    for (const change of changes) {
      const mask = change.op === 'delete' ? String(this.goneMask(change)) : COPY_NULL;
      text += `${mask}\t${this.#line(change.row, this.#keyOf(change))}\n`;
    }
    return text;
  }

  /** The key columns that are NULL, as bits, of a row that goes. */
  goneMask({ row }: ViewChange): number {
    if (this.#rowKey) return 0;
    let mask = 0;
    for (const [k, column] of this.#shape.key.entries()) if ((row[column] ?? null) === null) mask |= 1 << k;
    return mask;
  }

  /** texts of all columns, or null, as parameters of a statement */
  cells(change: ViewChange): (string | null)[] {
    const texts = this.#cells.map((cell, i) => {
      const value = change.row[i] ?? null;
      return value === null ? null : cell(value);
    });
    const key = this.#keyOf(change);
    return key === null ? texts : [...texts, bytesText(key)];
  }

  /** `$1::bigint, $2::text` */
  parameters(first: number): string {
    return this.#types.map((type, i) => `$${first + i}::text::${type}`).join(', ');
  }

  #keyOf({ key }: Pick<ViewChange, 'key'>): Uint8Array | null {
    return this.#rowKey ? key : null;
  }

  #line(row: ViewChange['row'], key: Uint8Array | null): string {
    let text = '';
    const cells = this.#cells;
    for (let i = 0; i < cells.length; i++) {
      if (i > 0) text += '\t';
      const value = row[i] ?? null;
      text += value === null ? COPY_NULL : copyCell((cells[i] as CellText)(value));
    }
    if (key !== null) text += `${cells.length > 0 ? '\t' : ''}\\${bytesText(key)}`;
    return text;
  }
}
