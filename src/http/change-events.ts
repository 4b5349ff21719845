import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { OpenView, ViewChange } from '../deploy/view-access.ts';
import type { ServerSentEvent } from './event-stream.ts';
import type { RowText } from './ports.ts';
import { type RowFilter, rowMatcher } from './row-filter.ts';
import type { Numbers } from './row-format.ts';

/** What a change means to a subscriber with conditions. */
export interface SeenChange {
  /** names the row */
  readonly id: string;
  readonly data: string;
}

/**
 * The changes of a view as one subscriber sees them. Conditions are those of the subscription: a row that does not meet
 * them (any more) is a deleted row, unless its key alone says that it never could. Rows that have no key of their own
 * are named by `key`, an opaque text.
 */
export class ChangeEvents {
  readonly #keyed: boolean;
  readonly #key: readonly number[];
  readonly #rowJson: (row: Row) => string;
  readonly #keyJson: (row: Row) => string;
  readonly #keyMatches: (row: Row) => boolean;
  readonly #rowMatches: (row: Row) => boolean;

  constructor(view: OpenView, filters: readonly RowFilter[], numbers: Numbers, text: RowText) {
    const { columns, key } = view;
    this.#keyed = key.length > 0;
    this.#key = key;
    this.#rowJson = text.json(columns, numbers);
    this.#keyJson = text.json(
      key.map(i => columns[i] as Column),
      numbers,
    );
    this.#keyMatches = rowMatcher(
      columns,
      filters.filter(f => key.includes(f.column)),
      text,
    );
    this.#rowMatches = rowMatcher(columns, filters, text);
  }

  matches(row: Row): boolean {
    return this.#rowMatches(row);
  }

  rowJson(row: Row): string {
    return this.#rowJson(row);
  }

  /** A row as the snapshot names it, when it has no key of its own. */
  rowKey(key: Uint8Array): string | null {
    return this.#keyed ? null : JSON.stringify(Buffer.from(key).toString('base64url'));
  }

  /** Null: the change means nothing to the subscriber. */
  seen({ op, row, id }: ViewChange): SeenChange | null {
    const key = this.#keyed ? '' : `"key":${JSON.stringify(id)},`;
    if (op !== 'delete' && this.#rowMatches(row)) {
      return { id, data: `"op":"${op}",${key}"row":${this.#rowJson(row)}` };
    }
    if (op === 'insert' || (this.#keyed && !this.#keyMatches(row))) return null;
    return { id, data: `"op":"delete",${key}"row":${this.#keyJson(this.#key.map(i => row[i] ?? null))}` };
  }
}

/**
 * Changes that together bring the subscriber to a position. Only the last event carries it as id: one who has read
 * less than all of them resumes before the first.
 */
export function changeEvents(changes: readonly SeenChange[], position: string): ServerSentEvent[] {
  return changes.map(({ data }, i) => ({
    event: 'change',
    data: `{${data},"position":"${position}"}`,
    id: i === changes.length - 1 ? position : undefined,
  }));
}
