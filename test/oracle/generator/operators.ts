import { decimal, decimalParts, duckdbType, type Kind, kindOf, type Type } from './types.ts';

/** What an operator takes: a kind, any one type (`SAME` as the result), or a small whole number written out. */
export type Argument = Kind | 'SAME' | 'SMALL' | 'POSITIVE';

export interface Operator {
  readonly args: readonly Argument[];
  readonly result: Kind | 'SAME';
  /** the exact type of a DECIMAL result; null: not with these arguments */
  readonly type?: (args: readonly Type[]) => Type | null;
  readonly sql: (...args: string[]) => string;
  /** Where DuckDB says the same in other words; `types`: of the arguments, then of the result. */
  readonly duckdb?: (args: readonly string[], types: readonly Type[]) => string;
}

type Table = Readonly<Record<string, Operator>>;

const infix =
  (op: string) =>
  (a: string = '', b: string = ''): string =>
    `(${a} ${op} ${b})`;
const call =
  (name: string) =>
  (...args: string[]): string =>
    `${name}(${args.join(', ')})`;

// ---- The rewrite table: every place where DuckDB differs from PostgreSQL or from what Millrace documents. ----

/** PostgreSQL raises "out of range" where Millrace gives NULL; DuckDB raises too: computed wide, then tried. */
const narrowed =
  (op: string) =>
  ([a, b]: readonly string[], types: readonly Type[]): string =>
    `TRY_CAST(${a}::HUGEINT ${op} ${b}::HUGEINT AS ${duckdbType(types.at(-1) ?? '')})`;

/** `/` on whole numbers is DOUBLE in DuckDB, a whole number in PostgreSQL: `//`. By zero: NULL for both of us. */
const quotient = narrowed('//');

/** Exact: DuckDB would keep DECIMAL products at 18 digits, and fail where they are longer. */
const wideDecimals =
  (op: string) =>
  ([a, b]: readonly string[], types: readonly Type[]): string => {
    const wide = (text: string | undefined, type: Type) =>
      `CAST(${text} AS ${decimal(38, kindOf(type) === 'DECIMAL' ? decimalParts(type).scale : 0)})`;
    return `CAST(${wide(a, types[0] ?? '')} ${op} ${wide(b, types[1] ?? '')} AS ${types[2]})`;
  };

/** DECIMAL / DECIMAL is DOUBLE in DuckDB; exact and half up here (macro `divided`). */
const decimalQuotient = ([a, b]: readonly string[], [x, y, z]: readonly Type[]): string => {
  const [sa, sb, sz] = [x, y, z].map(type => decimalParts(type ?? '').scale) as [number, number, number];
  return `CAST(divided(unscaled(${a}) * ${10n ** BigInt(sz - sa + sb)}::HUGEINT, unscaled(${b})) AS DECIMAL(38, 0))
    * CAST('1e-${sz}' AS ${decimal(sz + 1, sz)})`;
};

/** Text that stands for a number, as PostgreSQL reads it; DuckDB also takes '1.5' for an INT, and rounds it. */
const wholeFromText = ([a]: readonly string[], types: readonly Type[]): string =>
  `CASE WHEN regexp_full_match(trim(${a}), '[+-]?[0-9]+') THEN TRY_CAST(trim(${a}) AS ${duckdbType(types[1] ?? '')}) END`;

/** Out of range is an error in PostgreSQL and DuckDB, NULL here. */
const tried = ([a]: readonly string[], types: readonly Type[]): string =>
  `TRY_CAST(${a} AS ${duckdbType(types[1] ?? '')})`;

/** Text of a TIMESTAMP is ISO with a T and milliseconds. */
const timestampText = ([a]: readonly string[]): string => `strftime(${a}, '%Y-%m-%dT%H:%M:%S.%g')`;

/** A DATE plus an interval is a TIMESTAMP in all three; DuckDB's EXTRACT gives BIGINT, ours DOUBLE. */
const extracted =
  (part: string) =>
  ([a]: readonly string[]): string =>
    `CAST(EXTRACT(${part} FROM ${a}) AS DOUBLE)`;

