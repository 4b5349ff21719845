import type { SqlColumn } from './complete-sql.ts';
import type { Random } from './random.ts';

/** Where both sides say the same in other words; see {@link spelled}. */
export function either(millrace: string, duckdb: string): string {
  return `⟦${millrace}¦${duckdb}⟧`;
}

/** The text for one side; choices may stand in choices. */
export function spelled(sql: string, side: 'millrace' | 'duckdb'): string {
  const inner = /⟦([^⟦⟧¦]*)¦([^⟦⟧¦]*)⟧/g;
  const next = sql.replaceAll(inner, side === 'millrace' ? '$1' : '$2');
  return next === sql ? sql : spelled(next, side);
}

export interface Aggregated {
  readonly sql: string;
  readonly type: SqlColumn['type'];
}

const order = (random: Random): string => random.of(['', ' DESC']);
const nulls = (random: Random): string => random.of([' NULLS FIRST', ' NULLS LAST']);

/** An aggregate whose result does not depend on the order in which equal values came. */
export function randomAggregate(random: Random, text: string, type: SqlColumn['type']): Aggregated {
  const count = (sql: string): Aggregated => ({ sql, type: 'BIGINT' });
  if (random.chance(0.55)) {
    if (type === 'INT' && random.chance(0.4)) return { sql: `MAX(${text})`, type };
    return random.of([
      count('COUNT(*)'),
      count(`COUNT(${text})`),
      count(`COUNT(DISTINCT ${text})`),
      { sql: `MIN(${text})`, type },
    ]);
  }
  const distinct = random.of(['', 'DISTINCT ']);
  const by = `${text}${order(random)}`;
  // DuckDB marks a descending order by the sign of the part, which 0 has not
  const part = `(${random.of(by === text ? ['0', ...PARTS] : PARTS)})`;
  const any: readonly Aggregated[] = [
    { sql: `(ARRAY_AGG(${distinct}${text} ORDER BY ${by}${nulls(random)}))[${random.int(1, 3)}]`, type },
    { sql: `PERCENTILE_DISC${part} WITHIN GROUP (ORDER BY ${by})`, type },
    { sql: `MODE() WITHIN GROUP (ORDER BY ${by})`, type },
    { sql: either(`TOPK(${text}, 2)[2]`, `max(${text}, 2)[2]`), type },
    count(
      either(
        `CAST(ARRAY_LENGTH(COLLECT_SET(${text})) AS BIGINT)`,
        `count(DISTINCT ${text}) + coalesce(max(CASE WHEN ${text} IS NULL THEN 1 ELSE 0 END), 0)`,
      ),
    ),
    count(either(`CAST(ARRAY_LENGTH(COLLECT_LIST(${text})) AS BIGINT)`, 'count(*)')),
  ];
  if (type === 'STRING') {
    return random.of([
      ...any,
      { sql: `STRING_AGG(${distinct}${text}, ',' ORDER BY ${by})`, type },
      { sql: `STRING_AGG(${text}, '' ORDER BY ${by})`, type },
      count(either(`HISTOGRAM(${text})['a']`, `nullif(count(*) FILTER (WHERE ${text} = 'a'), 0)`)),
    ]);
  }
  // exact as DOUBLEs; halves would be rounded by the last bit
  const small = `CASE WHEN ${text} BETWEEN -10 AND 10 THEN ${text} END`;
  const scaled = (sql: string) => count(`CAST(FLOOR(${sql} * 1000 + 0.3137) AS BIGINT)`);
  return random.of([
    ...any,
    count(`CAST(SUM(${text}) AS BIGINT)`),
    count(`CAST(PERCENTILE_CONT${part} WITHIN GROUP (ORDER BY ${by}) * ${either('4e0', '4')} AS BIGINT)`),
    count(`CAST(MEDIAN(${text}) * ${either('2e0', '2')} AS BIGINT)`),
    scaled(`VAR_POP(${small})`),
    scaled(`STDDEV_POP(${small})`),
    scaled(`COVAR_POP(${small}, ${small})`),
    scaled(`COVAR_SAMP(${small}, ${small})`),
  ]);
}

const PARTS = ['0.25', '0.5', '0.75', '1'];
