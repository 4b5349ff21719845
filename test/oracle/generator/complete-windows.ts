import type { SqlColumn } from './complete-sql.ts';
import type { Random } from './random.ts';

export interface WindowInput {
  /** columns as they are written */
  readonly columns: readonly { readonly text: string; readonly type: SqlColumn['type'] }[];
}

export interface WindowResult {
  readonly sql: string;
  readonly type: SqlColumn['type'];
  /** equal rows have different results, by their place: two of these need not go together in the same way */
  readonly placed: boolean;
}

/** Results of window functions that do not depend on the order in which equal rows came; at most one is placed. */
export function randomWindows(random: Random, input: WindowInput, count: number): readonly WindowResult[] {
  const results: WindowResult[] = [];
  while (results.length < count) {
    const result = randomWindow(random, input);
    if (!result.placed || !results.some(r => r.placed)) results.push(result);
  }
  return results;
}

function randomWindow(random: Random, { columns }: WindowInput): WindowResult {
  // of a descending order DuckDB has NULLs last where PostgreSQL and we have them first, unless it is written
  const ways = ['', ' NULLS FIRST', ' NULLS LAST', ' DESC NULLS FIRST', ' DESC NULLS LAST'];
  const by = (text: string) => `${text}${random.of(ways)}`;
  const partition = random.chance(0.6) ? `PARTITION BY ${random.of(columns).text} ` : '';
  // rows that all columns do not tell apart are equal, whichever comes first
  const total = `${partition}ORDER BY ${random
    .shuffled(columns)
    .map(c => by(c.text))
    .join(', ')}`;
  const some = `${partition}ORDER BY ${by(random.of(columns).text)}`;
  const { text, type } = random.of(columns);
  const other = random.of(columns.filter(c => c.type === type));
  const count = (sql: string, placed = false) => ({
    sql: `CAST(${sql} AS BIGINT)`,
    type: 'BIGINT' as const,
    placed,
  });
  const n = random.int(0, 2);
  const [aggregate, any] = randomOver(random, text, type);
  const framed = { sql: '', type: any, placed: false };
  const rows = random.of([
    'ROWS UNBOUNDED PRECEDING',
    `ROWS ${random.int(0, 3)} PRECEDING`,
    `ROWS BETWEEN ${random.int(0, 2)} PRECEDING AND ${random.int(0, 2)} FOLLOWING`,
    'ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
    `ROWS BETWEEN ${random.int(1, 2)} FOLLOWING AND 3 FOLLOWING`,
    `ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING`,
  ]);
  const ranges = random.of([
    '',
    ' RANGE UNBOUNDED PRECEDING',
    ' RANGE BETWEEN CURRENT ROW AND CURRENT ROW',
    ' RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
    ' RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
  ]);
  const bounds = random.of([
    `${random.int(0, 3)} PRECEDING`,
    `BETWEEN ${random.int(0, 3)} PRECEDING AND ${random.int(0, 3)} FOLLOWING`,
    `BETWEEN ${random.int(1, 2)} FOLLOWING AND UNBOUNDED FOLLOWING`,
    `BETWEEN UNBOUNDED PRECEDING AND ${random.int(0, 2)} PRECEDING`,
    `BETWEEN ${random.int(2, 4)} PRECEDING AND CURRENT ROW`,
  ]);
  const numbers = columns.filter(c => c.type !== 'STRING');
  // far from the ends of BIGINT, beyond which DuckDB does not go
  const number = numbers.length === 0 ? '1' : `(${random.of(numbers).text} % 9)`;
  const near = `${partition}ORDER BY ${by(number)} RANGE ${bounds}`;
  return random.of([
    { ...framed, sql: aggregate(`OVER (${near})`) },
    { ...framed, sql: aggregate(`OVER (${some} GROUPS ${bounds})`) },
    count(`ROW_NUMBER() OVER (${total})`, true),
    count(`RANK() OVER (${some})`),
    count(`DENSE_RANK() OVER (${some})`),
    count(`NTILE(${random.int(1, 4)}) OVER (${total})`, true),
    count(`FLOOR(PERCENT_RANK() OVER (${some}) * 1000 + 0.3137)`),
    count(`FLOOR(CUME_DIST() OVER (${some}) * 1000 + 0.3137)`),
    {
      sql: `${random.of(['LAG', 'LEAD'])}(${text}${random.of(['', `, ${n}`, `, 2, ${other?.text ?? text}`])}) OVER (${total})`,
      type,
      placed: true,
    },
    {
      sql: `${random.of(['FIRST_VALUE', 'LAST_VALUE'])}(${text}) OVER (${total} ${rows})`,
      type,
      placed: true,
    },
    {
      sql: `NTH_VALUE(${text}, ${random.int(1, 3)}) OVER (${total}${random.of(['', ` ${rows}`])})`,
      type,
      placed: true,
    },
    { ...framed, sql: aggregate(`OVER (${total} ${rows})`), placed: true },
    { ...framed, sql: aggregate(`OVER (${some}${ranges})`) },
    { ...framed, sql: aggregate(`OVER (${partition.trim()})`) },
  ]);
}

type Over = (over: string) => string;

function randomOver(
  random: Random,
  text: string,
  type: SqlColumn['type'],
): readonly [Over, SqlColumn['type']] {
  const filter = random.chance(0.2) ? ` FILTER (WHERE ${text} ${type === 'STRING' ? "> 'a'" : '> 0'})` : '';
  const small = `CASE WHEN ${text} BETWEEN -10 AND 10 THEN ${text} END`;
  const counts: readonly Over[] = [
    over => `COUNT(*)${filter} ${over}`,
    over => `COUNT(${text})${filter} ${over}`,
    ...(type === 'STRING'
      ? []
      : [
          (over: string) => `CAST(SUM(${text})${filter} ${over} AS BIGINT)`,
          (over: string) => `CAST(FLOOR(AVG(${small})${filter} ${over} * 1000 + 0.3137) AS BIGINT)`,
        ]),
  ];
  const same: readonly Over[] = [
    over => `MIN(${text})${filter} ${over}`,
    over => `MAX(${text})${filter} ${over}`,
  ];
  return random.chance(0.6) ? [random.of(counts), 'BIGINT'] : [random.of(same), type];
}