/** Lengths and positions are BIGINT in DuckDB, INT in PostgreSQL. */
const asInt =
  (name: string) =>
  (args: readonly string[]): string =>
    `CAST(${name}(${args.join(', ')}) AS INTEGER)`;

const same = (...types: readonly Type[]): Type | null => types[0] ?? null;

function whole(kind: 'INT' | 'BIGINT'): Table {
  return {
    [`${kind} +`]: { args: [kind, kind], result: kind, sql: infix('+'), duckdb: narrowed('+') },
    [`${kind} -`]: { args: [kind, kind], result: kind, sql: infix('-'), duckdb: narrowed('-') },
    [`${kind} *`]: { args: [kind, kind], result: kind, sql: infix('*'), duckdb: narrowed('*') },
    [`${kind} /`]: { args: [kind, kind], result: kind, sql: infix('/'), duckdb: quotient },
    [`${kind} %`]: { args: [kind, kind], result: kind, sql: infix('%'), duckdb: narrowed('%') },
    [`${kind} negated`]: {
      args: [kind],
      result: kind,
      sql: a => `(- ${a})`,
      duckdb: ([a], types) => `TRY_CAST(-(${a}::HUGEINT) AS ${duckdbType(types[1] ?? '')})`,
    },
    [`${kind} sign`]: {
      args: [kind],
      result: 'INT',
      sql: call('SIGN'),
      duckdb: asInt('SIGN'),
    },
    [`${kind} mod`]: { args: [kind, kind], result: kind, sql: call('MOD'), duckdb: narrowed('%') },
    [`${kind} abs`]: {
      args: [kind],
      result: kind,
      sql: call('ABS'),
      duckdb: ([a], types) => `TRY_CAST(ABS(${a}::HUGEINT) AS ${duckdbType(types[1] ?? '')})`,
    },
    [`${kind} from text`]: {
      args: ['STRING'],
      result: kind,
      sql: a => `CAST(${a} AS ${kind})`,
      duckdb: wholeFromText,
    },
    [`${kind} from decimal`]: {
      args: ['DECIMAL'],
      result: kind,
      sql: a => `CAST(${a} AS ${kind})`,
      duckdb: tried,
    },
    [`${kind} from double`]: {
      args: ['DOUBLE'],
      result: kind,
      sql: a => `CAST(${a} AS ${kind})`,
      duckdb: tried,
    },
  };
}

const decimalResult = (op: '+' | '*') => (args: readonly Type[]) => {
  const [a, b] = args.map(type => decimalParts(type));
  if (!a || !b) return null;
  const scale = op === '*' ? a.scale + b.scale : Math.max(a.scale, b.scale);
  const integral =
    op === '*'
      ? a.precision - a.scale + b.precision - b.scale + 1
      : Math.max(a.precision - a.scale, b.precision - b.scale) + 1;
  return integral + scale <= 30 ? decimal(integral + scale, scale) : null;
};

