import type { DatePart, TimeUnit } from '../ast.ts';
import type { Token } from '../lexer.ts';
import { closest } from '../suggest.ts';

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}

/**
 * Words that never name a column or a source unless quoted. Fewer than ksqlDB's own: what the grammar can tell apart
 * by its place (SIZE, TOPIC, STREAM, COUNT, KEY, DATE, ...) stays free to be a name.
 */
export const RESERVED = words(`
  SELECT ALL FROM WHERE GROUP BY HAVING AS ON JOIN INNER LEFT RIGHT FULL OUTER CROSS AND OR NOT IN IS NULL TRUE FALSE
  BETWEEN LIKE CASE WHEN THEN ELSE END CAST DISTINCT WINDOW WITHIN WITH INSERT INTO VALUES CREATE DROP LIMIT EXISTS
  UNION INTERSECT EXCEPT
`);

/** Words that begin a statement. */
export const STATEMENT_STARTERS = words(`
  SELECT CREATE INSERT DROP ALTER ASSERT ADVANCE DEFINE UNDEFINE SET UNSET EXPLAIN SHOW LIST DESCRIBE PRINT PAUSE
  RESUME TERMINATE RUN WITH VALUES
`);

/** Starters that cannot begin or continue anything inside a statement: a semicolon is missing before them. */
export const HARD_STARTERS = words('CREATE INSERT DROP');

/** Every word with a meaning somewhere; misspelt words are compared with these. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  ...RESERVED,
  ...STATEMENT_STARTERS,
  ...words(`
    STREAM TABLE VIEW SOURCE TYPE REPLACE IF KEY PRIMARY HEADERS HEADER PARTITION EMIT CHANGES FINAL CLOSE AFTER
    TUMBLING HOPPING SESSION SIZE ADVANCE RETENTION GRACE PERIOD ORDER OFFSET ASC DESC NULLS FIRST LAST USING FILTER
    OVER GROUPING SETS ROLLUP CUBE ARRAY MAP STRUCT DATE TIME TIMESTAMP INTERVAL ZONE AT ESCAPE TOPIC SCHEMA TIMEOUT
    COLUMN ADD DELETE CLOCK TO CONNECTOR TABLES STREAMS TOPICS
  `),
]);

/** Words that begin a clause of a query: an open parenthesis was forgotten when one follows. */
export const CLAUSE_STARTS = words('FROM WHERE GROUP HAVING WINDOW UNION INTERSECT EXCEPT LIMIT');

const CLAUSES = [
  'FROM',
  'WHERE',
  'GROUP BY',
  'HAVING',
  'WINDOW',
  'ORDER BY',
  'PARTITION BY',
  'EMIT',
  'LIMIT',
  'JOIN',
  'WITHIN',
];

/** The clause that a word was meant to begin when it was taken for a name: `SELECT a FORM t`. */
export function misspeltClause(word: Token): string | null {
  const { upper } = word;
  if (CLAUSES.includes(upper) || upper.length < 3) return null;
  return (
    CLAUSES.find(c => c.startsWith(`${upper} `) || c.replace(' ', '') === upper) ?? closest(upper, CLAUSES)
  );
}

const UNITS: Readonly<Record<string, TimeUnit>> = Object.fromEntries(
  (['MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'] as const).flatMap(
    unit => [
      [unit, unit],
      [`${unit}S`, unit],
    ],
  ),
);

/** DAY and DAYS are the same unit; null when the word is none. */
export function timeUnit(upper: string): TimeUnit | null {
  return Object.hasOwn(UNITS, upper) ? (UNITS[upper] ?? null) : null;
}

const DATE_PARTS: readonly DatePart[] = [
  'MILLENNIUM',
  'CENTURY',
  'DECADE',
  'YEAR',
  'ISOYEAR',
  'QUARTER',
  'MONTH',
  'WEEK',
  'DAY',
  'DOY',
  'DOW',
  'ISODOW',
  'JULIAN',
  'HOUR',
  'MINUTE',
  'SECOND',
  'MILLISECONDS',
  'MICROSECONDS',
  'EPOCH',
];

/** The part of a date or time of this name, in the singular or plural; null when the word is none. */
export function datePart(upper: string): DatePart | null {
  return DATE_PARTS.find(part => part === upper || `${part}S` === upper || part === `${upper}S`) ?? null;
}

const UNIT_MS: Partial<Record<TimeUnit, number>> = {
  MILLISECOND: 1,
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: 86_400_000,
  WEEK: 7 * 86_400_000,
};

/** Length of a unit in ms, or null for those whose length varies. */
export function unitMilliseconds(unit: TimeUnit): number | null {
  return UNIT_MS[unit] ?? null;
}

/** Functions whose first argument is a unit of time: there `DAY` is the unit and not a column. */
const UNIT_FIRST = /^(TIMESTAMP|DATE|TIME)_?(ADD|SUB|DIFF|TRUNC)$/;

/** @param name upper-case name of a function */
export function takesUnitFirst(name: string): boolean {
  return UNIT_FIRST.test(name);
}
