import { ViewRowDecoder } from '../dataflow/live/view-rows.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { readRowChanges } from '../view-store/row-changes.ts';
import type { ViewChange } from './view-access.ts';

/** Reads the stored row changes of one view version as its subscribers see them. */
export class ViewChangeReader {
  readonly #decoder: ViewRowDecoder;
  readonly #append: boolean;
  /** named columns; hidden ones follow them */
  readonly #width: number;
  readonly #key: readonly number[];
  /** whether the key's values name a row: none of them is hidden */
  readonly #named: boolean;

  constructor(plan: ViewPlan) {
    const { columns, key } = plan.root.schema;
    this.#decoder = new ViewRowDecoder(plan);
    this.#append = plan.kind === 'append';
    this.#width = columns.length - (plan.hidden?.length ?? 0);
    this.#key = key;
    this.#named = !this.#append && key.length > 0 && key.every(column => column < this.#width);
  }

  /** Coalesced: the last change of each key, in the order of these last changes. Only sequences from `from` on. */
  read(bytes: Uint8Array, from: number): ViewChange[] {
    const last = new Map<string, ViewChange>();
    for (const { key, value, seq } of readRowChanges(bytes)) {
      if (seq < from) continue;
      const stored = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
      const place = stored.toString('latin1');
      const change = value === null ? this.#deleted(key) : this.#present(value);
      const id = this.#named ? this.#keyText(change.row) : stored.toString('base64url');
      last.delete(place);
      last.set(place, { ...change, seq, id, key });
    }
    return [...last.values()];
  }

  #deleted(key: Uint8Array): Omit<ViewChange, 'seq' | 'id' | 'key'> {
    const row: ViewChange['row'][number][] = new Array(this.#width).fill(null);
    const values = this.#decoder.decodeKey(key);
    for (const [i, column] of this.#key.entries()) if (column < this.#width) row[column] = values[i] ?? null;
    return { op: 'delete', row, rowtime: 0 };
  }

  #present(value: Uint8Array): Omit<ViewChange, 'seq' | 'id' | 'key'> {
    const { row, rowtime } = this.#decoder.decode(value);
    return { op: this.#append ? 'insert' : 'upsert', row: row.slice(0, this.#width), rowtime };
  }

  #keyText(row: ViewChange['row']): string {
    return this.#key.map(column => encodeURIComponent(String(row[column] ?? ''))).join('/');
  }
}