const decimals: Table = {
  'decimal +': {
    args: ['DECIMAL', 'DECIMAL'],
    result: 'DECIMAL',
    type: decimalResult('+'),
    sql: infix('+'),
    duckdb: wideDecimals('+'),
  },
  'decimal -': {
    args: ['DECIMAL', 'DECIMAL'],
    result: 'DECIMAL',
    type: decimalResult('+'),
    sql: infix('-'),
    duckdb: wideDecimals('-'),
  },
  'decimal *': {
    args: ['DECIMAL', 'DECIMAL'],
    result: 'DECIMAL',
    type: decimalResult('*'),
    sql: infix('*'),
    duckdb: wideDecimals('*'),
  },
  'decimal /': {
    args: ['DECIMAL', 'DECIMAL'],
    result: 'DECIMAL',
    type: args => {
      const [a, b] = args.map(type => decimalParts(type));
      if (!a || !b || a.precision > 12 || b.precision > 12) return null;
      const scale = Math.max(6, a.scale + b.precision + 1);
      const precision = a.precision - a.scale + b.scale + scale;
      return precision > 38 ? null : decimal(precision, scale);
    },
    sql: infix('/'),
    duckdb: decimalQuotient,
  },
  'decimal negated': {
    args: ['DECIMAL'],
    result: 'DECIMAL',
    type: args => same(...args),
    sql: a => `(- ${a})`,
  },
  'decimal abs': { args: ['DECIMAL'], result: 'DECIMAL', type: args => same(...args), sql: call('ABS') },
  'decimal round': {
    args: ['DECIMAL'],
    result: 'DECIMAL',
    type: args => {
      const { precision, scale } = decimalParts(args[0] ?? '');
      return precision > 30 ? null : decimal(Math.max(1, precision - scale + (scale > 0 ? 1 : 0)), 0);
    },
    sql: call('ROUND'),
    duckdb: ([a], types) => `CAST(ROUND(${a}) AS ${types[1]})`,
  },
  'decimal round to a place': {
    args: ['DECIMAL'],
    result: 'DECIMAL',
    type: args => {
      const { precision, scale } = decimalParts(args[0] ?? '');
      return precision > 30 ? null : scale > 1 ? decimal(precision - scale + 2, 1) : same(...args);
    },
    sql: a => `ROUND(${a}, 1)`,
    duckdb: ([a], types) => `CAST(ROUND(${a}, 1) AS ${types[1]})`,
  },
  'decimal from int': {
    args: ['INT'],
    result: 'DECIMAL',
    type: () => decimal(14, 3),
    sql: a => `CAST(${a} AS DECIMAL(14, 3))`,
  },
  'decimal from text': {
    args: ['STRING'],
    result: 'DECIMAL',
    type: () => decimal(10, 2),
    sql: a => `CAST(${a} AS DECIMAL(10, 2))`,
    duckdb: ([a]) => `TRY_CAST(trim(${a}) AS DECIMAL(10, 2))`,
  },
  ...Object.fromEntries(
    (['FLOOR', 'CEIL'] as const).map((name): [string, Operator] => [
      `decimal ${name}`,
      {
        args: ['DECIMAL'],
        result: 'DECIMAL',
        // a carry needs a digit in front; the type stays here, in PostgreSQL the scale goes
        type: args => (decimalParts(args[0] ?? '').precision > 30 ? null : same(...args)),
        sql: call(name),
        duckdb: ([a], types) =>
          `TRY_CAST(${name}(CAST(${a} AS ${decimal(38, decimalParts(types[0] ?? '').scale)})) AS ${types[1]})`,
      },
    ]),
  ),
  'decimal rescaled': {
    args: ['DECIMAL'],
    result: 'DECIMAL',
    type: args => (decimalParts(args[0] ?? '').precision > 30 ? null : decimal(34, 1)),
    // both round half away from zero
    sql: a => `CAST(${a} AS DECIMAL(34, 1))`,
  },
};

const doubles: Table = {
  'double +': { args: ['DOUBLE', 'DOUBLE'], result: 'DOUBLE', sql: infix('+') },
  'double -': { args: ['DOUBLE', 'DOUBLE'], result: 'DOUBLE', sql: infix('-') },
  'double *': { args: ['DOUBLE', 'DOUBLE'], result: 'DOUBLE', sql: infix('*') },
  'double from int': { args: ['INT'], result: 'DOUBLE', sql: a => `CAST(${a} AS DOUBLE)` },
  'double abs': { args: ['DOUBLE'], result: 'DOUBLE', sql: call('ABS') },
  // halves go to the even number, in PostgreSQL; away from zero in DuckDB
  'double round': {
    args: ['DOUBLE'],
    result: 'DOUBLE',
    sql: call('ROUND'),
    duckdb: ([a]) => `ROUND_EVEN(${a}, 0)`,
  },
  'double floor': { args: ['DOUBLE'], result: 'DOUBLE', sql: call('FLOOR') },
};

