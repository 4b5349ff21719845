import {
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  INT,
  type SqlType,
  STRING,
  TIME,
  TIMESTAMP,
  typeText,
} from '../../../src/core/sql-type.ts';
import { COUNTS, INTS, MONEY, PAIR, SCALARS, STRINGS, WIDE } from './types.ts';

/** What is no function: operators, predicates, casts, parts of values. `T` is the wanted type. */
export interface Template {
  readonly type: SqlType | 'T';
  readonly sql: string;
  readonly args: readonly (SqlType | 'T')[];
}

const NUMBERS = [INT, BIGINT, MONEY, WIDE, DOUBLE];

const arithmetic: readonly Template[] = NUMBERS.flatMap(type =>
  ['+', '-', '*', '/', '%'].map(op => ({ type, sql: `($0 ${op} $1)`, args: [type, type] })),
);

const mixed: readonly Template[] = [
  { type: BIGINT, sql: '($0 + $1)', args: [BIGINT, INT] },
  { type: MONEY, sql: '($0 * $1)', args: [MONEY, INT] },
  { type: DOUBLE, sql: '($0 / $1)', args: [DOUBLE, MONEY] },
  { type: WIDE, sql: '($0 - $1)', args: [WIDE, BIGINT] },
  ...NUMBERS.map(type => ({ type, sql: '(- $0)', args: [type] })),
  { type: STRING, sql: '($0 || $1)', args: [STRING, STRING] },
  { type: STRING, sql: '($0 + $1)', args: [STRING, STRING] },
];

const comparisons: readonly Template[] = SCALARS.flatMap(type => [
  ...['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'].map(op => ({
    type: BOOLEAN,
    sql: `($0 ${op} $1)`,
    args: [type, type],
  })),
  { type: BOOLEAN, sql: '($0 BETWEEN $1 AND $2)', args: [type, type, type] },
  { type: BOOLEAN, sql: '($0 IN ($1, $2))', args: [type, type, type] },
  { type: BOOLEAN, sql: '($0 NOT IN ($1, $2))', args: [type, type, type] },
  { type: BOOLEAN, sql: '($0 IS NULL)', args: [type] },
  { type: BOOLEAN, sql: '($0 IS NOT NULL)', args: [type] },
]);

const predicates: readonly Template[] = [
  { type: BOOLEAN, sql: '($0 AND $1)', args: [BOOLEAN, BOOLEAN] },
  { type: BOOLEAN, sql: '($0 OR $1)', args: [BOOLEAN, BOOLEAN] },
  { type: BOOLEAN, sql: '(NOT $0)', args: [BOOLEAN] },
  { type: BOOLEAN, sql: '($0 < $1)', args: [INT, MONEY] },
  { type: BOOLEAN, sql: '($0 >= $1)', args: [BIGINT, DOUBLE] },
  { type: BOOLEAN, sql: '($0 = $1)', args: [INT, BIGINT] },
  { type: BOOLEAN, sql: "($0 LIKE 'k%')", args: [STRING] },
  { type: BOOLEAN, sql: "($0 NOT LIKE '_1')", args: [STRING] },
  { type: BOOLEAN, sql: '($0 = $1)', args: [INTS, INTS] },
  { type: BOOLEAN, sql: '($0 IS NULL)', args: [COUNTS] },
];

const casts: readonly Template[] = (
  [
    [INT, [BIGINT, MONEY, DOUBLE, STRING]],
    [BIGINT, [INT, MONEY, DOUBLE, STRING]],
    [MONEY, [INT, BIGINT, DOUBLE, STRING, WIDE]],
    [WIDE, [INT, BIGINT, MONEY, STRING]],
    [DOUBLE, [INT, BIGINT, MONEY, STRING]],
    [STRING, [INT, BIGINT, MONEY, DOUBLE, BOOLEAN, DATE, TIME, TIMESTAMP, INTS, COUNTS, PAIR]],
    [BOOLEAN, [STRING]],
    [DATE, [TIMESTAMP, STRING]],
    [TIME, [TIMESTAMP, STRING]],
    [TIMESTAMP, [DATE, STRING]],
    [STRINGS, [INTS]],
  ] as const satisfies readonly (readonly [SqlType, readonly SqlType[]])[]
).flatMap(([type, from]) =>
  (from as readonly SqlType[]).map(arg => ({ type, sql: `CAST($0 AS ${typeText(type)})`, args: [arg] })),
);

const parts: readonly Template[] = [
  { type: INT, sql: '$0[$1]', args: [INTS, INT] },
  { type: STRING, sql: '$0[$1]', args: [STRINGS, INT] },
  { type: INT, sql: "$0['a']", args: [COUNTS] },
  { type: INT, sql: '$0[$1]', args: [COUNTS, STRING] },
  { type: INT, sql: '$0->A', args: [PAIR] },
  { type: STRING, sql: '$0->C', args: [PAIR] },
  { type: INTS, sql: 'ARRAY[$0, $1]', args: [INT, INT] },
  { type: STRINGS, sql: 'ARRAY[$0]', args: [STRING] },
  { type: COUNTS, sql: 'MAP($0 := $1)', args: [STRING, INT] },
  { type: PAIR, sql: 'STRUCT(A := $0, C := $1)', args: [INT, STRING] },
  { type: INTS, sql: 'TRANSFORM($0, x => x + $1)', args: [INTS, INT] },
  { type: STRINGS, sql: 'TRANSFORM($0, x => CAST(x AS STRING) + $1)', args: [INTS, STRING] },
  { type: INTS, sql: 'FILTER($0, x => x > $1)', args: [INTS, INT] },
  { type: INT, sql: 'REDUCE($0, $1, (s, x) => s + x)', args: [INTS, INT] },
  { type: COUNTS, sql: 'TRANSFORM($0, (k, v) => UCASE(k), (k, v) => v + $1)', args: [COUNTS, INT] },
  { type: COUNTS, sql: 'FILTER($0, (k, v) => v > $1)', args: [COUNTS, INT] },
];

const choices: readonly Template[] = [
  { type: 'T', sql: '(CASE WHEN $0 THEN $1 ELSE $2 END)', args: [BOOLEAN, 'T', 'T'] },
  { type: 'T', sql: '(CASE WHEN $0 THEN $1 WHEN $2 THEN $3 END)', args: [BOOLEAN, 'T', BOOLEAN, 'T'] },
  { type: 'T', sql: '(CASE $0 WHEN 1 THEN $1 ELSE $2 END)', args: [INT, 'T', 'T'] },
  { type: 'T', sql: 'COALESCE($0, $1)', args: ['T', 'T'] },
  { type: 'T', sql: 'NULLIF($0, $1)', args: ['T', 'T'] },
  { type: 'T', sql: 'IFNULL($0, $1)', args: ['T', 'T'] },
];

export const TEMPLATES: readonly Template[] = [
  ...arithmetic,
  ...mixed,
  ...comparisons,
  ...predicates,
  ...casts,
  ...parts,
  ...choices,
];
