import type { SqlType } from './sql-type.ts';

/** A column of a relation. Names keep the spelling of their declaration. */
export interface Column {
  readonly name: string;
  readonly type: SqlType;
}

/**
 * The columns of a relation in order, and which of them are its key (positions in `columns`).
 * An empty key means: no key is known (a stream without KEY column).
 * A windowed relation carries WINDOWSTART and WINDOWEND (BIGINT, ms) as the last two key columns.
 */
export interface Schema {
  readonly columns: readonly Column[];
  readonly key: readonly number[];
  readonly windowed: boolean;
}
