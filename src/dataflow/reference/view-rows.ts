import { type Change, Op } from '../../core/change.ts';
import type { Schema } from '../../core/schema.ts';
import type { Row } from '../../core/value.ts';
import { keyTextOf, rowOrder, rowTextOf } from './key-columns.ts';

export interface ViewRow {
  readonly row: Row;
  readonly rowtime: number;
}

/**
 * The rows of a view as its changes leave them: UPSERT and DELETE by key, ADD and RETRACT as a multiset of whole rows.
 */
export class ViewRows {
  readonly #keyText: (row: Row) => string;
  readonly #rowText: (row: Row) => string;
  readonly #order: (a: Row, b: Row) => number;
  readonly #keyed = new Map<string, ViewRow>();
  readonly #bag = new Map<string, ViewRow[]>();

  constructor(schema: Schema) {
    this.#keyText = keyTextOf(schema);
    this.#rowText = rowTextOf(schema);
    const rest = [...schema.columns.keys()].filter(i => !schema.key.includes(i));
    this.#order = rowOrder(schema, [...schema.key, ...rest]);
  }

  apply({ op, row, rowtime }: Change): void {
    if (op === Op.UPSERT) this.#keyed.set(this.#keyText(row), { row, rowtime });
    else if (op === Op.DELETE) this.#keyed.delete(this.#keyText(row));
    else this.#applyToBag(op, { row, rowtime });
  }

  #applyToBag(op: Op, viewRow: ViewRow): void {
    const text = this.#rowText(viewRow.row);
    const equal = this.#bag.get(text) ?? [];
    if (op === Op.ADD) this.#bag.set(text, [...equal, viewRow]);
    else if (equal.length > 1) this.#bag.set(text, equal.slice(0, -1));
    else this.#bag.delete(text);
  }

  /** in order of the key, then of the other columns; equal rows in order of arrival */
  inOrder(): readonly ViewRow[] {
    return [...this.#keyed.values(), ...[...this.#bag.values()].flat()].sort((a, b) =>
      this.#order(a.row, b.row),
    );
  }
}