const texts: Table = {
  joined: { args: ['STRING', 'STRING'], result: 'STRING', sql: infix('||') },
  // CONCAT leaves out NULLs in all three
  concat: { args: ['STRING', 'STRING'], result: 'STRING', sql: call('CONCAT') },
  lower: { args: ['STRING'], result: 'STRING', sql: call('LOWER') },
  upper: { args: ['STRING'], result: 'STRING', sql: call('UCASE'), duckdb: args => call('UPPER')(...args) },
  substr: { args: ['STRING', 'POSITIVE', 'SMALL'], result: 'STRING', sql: call('SUBSTR') },
  'substr to the end': { args: ['STRING', 'POSITIVE'], result: 'STRING', sql: call('SUBSTR') },
  left: { args: ['STRING', 'SMALL'], result: 'STRING', sql: call('LEFT') },
  right: { args: ['STRING', 'SMALL'], result: 'STRING', sql: call('RIGHT') },
  btrim: { args: ['STRING'], result: 'STRING', sql: call('BTRIM'), duckdb: args => call('TRIM')(...args) },
  // of an empty text: PostgreSQL and DuckDB leave the string, Java (and so KSQL) writes between all characters
  replace: { args: ['STRING', 'STRING'], result: 'STRING', sql: (a, b) => `REPLACE(${a}, 'a', ${b})` },
  'concat with separator': {
    args: ['STRING', 'STRING', 'STRING'],
    result: 'STRING',
    sql: call('CONCAT_WS'),
  },
  'split part': {
    args: ['STRING', 'POSITIVE'],
    result: 'STRING',
    sql: (a, n) => `SPLIT_PART(${a}, 'a', ${n})`,
  },
  ltrim: { args: ['STRING'], result: 'STRING', sql: call('LTRIM') },
  rtrim: { args: ['STRING'], result: 'STRING', sql: call('RTRIM') },
  bytes: {
    args: ['STRING'],
    result: 'INT',
    sql: call('OCTET_LENGTH'),
    duckdb: asInt('strlen'),
  },
  reverse: { args: ['STRING'], result: 'STRING', sql: call('REVERSE') },
  length: { args: ['STRING'], result: 'INT', sql: call('LENGTH'), duckdb: asInt('LENGTH') },
  strpos: { args: ['STRING', 'STRING'], result: 'INT', sql: call('STRPOS'), duckdb: asInt('STRPOS') },
  'starts with': { args: ['STRING', 'STRING'], result: 'BOOLEAN', sql: call('STARTS_WITH') },
  'text of int': {
    args: ['INT'],
    result: 'STRING',
    sql: a => `CAST(${a} AS STRING)`,
    duckdb: ([a]) => `CAST(${a} AS VARCHAR)`,
  },
  'text of decimal': {
    args: ['DECIMAL'],
    result: 'STRING',
    sql: a => `CAST(${a} AS STRING)`,
    duckdb: ([a], types) => `CAST(CAST(${a} AS ${types[0]}) AS VARCHAR)`,
  },
  'text of boolean': {
    args: ['BOOLEAN'],
    result: 'STRING',
    sql: a => `CAST(${a} AS STRING)`,
    duckdb: ([a]) => `CAST(${a} AS VARCHAR)`,
  },
  'text of date': {
    args: ['DATE'],
    result: 'STRING',
    sql: a => `CAST(${a} AS STRING)`,
    duckdb: ([a]) => `CAST(${a} AS VARCHAR)`,
  },
  'text of timestamp': {
    args: ['TIMESTAMP'],
    result: 'STRING',
    sql: a => `CAST(${a} AS STRING)`,
    duckdb: timestampText,
  },
};

