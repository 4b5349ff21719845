import { readdirSync, readFileSync } from 'node:fs';

/**
 * The project's own SQL cases, as data: `test/cases/*.json`, each `{"about", "cases": [SqlCase]}`.
 *
 * Rows are text: values as CAST AS STRING gives them, joined by ` | `, NULL as `~`. A change is a sign and a row:
 * `+` one more, `-` one less, `=` the row of its key is now this, `x` its key has no row (only key columns shown). After
 * `@` stands the event time.
 */
export interface SqlCase {
  readonly name: string;
  readonly statements: readonly string[];
  readonly records?: readonly CaseInput[];
  readonly expect?: CaseExpectation;
  /** the statements are refused with this code, at the text that the place shows */
  readonly error?: { readonly code: string; readonly at?: string };
}

export interface CaseInput {
  /** a tick: moves the clock to this time (ms), nothing else is read */
  readonly tick?: number;
  /** default: `in` */
  readonly topic?: string;
  /** as JSON; text for DELIMITED and KAFKA */
  readonly key?: unknown;
  readonly value?: unknown;
  /** the value's bytes as they are, where JSON cannot say it */
  readonly raw?: string;
  /** event time, ms; default 0 */
  readonly timestamp?: number;
  /** append time, ms; default: that of the record before */
  readonly at?: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export interface CaseExpectation {
  /** per table and view, in order of the key */
  readonly rows: Readonly<Record<string, readonly string[]>>;
  /** per stream, table and view, record by record; a view does not show deletions of rows that are not there */
  readonly changes: Readonly<Record<string, readonly string[]>>;
  /** per view and reason, how many records; nothing when it is not given */
  readonly ledger?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface SqlCaseFile {
  readonly file: string;
  readonly about: string;
  readonly cases: readonly SqlCase[];
}

/** All case files in order of their names. */
export function readCaseFiles(): SqlCaseFile[] {
  const folder = new URL('./', import.meta.url);
  return readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => {
      const { about, cases } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Omit<
        SqlCaseFile,
        'file'
      >;
      return { file: name, about, cases };
    });
}
