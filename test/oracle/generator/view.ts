import { column, type Term } from './term.ts';
import { COLUMNS } from './types.ts';

const BOTH: readonly Term[] = [
  column('k', 'STRING'),
  column('ROWTIME', 'BIGINT'),
  ...COLUMNS.map(c => column(c.name, c.type)),
];

/** The stream, the table, and a table that KSQL derives from the stream. */
export const SOURCES: Readonly<Record<string, readonly Term[]>> = {
  s: BOTH,
  t: BOTH,
  g: [column('k', 'STRING'), column('n', 'BIGINT'), column('c', 'BIGINT'), column('l', 'STRING')],
};

/** A generated view; plain data, so that a shrinker can take parts away. */
export interface View {
  readonly name: string;
  /** a source or a view before it; of a join the left side */
  readonly from: string;
  /** columns are then called `l_NAME` and `r_NAME` */
  readonly join: JoinPart | null;
  /** the view before it has windows: their bounds are shown wherever its rows are */
  readonly overWindows: boolean;
  readonly distinct: boolean;
  readonly items: readonly { readonly name: string; readonly term: Term }[];
  /** the first so many items are all columns of the input: written as * */
  readonly star: number;
  /** conditions joined by AND */
  readonly where: readonly Term[];
  readonly temporal: readonly Temporal[];
  /** null: not grouped; empty: one group of everything */
  readonly group: readonly Term[] | null;
  /** keys that are shown are written as their positions */
  readonly positions: boolean;
  readonly having: Term | null;
  readonly window: Window | null;
}

export interface JoinPart {
  readonly type: 'JOIN' | 'LEFT JOIN' | 'RIGHT JOIN' | 'FULL JOIN';
  readonly right: string;
  /** names of the columns of both sides, without `l_` and `r_` */
  readonly columns: { readonly left: readonly string[]; readonly right: readonly string[] };
  /** equal columns of both sides */
  readonly pairs: readonly (readonly [left: Term, right: Term])[];
  /** further conditions */
  readonly rest: readonly Term[];
}

/** A comparison with the clock, on both sides. */
export interface Temporal {
  readonly column: string;
  readonly millrace: string;
  readonly duckdb: string;
}

/** ms. Sessions have a grace so long that nothing is late. */
export interface Window {
  readonly type: 'tumbling' | 'hopping' | 'session';
  /** of a session the gap that ends it */
  readonly size: number;
  readonly advance: number;
  readonly grace: number;
  /** EMIT FINAL: closed ones only */
  readonly final: boolean;
}