const times: Table = {
  'days later': { args: ['DATE', 'SMALL'], result: 'DATE', sql: infix('+') },
  'days earlier': { args: ['DATE', 'SMALL'], result: 'DATE', sql: infix('-') },
  'days between': {
    args: ['DATE', 'DATE'],
    result: 'INT',
    sql: infix('-'),
    duckdb: ([a, b]) => `CAST(${a} - ${b} AS INTEGER)`,
  },
  'date of timestamp': { args: ['TIMESTAMP'], result: 'DATE', sql: a => `CAST(${a} AS DATE)` },
  'timestamp of date': { args: ['DATE'], result: 'TIMESTAMP', sql: a => `CAST(${a} AS TIMESTAMP)` },
  'hours later': {
    args: ['TIMESTAMP', 'SMALL'],
    result: 'TIMESTAMP',
    sql: (a, n) => `(${a} + INTERVAL '${n}' HOUR)`,
    duckdb: ([a, n]) => `(${a} + INTERVAL (${n}) HOUR)`,
  },
  'months later': {
    args: ['DATE', 'SMALL'],
    result: 'TIMESTAMP',
    sql: (a, n) => `(${a} + INTERVAL '${n}' MONTH)`,
    duckdb: ([a, n]) => `(${a} + INTERVAL (${n}) MONTH)`,
  },
  'hour truncated': { args: ['TIMESTAMP'], result: 'TIMESTAMP', sql: a => `DATE_TRUNC('hour', ${a})` },
  'month truncated': {
    args: ['DATE'],
    result: 'TIMESTAMP',
    sql: a => `DATE_TRUNC('month', ${a})`,
    duckdb: ([a]) => `CAST(DATE_TRUNC('month', ${a}) AS TIMESTAMP)`,
  },
  'year of': {
    args: ['DATE'],
    result: 'DOUBLE',
    sql: a => `EXTRACT(YEAR FROM ${a})`,
    duckdb: extracted('YEAR'),
  },
  'weekday of': {
    args: ['DATE'],
    result: 'DOUBLE',
    sql: a => `EXTRACT(DOW FROM ${a})`,
    duckdb: extracted('DOW'),
  },
  'hour of': {
    args: ['TIMESTAMP'],
    result: 'DOUBLE',
    sql: a => `EXTRACT(HOUR FROM ${a})`,
    duckdb: extracted('HOUR'),
  },
  'day number': {
    args: ['DATE'],
    result: 'INT',
    sql: a => `UNIX_DATE(${a})`,
    duckdb: ([a]) => `CAST(${a} - DATE '1970-01-01' AS INTEGER)`,
  },
  'text as date': {
    args: ['DATE'],
    result: 'DATE',
    sql: a => `CAST(CAST(${a} AS STRING) AS DATE)`,
    duckdb: ([a]) => `CAST(CAST(${a} AS VARCHAR) AS DATE)`,
  },
};

const comparisons: Table = Object.fromEntries(
  (['INT', 'BIGINT', 'DECIMAL', 'DOUBLE', 'STRING', 'DATE', 'TIMESTAMP'] as const).flatMap(kind =>
    ['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'].map(op => [
      `${kind} ${op}`,
      { args: [kind, kind], result: 'BOOLEAN', sql: infix(op) } satisfies Operator,
    ]),
  ),
);

const mixedComparisons: Table = {
  'int < decimal': {
    args: ['INT', 'DECIMAL'],
    result: 'BOOLEAN',
    sql: infix('<'),
    duckdb: ([a, b]) => `(CAST(${a} AS DECIMAL(38, 0)) < ${b})`,
  },
  'int = bigint': { args: ['INT', 'BIGINT'], result: 'BOOLEAN', sql: infix('=') },
  'bigint >= double': {
    args: ['INT', 'DOUBLE'],
    result: 'BOOLEAN',
    sql: infix('>='),
    duckdb: ([a, b]) => `(CAST(${a} AS DOUBLE) >= ${b})`,
  },
  'date < timestamp': {
    args: ['DATE', 'TIMESTAMP'],
    result: 'BOOLEAN',
    sql: infix('<'),
    duckdb: ([a, b]) => `(CAST(${a} AS TIMESTAMP) < ${b})`,
  },
};

