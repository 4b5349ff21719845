import { type SqlType, typeText } from '../../../src/core/sql-type.ts';
import type { Random } from '../generator/random.ts';
import { type Expr, leaf } from './expression.ts';

export function randomLiteral(random: Random, type: SqlType): Expr {
  if (random.chance(0.04)) return leaf(`CAST(NULL AS ${typeText(type)})`, type);
  return leaf(literalText(random, type), type);
}

function literalText(random: Random, type: SqlType): string {
  switch (type.kind) {
    case 'INT':
      return random.of(['0', '1', '1', '2', '3', '5', '-1', '10', '2147483647']);
    case 'BIGINT':
      return random.of([
        'CAST(2 AS BIGINT)',
        'CAST(-1 AS BIGINT)',
        '9007199254740993',
        '9223372036854775807',
      ]);
    case 'DECIMAL':
      return random.of(['1.50', '0.01', '0.00', '99.99', '-2.5', '10.0', '1.0000']);
    case 'DOUBLE':
      return random.of(['1e0', '2.5e0', '-1e0', '0e0', '1e308', '0.1e0']);
    case 'STRING':
      return random.of([
        "'a'",
        "'b'",
        "''",
        "'k1'",
        "'12'",
        "'é'",
        "'x y'",
        "'a,b'",
        '\'{"a": 1}\'',
        "'[1,2]'",
      ]);
    case 'BOOLEAN':
      return random.of(['TRUE', 'FALSE']);
    case 'BYTES':
      return random.of(["TO_BYTES('ff00', 'hex')", "TO_BYTES('ab', 'utf8')", "TO_BYTES('', 'utf8')"]);
    case 'DATE':
      return random.of(["CAST('1970-01-02' AS DATE)", "CAST('2026-03-29' AS DATE)"]);
    case 'TIME':
      return random.of(["CAST('00:00:01' AS TIME)", "CAST('23:59:59' AS TIME)"]);
    case 'TIMESTAMP':
      return random.of([
        "CAST('1970-01-01T00:00:09' AS TIMESTAMP)",
        "CAST('2026-03-29T02:30:00' AS TIMESTAMP)",
      ]);
    case 'ARRAY':
      return `ARRAY[${Array.from({ length: random.int(1, 3) }, () => literalText(random, type.element)).join(', ')}]`;
    case 'MAP':
      return `MAP('a' := ${literalText(random, type.value)}, 'b' := ${literalText(random, type.value)})`;
    case 'STRUCT':
      return `STRUCT(${type.fields.map(f => `${f.name} := ${literalText(random, f.type)}`).join(', ')})`;
  }
}

/** Texts that functions know: units, patterns, zones, encodings, paths, regular expressions. */
export const TELLING_TEXTS = [
  'day',
  'DAYS',
  'hour',
  'MONTHS',
  'year',
  'yyyy-MM-dd',
  'HH:mm:ss',
  'YYYY-MM-DD HH24:MI',
  'FM990.00',
  'Europe/Berlin',
  'America/New_York',
  'hex',
  'utf8',
  'base64',
  '$.a',
  'a+',
  '([a-z])',
  'DESC',
  ',',
  'a',
  '',
  'BIG_ENDIAN',
  'https://a.org:80/p?x=1#f',
];
