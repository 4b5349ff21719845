import type { Column } from '../../src/core/schema.ts';
import type { SqlType } from '../../src/core/sql-type.ts';
import type { Random } from '../oracle/generator/random.ts';

/** JSON as producers write it, and as they should not: every spelling of a value, and values of another type. */

export function jsonObject(random: Random, columns: readonly Column[]): string {
  const fields = columns.flatMap(column => {
    if (random.chance(0.12)) return [];
    const value = random.chance(0.01) ? anyJson(random, 2) : jsonOf(random, column.type, 3);
    const field = `${space(random)}${nameText(random, column.name)}${space(random)}:${space(random)}${value}`;
    return random.chance(0.04) ? [field, field.replace(/:.*/s, `:${anyJson(random, 1)}`)] : [field];
  });
  if (random.chance(0.3)) fields.push(`"more${random.int(0, 9)}":${anyJson(random, 3)}`);
  const ordered = random.chance(0.5) ? fields : random.shuffled(fields);
  return `${space(random)}{${ordered.join(`${space(random)},`)}${space(random)}}${space(random)}`;
}

/** Names are matched without case; escapes in them are letters all the same. */
function nameText(random: Random, name: string): string {
  const spelt = random.of([name, name, name, name.toLowerCase(), name.toUpperCase()]);
  if (!random.chance(0.04)) return JSON.stringify(spelt);
  const at = random.int(0, spelt.length - 1);
  return `"${spelt.slice(0, at)}${unit(spelt.charCodeAt(at))}${spelt.slice(at + 1)}"`;
}