const logic: Table = {
  and: { args: ['BOOLEAN', 'BOOLEAN'], result: 'BOOLEAN', sql: infix('AND') },
  or: { args: ['BOOLEAN', 'BOOLEAN'], result: 'BOOLEAN', sql: infix('OR') },
  not: { args: ['BOOLEAN'], result: 'BOOLEAN', sql: a => `(NOT ${a})` },
  'is true': { args: ['BOOLEAN'], result: 'BOOLEAN', sql: a => `(${a} IS TRUE)` },
  'is not false': { args: ['BOOLEAN'], result: 'BOOLEAN', sql: a => `(${a} IS NOT FALSE)` },
  ...Object.fromEntries(
    (['INT', 'STRING', 'DATE', 'BOOLEAN', 'DECIMAL'] as const).flatMap((kind): [string, Operator][] => [
      [`${kind} is null`, { args: [kind], result: 'BOOLEAN', sql: a => `(${a} IS NULL)` }],
      [`${kind} is not null`, { args: [kind], result: 'BOOLEAN', sql: a => `(${a} IS NOT NULL)` }],
    ]),
  ),
  ...Object.fromEntries(
    (['INT', 'BIGINT', 'STRING', 'DATE', 'TIMESTAMP'] as const).flatMap((kind): [string, Operator][] => [
      [
        `${kind} between`,
        { args: [kind, kind, kind], result: 'BOOLEAN', sql: (a, b, c) => `(${a} BETWEEN ${b} AND ${c})` },
      ],
      [
        `${kind} in`,
        { args: [kind, kind, kind], result: 'BOOLEAN', sql: (a, b, c) => `(${a} IN (${b}, ${c}))` },
      ],
      [
        `${kind} not in`,
        { args: [kind, kind, kind], result: 'BOOLEAN', sql: (a, b, c) => `(${a} NOT IN (${b}, ${c}))` },
      ],
    ]),
  ),
  like: { args: ['STRING'], result: 'BOOLEAN', sql: a => `(${a} LIKE 'a%')` },
  'like one': { args: ['STRING'], result: 'BOOLEAN', sql: a => `(${a} NOT LIKE '_b%')` },
};

/** Of any type. */
const choices: Table = {
  case: {
    args: ['BOOLEAN', 'SAME', 'SAME'],
    result: 'SAME',
    sql: (a, b, c) => `(CASE WHEN ${a} THEN ${b} ELSE ${c} END)`,
  },
  'case without else': {
    args: ['BOOLEAN', 'SAME'],
    result: 'SAME',
    sql: (a, b) => `(CASE WHEN ${a} THEN ${b} END)`,
  },
  'case of value': {
    args: ['INT', 'POSITIVE', 'SAME', 'SAME'],
    result: 'SAME',
    sql: (a, n, b, c) => `(CASE ${a} WHEN ${n} THEN ${b} ELSE ${c} END)`,
  },
  coalesce: { args: ['SAME', 'SAME'], result: 'SAME', sql: call('COALESCE') },
  nullif: { args: ['SAME', 'SAME'], result: 'SAME', sql: call('NULLIF') },
};

/** The largest and smallest leave out NULLs, in all three. */
const extremes: Table = Object.fromEntries(
  (['INT', 'BIGINT', 'DOUBLE', 'STRING', 'DATE', 'TIMESTAMP'] as const).flatMap(
    (kind): [string, Operator][] => [
      [`${kind} greatest`, { args: [kind, kind], result: kind, sql: call('GREATEST') }],
      [`${kind} least`, { args: [kind, kind], result: kind, sql: call('LEAST') }],
    ],
  ),
);

export const OPERATORS: Table = {
  ...whole('INT'),
  ...whole('BIGINT'),
  'bigint of int': { args: ['INT'], result: 'BIGINT', sql: a => `CAST(${a} AS BIGINT)` },
  'int of bigint': {
    args: ['BIGINT'],
    result: 'INT',
    sql: a => `CAST(${a} AS INT)`,
    duckdb: ([a]) => `TRY_CAST(${a} AS INTEGER)`,
  },
  ...decimals,
  ...doubles,
  ...texts,
  ...times,
  ...comparisons,
  ...mixedComparisons,
  ...logic,
  ...choices,
  ...extremes,
};

/** What both sides share of DuckDB's macros. */
export const MACROS = `
  CREATE MACRO unscaled(x) AS CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT);
  CREATE MACRO divided(n, m) AS CASE WHEN m <> 0 THEN
    CASE WHEN (n < 0) = (m < 0) THEN (2 * abs(n::HUGEINT) + abs(m::HUGEINT)) // (2 * abs(m::HUGEINT))
    ELSE -((2 * abs(n::HUGEINT) + abs(m::HUGEINT)) // (2 * abs(m::HUGEINT))) END END;
  CREATE MACRO start_of_day(d) AS (SELECT instant FROM midnights WHERE midnights.date_of = d);
`;
