import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { typeText } from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import { createRegistry } from '../../../src/expr/function-registry.ts';
import { builtInFunctions } from '../../../src/expr/functions/built-in.ts';
import { typeOf } from './golden-values.ts';

/**
 * Functions with names of standard SQL against DuckDB on random arguments. Left out where DuckDB itself differs from
 * PostgreSQL: DATE_TRUNC of centuries (it begins them in the year 00), SUBSTR from positions below 1.
 */
const seed = Number(process.env.MILLRACE_SEED ?? 20_261_124);
const registry = createRegistry(builtInFunctions);

/** A generator of integers in [0, n); Park and Miller's. */
function generator(start: number): (n: number) => number {
  let state = (start % 2_147_483_646) + 1;
  return n => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
}

type Random = (n: number) => number;
const ALPHABET = [...'aab-, é😀Xz'];

const draw = {
  text: (random: Random) =>
    Array.from({ length: random(8) }, () => ALPHABET[random(ALPHABET.length)]).join(''),
  chars: (random: Random) =>
    Array.from({ length: 1 + random(2) }, () => ALPHABET[random(ALPHABET.length)]).join(''),
  small: (random: Random) => random(13) - 4,
  position: (random: Random) => random(10) + 1,
  nonZero: (random: Random) => (random(2) === 0 ? 1 : -1) * (1 + random(4)),
  /** years 1 to 2900, also before 1970, to the millisecond */
  instant: (random: Random) => random(2_147_483_647) * 42_000 + random(42_000) - 6.2e13,
  factor: (random: Random) => (random(20_001) - 10_000) / 100,
};

interface Check {
  readonly fn: string;
  readonly args: readonly string[];
  readonly returns: string;
  readonly draw: readonly ((random: Random) => string | number)[];
  /** the call in DuckDB's SQL over the arguments $1, $2, ... */
  readonly sql: string;
}

const strings: readonly Check[] = [
  { fn: 'LENGTH', args: ['STRING'], returns: 'INT', draw: [draw.text], sql: 'length($1)' },
  { fn: 'OCTET_LENGTH', args: ['STRING'], returns: 'INT', draw: [draw.text], sql: 'strlen($1)' },
  {
    fn: 'LEFT',
    args: ['STRING', 'INT'],
    returns: 'STRING',
    draw: [draw.text, draw.small],
    sql: 'left($1, $2)',
  },
  {
    fn: 'RIGHT',
    args: ['STRING', 'INT'],
    returns: 'STRING',
    draw: [draw.text, draw.small],
    sql: 'right($1, $2)',
  },
  {
    fn: 'SUBSTR',
    args: ['STRING', 'INT', 'INT'],
    returns: 'STRING',
    draw: [draw.text, draw.position, draw.position],
    sql: 'substr($1, $2, $3)',
  },
  {
    fn: 'STRPOS',
    args: ['STRING', 'STRING'],
    returns: 'INT',
    draw: [draw.text, draw.chars],
    sql: 'strpos($1, $2)',
  },
  {
    fn: 'LTRIM',
    args: ['STRING', 'STRING'],
    returns: 'STRING',
    draw: [draw.text, draw.chars],
    sql: 'ltrim($1, $2)',
  },
  {
    fn: 'RTRIM',
    args: ['STRING', 'STRING'],
    returns: 'STRING',
    draw: [draw.text, draw.chars],
    sql: 'rtrim($1, $2)',
  },
  {
    fn: 'BTRIM',
    args: ['STRING', 'STRING'],
    returns: 'STRING',
    draw: [draw.text, draw.chars],
    sql: 'trim($1, $2)',
  },
  {
    fn: 'STARTS_WITH',
    args: ['STRING', 'STRING'],
    returns: 'BOOLEAN',
    draw: [draw.text, draw.chars],
    sql: 'starts_with($1, $2)',
  },
  {
    fn: 'SPLIT_PART',
    args: ['STRING', 'STRING', 'INT'],
    returns: 'STRING',
    draw: [draw.text, draw.chars, draw.nonZero],
    sql: 'split_part($1, $2, $3)',
  },
  {
    fn: 'REPLACE',
    args: ['STRING', 'STRING', 'STRING'],
    returns: 'STRING',
    draw: [draw.text, draw.chars, draw.text],
    sql: 'replace($1, $2, $3)',
  },
  { fn: 'UPPER', args: ['STRING'], returns: 'STRING', draw: [draw.text], sql: 'upper($1)' },
  { fn: 'MD5', args: ['STRING'], returns: 'STRING', draw: [draw.text], sql: 'md5($1)' },
  {
    fn: 'GREATEST',
    args: ['STRING', 'STRING'],
    returns: 'STRING',
    draw: [draw.text, draw.text],
    sql: 'greatest($1, $2)',
  },
  {
    fn: 'LEAST',
    args: ['STRING', 'STRING'],
    returns: 'STRING',
    draw: [draw.text, draw.text],
    sql: 'least($1, $2)',
  },
];