const unit = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`;
const space = (random: Random) => (random.chance(0.9) ? '' : random.of([' ', '  ', '\n', '\t', '\r\n']));

/** Mostly a spelling that the type takes; `ODD` are those on the border and beyond. */
export function jsonOf(random: Random, type: SqlType, depth: number): string {
  if (random.chance(0.08)) return 'null';
  if (random.chance(0.03)) return random.chance(0.7) ? random.of(ODD) : anyJson(random, 1);
  switch (type.kind) {
    case 'BOOLEAN':
      return random.of(['true', 'false']);
    case 'INT':
      return random.chance(0.7) ? String(random.int(-1000, 100_000)) : random.of(INTS);
    case 'BIGINT':
      return random.chance(0.6) ? String(random.int(-1000, 100_000)) : random.of(BIGINTS);
    case 'DECIMAL':
      return random.chance(0.5)
        ? `${random.int(-99, 9999)}.${random.int(0, 99)}`
        : random.of([...INTS, ...DECIMALS]);
    case 'DOUBLE':
      return random.chance(0.4)
        ? `${random.int(-99, 9999)}.${random.int(0, 99)}`
        : random.of([...BIGINTS, ...DECIMALS, ...DOUBLES]);
    case 'STRING':
      return random.chance(0.9)
        ? jsonText(random)
        : random.of([...INTS, 'true', '{"a": [1]}', '[1, "x"]', '1.50']);
    case 'BYTES':
      return random.of(['"IQ=="', '""', '"AAEC"', '"/+8="']);
    case 'DATE':
      return random.of(['0', '1', '-1', '20000', '"2026-03-29"', '"1969-12-31"']);
    case 'TIME':
      return random.of(['0', '86399999', '1', '"10:00:00"', '"23:59:59.999"']);
    case 'TIMESTAMP':
      return random.of([
        '0',
        '1774742400000',
        '1774742400001',
        '"2026-03-29T02:30:00"',
        '"2026-03-29T02:30:00.123"',
      ]);
    case 'ARRAY':
      return `[${many(random, depth, () => jsonOf(random, type.element, depth - 1)).join(`,${space(random)}`)}]`;
    case 'MAP':
      return `{${many(random, depth, () => `${jsonText(random)}:${jsonOf(random, type.value, depth - 1)}`)}}`;
    case 'STRUCT':
      return jsonObject(random, type.fields);
  }
}

function many(random: Random, depth: number, item: () => string): string[] {
  return Array.from({ length: depth <= 0 ? 0 : random.int(0, 4) }, item);
}

const INTS = ['0', '-0', '1', '-1', '2147483647', '-2147483648', '"12"', '12'];

const BIGINTS = [...INTS, '2147483648', '9007199254740993', '9223372036854775807', '-9223372036854775808'];

const DECIMALS = [
  '0.1',
  '-0.0',
  '1.50',
  '"1.5"',
  '99999999.99',
  '-99999999.99',
  '100.10',
  '1e2',
  '15e-1',
  '0.01',
];

const DOUBLES = [
  '1e-7',
  '5e-324',
  '1e-400',
  '1.7976931348623157e308',
  '0.30000000000000004',
  '123456789012345678901234567890.123456789',
  `0.${'0'.repeat(300)}1`,
  '9'.repeat(38),
];

const ODD = [
  ...BIGINTS,
  ...DECIMALS,
  ...DOUBLES,
  '007',
  '+1',
  '2147483648',
  '-2147483649',
  '9223372036854775808',
  '-9223372036854775809',
  '1E+2',
  '1.0',
  '" 12 "',
  '"1e3"',
  '1'.repeat(400),
  `"${'9'.repeat(60)}"`,
  '-',
  '1e',
  '.5',
  '1.',
  '1.e2',
  '1_000',
  '1e400',
  '-1e400',
  '0.005',
  '0.0050000000000000000000000000001',
  '100000000',
  '"NaN"',
  '"Infinity"',
  'True',
  '"true"',
  '"no"',
  '"not base64"',
  '"IQ="',
  '"%%%"',
  '"2026-02-30"',
  '86400000',
  '"24:00"',
  '"now"',
  '-5',
];

const TEXTS = [
  '',
  'a',
  'B',
  'abc',
  'x y',
  'é',
  'ß',
  '日本',
  '😀',
  '\uff5e',
  'a"b\\c/',
  '\u2028',
  '{"a":1}',
  '-',
];

function jsonText(random: Random): string {
  const text = random.of(TEXTS);
  const way = random.int(0, 49);
  if (way < 30) return JSON.stringify(text);
  if (way < 40) return `"${Array.from(text, c => (c.length === 1 ? unit(c.charCodeAt(0)) : c)).join('')}"`;
  if (way === 40)
    return `"${random.of(['\\ud83d', '\\ude00', '\\ud83d\\u0041', '\\ud83d\\ude00', '\\u00'])}"`;
  if (way === 41) return `"${random.of(['\\x', '\\', '\n', '\u0000', '\u001f'])}"`;
  if (way < 46) return `"${random.of(['\\n', '\\t\\b\\f\\r', '\\/', '\\"', '\\\\'])}"`;
  return JSON.stringify(text.repeat(random.int(0, 40)));
}

export function anyJson(random: Random, depth: number): string {
  switch (random.int(0, depth > 0 ? 7 : 4)) {
    case 0:
      return random.of(['null', 'true', 'false', 'nul', 'TRUE', 'undefined', 'NaN']);
    case 1:
      return random.of(BIGINTS);
    case 2:
      return random.of(ODD);
    case 3:
    case 4:
      return jsonText(random);
    case 5:
      return `[${many(random, depth, () => anyJson(random, depth - 1))}]`;
    case 6:
      return `{${many(random, depth, () => `${jsonText(random)}:${anyJson(random, depth - 1)}`)}}`;
    default:
      return deep(random);
  }
}

/** Around the depth that is refused, and far beyond it. */
function deep(random: Random): string {
  if (!random.chance(0.05)) return '[[[]]]';
  const depth = random.of([10, 198, 199, 200, 201, 202, 5000]);
  const [open, close] = random.of([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  return `${open.repeat(depth)}1${random.chance(0.8) ? close.repeat(depth) : ''}`;
}
