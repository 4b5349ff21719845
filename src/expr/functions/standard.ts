import { MS_PER_DAY } from '../../core/calendar.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { formatDecimal } from '../decimal.ts';
import type { ScalarFunction, ScalarOverload } from '../functions.ts';
import { overload, scalar, typed } from './define.ts';
import { MAX_ITEMS } from './limits.ts';
import { numberToChar } from './to-char-number.ts';
import { momentToChar } from './to-char-time.ts';

const category = 'STRING';

/** Names of standard SQL and PostgreSQL that ksqlDB does not have. Strings are counted in code points here. */
export const standardFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'LENGTH',
      aliases: ['CHAR_LENGTH', 'CHARACTER_LENGTH'],
      category,
      description: 'The length of a string in characters (code points), or of bytes.',
    },
    overload<[string]>('(STRING) -> INT', ([text]) => characters(text)),
    overload<[Uint8Array]>('(BYTES) -> INT', ([bytes]) => bytes.length),
  ),
  scalar(
    { name: 'OCTET_LENGTH', category, description: 'The number of bytes of a string in UTF-8, or of bytes.' },
    overload<[string]>('(STRING) -> INT', ([text]) => Buffer.byteLength(text)),
    overload<[Uint8Array]>('(BYTES) -> INT', ([bytes]) => bytes.length),
  ),
  scalar(
    {
      name: 'STRPOS',
      category,
      description: 'Where the second string stands in the first, from 1; 0 when it does not.',
    },
    overload<[string, string]>('(STRING, STRING) -> INT', ([text, part]) => {
      const at = text.indexOf(part);
      return at < 0 ? 0 : characters(text.slice(0, at)) + 1;
    }),
  ),
  scalar(
    {
      name: 'SUBSTR',
      category,
      description:
        'The characters or bytes from a position on (from 1), to the end or as many as given; positions before the string count too, as in PostgreSQL.',
    },
    overload<[string, number]>('(STRING, INT) -> STRING', ([text, from]) =>
      [...text].slice(Math.max(from - 1, 0)).join(''),
    ),
    overload<[string, number, number]>('(STRING, INT, INT) -> STRING', ([text, from, count], ctx) => {
      if (count < 0) return ctx.fail('SUBSTR: the length must not be negative');
      return [...text].slice(Math.max(from - 1, 0), Math.max(from - 1 + count, 0)).join('');
    }),
    overload<[Uint8Array, number]>('(BYTES, INT) -> BYTES', ([bytes, from]) =>
      bytes.slice(Math.max(from - 1, 0)),
    ),
    overload<[Uint8Array, number, number]>('(BYTES, INT, INT) -> BYTES', ([bytes, from, count], ctx) => {
      if (count < 0) return ctx.fail('SUBSTR: the length must not be negative');
      return bytes.slice(Math.max(from - 1, 0), Math.max(from - 1 + count, 0));
    }),
  ),
  scalar(
    {
      name: 'LEFT',
      category,
      description: 'The first n characters; all but the last -n when n is negative.',
    },
    overload<[string, number]>('(STRING, INT) -> STRING', ([text, n]) => [...text].slice(0, n).join('')),
  ),
  scalar(
    {
      name: 'RIGHT',
      category,
      description: 'The last n characters; all but the first -n when n is negative.',
    },
    overload<[string, number]>('(STRING, INT) -> STRING', ([text, n]) =>
      n === 0 ? '' : [...text].slice(-n).join(''),
    ),
  ),
  trim('BTRIM', 'at both ends', true, true),
  trim('LTRIM', 'at its beginning', true, false),
  trim('RTRIM', 'at its end', false, true),
  scalar(
    { name: 'STARTS_WITH', category, description: 'Whether the first string begins with the second.' },
    overload<[string, string]>('(STRING, STRING) -> BOOLEAN', ([text, start]) => text.startsWith(start)),
  ),
  scalar(
    {
      name: 'SPLIT_PART',
      category,
      description:
        'The n-th part between delimiters, from 1 (negative: from the end); empty when there is none.',
    },
    overload<[string, string, number]>('(STRING, STRING, INT) -> STRING', ([text, delimiter, n], ctx) => {
      if (n === 0) return ctx.fail('SPLIT_PART: the position must not be 0');
      const parts = delimiter === '' ? [text] : text.split(delimiter, n > 0 ? n : MAX_ITEMS);
      return parts.at(n > 0 ? n - 1 : n) ?? '';
    }),
  ),
  scalar(
    {
      name: 'ROUND_EVEN',
      category: 'MATHEMATICAL',
      description: 'The nearest whole number; halves go to the even one, as PostgreSQL rounds DOUBLE.',
    },
    overload<[number]>('(DOUBLE) -> DOUBLE', ([n]) => {
      const below = Math.floor(n);
      const rest = n - below;
      if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
      return below % 2 === 0 ? below : below + 1;
    }),
  ),
  scalar(
    {
      name: 'TO_CHAR',
      category,
      description:
        "A time or a number as text in PostgreSQL's patterns: TO_CHAR(x, 'YYYY-MM-DD HH24:MI'), TO_CHAR(n, 'FM999,990.00').",
    },
    overload<[number, string]>('(TIMESTAMP, STRING) -> STRING', ([at, pattern]) => momentToChar(at, pattern)),
    overload<[number, string]>('(DATE, STRING) -> STRING', ([days, pattern]) =>
      momentToChar(days * MS_PER_DAY, pattern),
    ),
    overload<[number, string]>('(TIME, STRING) -> STRING', ([ms, pattern]) => momentToChar(ms, pattern)),
    ...(['INT', 'BIGINT', 'DECIMAL', 'DOUBLE'] as const).map(numberOverload),
  ),
];

function characters(text: string): number {
  let n = text.length;
  // the second half of a surrogate pair counts with the first
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) n--;
  }
  return n;
}

function trim(name: string, place: string, front: boolean, back: boolean): ScalarFunction {
  const run = (text: string, characterSet: string) => {
    const set = new Set(characterSet);
    const chars = [...text];
    let start = 0;
    let end = chars.length;
    while (front && start < end && set.has(chars[start] ?? '')) start++;
    while (back && end > start && set.has(chars[end - 1] ?? '')) end--;
    return chars.slice(start, end).join('');
  };
  return scalar(
    { name, category, description: `The string without spaces, or without the given characters, ${place}.` },
    overload<[string]>('(STRING) -> STRING', ([text]) => run(text, ' ')),
    overload<[string, string]>('(STRING, STRING) -> STRING', ([text, set]) => run(text, set)),
  );
}

function numberOverload(kind: 'INT' | 'BIGINT' | 'DECIMAL' | 'DOUBLE'): ScalarOverload {
  return typed<[number | bigint, string]>(`(${kind}, STRING) -> STRING`, ({ args: [type] }) => {
    return ([value, pattern], ctx) =>
      numberToChar(digitsOf(type, value), pattern) ??
      ctx.fail(`TO_CHAR: "${pattern.slice(0, 30)}" is no pattern of numbers`);
  });
}

function digitsOf(type: SqlType | undefined, value: number | bigint): string {
  return type?.kind === 'DECIMAL' ? formatDecimal(value as bigint, type.scale) : String(value);
}