const PARTS =
  'year month day hour minute milliseconds quarter week doy dow isodow isoyear decade century millennium epoch';
const UNITS = 'second minute hour day week month quarter year decade';

const times: readonly Check[] = [
  ...PARTS.split(' ').map(part => ({
    fn: 'EXTRACT',
    args: ['STRING', 'TIMESTAMP'],
    returns: 'DOUBLE',
    draw: [() => part, draw.instant],
    sql: `date_part('${part}', make_timestamp($2 * 1000))`,
  })),
  ...UNITS.split(' ').map(unit => ({
    fn: 'DATE_TRUNC',
    args: ['STRING', 'TIMESTAMP'],
    returns: 'TIMESTAMP',
    draw: [() => unit, draw.instant],
    sql: `epoch_ms(date_trunc('${unit}', make_timestamp($2 * 1000)))`,
  })),
  ...['month', 'year', 'week', 'day', 'hour'].map(unit => ({
    fn: 'TIMESTAMPADD',
    args: ['STRING', 'INT', 'TIMESTAMP'],
    returns: 'TIMESTAMP',
    draw: [() => unit, draw.small, draw.instant],
    sql: `epoch_ms(make_timestamp($3 * 1000) + to_${unit}s($2))`,
  })),
];

const numbers: readonly Check[] = [
  ...['ceil', 'floor', 'abs'].map(fn => ({
    fn: fn.toUpperCase(),
    args: ['DOUBLE'],
    returns: 'DOUBLE',
    draw: [draw.factor],
    sql: `${fn}($1)`,
  })),
  { fn: 'TRUNC', args: ['DOUBLE'], returns: 'BIGINT', draw: [draw.factor], sql: 'trunc($1)' },
  { fn: 'SIGN', args: ['DOUBLE'], returns: 'INT', draw: [draw.factor], sql: 'sign($1)' },
  { fn: 'MOD', args: ['INT', 'INT'], returns: 'INT', draw: [draw.small, draw.nonZero], sql: '$1 % $2' },
];

const ctx = { now: 0, rowtime: 0, seq: 0, zone: 'UTC', fail: () => null };

function sqlLiteral(value: string | number): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : `(${value})`;
}

function comparable(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

describe.each([
  ['strings', strings],
  ['times', times],
  ['numbers', numbers],
] as const)(`%s as DuckDB has them (seed ${seed})`, (_, checks) => {
  it.each(checks.map(c => [c.sql, c] as const))('%s', async (_, check) => {
    const random = generator(seed);
    const rows = Array.from({ length: 200 }, () => check.draw.map(d => d(random)));
    const types = check.args.map(typeOf);
    const evaluate = registry.scalar(check.fn, types, typeOf(check.returns), 0);
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const calls = rows.map(row => {
      return check.sql.replace(/\$(\d)/g, (_, i: string) => {
        const text = sqlLiteral(row[Number(i) - 1] ?? '');
        return typeText(types[Number(i) - 1] ?? typeOf('STRING')) === 'DOUBLE'
          ? `${text}::DOUBLE`
          : text.replace(/^\((-?\d+)\)$/, '($1)::BIGINT');
      });
    });
    const answer = await connection.runAndReadAll(`SELECT unnest([${calls.join(', ')}])`);
    const theirs = answer.getRows().map(r => comparable(r[0]));
    const ours = rows.map(row => comparable(evaluate(row as Value[], ctx)));
    for (const [i, row] of rows.entries()) expect({ row, is: ours[i] }).toEqual({ row, is: theirs[i] });
    connection.closeSync();
  });
});
