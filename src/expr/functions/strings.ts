import type { ScalarFunction } from '../functions.ts';
import { nullable, overload, scalar } from './define.ts';
import { MAX_ITEMS, MAX_LENGTH } from './limits.ts';

const category = 'STRING';
type Nullable = string | null;

export const stringFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'CHR',
      category,
      description:
        'The character of a Unicode code point, given as a number or as text like \\u004b; else NULL.',
    },
    overload<[number]>('(INT) -> STRING', ([code]) => codePoint(code)),
    overload<[string]>('(STRING) -> STRING', ([text]) => unicodeUnits(text)),
  ),
  scalar(
    {
      name: 'ASCII',
      category,
      description: 'The Unicode code point of the first character; 0 for an empty string.',
    },
    overload<[string]>('(STRING) -> INT', ([text]) => text.codePointAt(0) ?? 0),
  ),
  scalar(
    {
      name: 'CONCAT_WS',
      category,
      description:
        'Joins strings or bytes with a separator, leaving out NULLs; NULL when the separator is NULL.',
    },
    nullable<[Nullable, ...Nullable[]]>('(STRING, STRING...) -> STRING', ([separator, ...texts], ctx) => {
      if (separator === null) return null;
      const present = texts.filter(t => t !== null);
      const length = present.reduce((n, t) => n + t.length + separator.length, 0);
      return length > MAX_LENGTH ? ctx.fail('CONCAT_WS: the result is too long') : present.join(separator);
    }),
    nullable<[Uint8Array | null, ...(Uint8Array | null)[]]>(
      '(BYTES, BYTES...) -> BYTES',
      ([separator, ...parts], ctx) => {
        if (separator === null) return null;
        const joined: Uint8Array[] = [];
        for (const part of parts) {
          if (part === null) continue;
          if (joined.length > 0) joined.push(separator);
          joined.push(part);
        }
        return concatBytes(joined) ?? ctx.fail('CONCAT_WS: the result is too long');
      },
    ),
  ),
  scalar(
    {
      name: 'CONCAT',
      category,
      description: 'Joins strings or bytes; NULLs count as empty.',
    },
    nullable<Nullable[]>('(STRING...) -> STRING', (texts, ctx) => {
      const length = texts.reduce((n, t) => n + (t?.length ?? 0), 0);
      return length > MAX_LENGTH ? ctx.fail('CONCAT: the result is too long') : texts.join('');
    }),
    nullable<(Uint8Array | null)[]>('(BYTES...) -> BYTES', (parts, ctx) => {
      return concatBytes(parts.filter(p => p !== null)) ?? ctx.fail('CONCAT: the result is too long');
    }),
  ),
  scalar(
    {
      name: 'ELT',
      category,
      description: 'The n-th of the strings that follow, from 1; NULL when there is none.',
    },
    nullable<[number | null, ...Nullable[]]>('(INT, STRING...) -> STRING', ([n, ...texts]) => {
      return n === null ? null : (texts[n - 1] ?? null);
    }),
  ),
  scalar(
    {
      name: 'FIELD',
      category,
      description:
        'The position of the first string among those that follow, from 1; 0 when it is not there or NULL.',
    },
    nullable<[Nullable, ...Nullable[]]>('(STRING, STRING...) -> INT', ([text, ...texts]) => {
      return text === null ? 0 : texts.indexOf(text) + 1;
    }),
  ),
  scalar(
    {
      name: 'INITCAP',
      category,
      description:
        'Every word with a capital first letter and small other letters; words are separated by white space.',
    },
    overload<[string]>('(STRING) -> STRING', ([text]) => {
      return text
        .toLowerCase()
        .replace(/(^|\s)(\S)/gu, (_, space: string, first: string) => space + first.toUpperCase());
    }),
  ),
  scalar(
    {
      name: 'INSTR',
      category,
      description:
        'Where a substring stands, from 1, or 0. A position to start from (negative: backwards from the end) and which occurrence may follow.',
    },
    nullable<[Nullable, Nullable]>('(STRING, STRING) -> INT', ([text, part]) => instr(text, part, 1, 1)),
    nullable<[Nullable, Nullable, number | null]>('(STRING, STRING, INT) -> INT', ([text, part, position]) =>
      position === null ? null : instr(text, part, position, 1),
    ),
    nullable<[Nullable, Nullable, number | null, number | null]>(
      '(STRING, STRING, INT, INT) -> INT',
      ([text, part, position, occurrence]) =>
        position === null || occurrence === null ? null : instr(text, part, position, occurrence),
    ),
  ),
  scalar(
    { name: 'LCASE', aliases: ['LOWER'], category, description: 'The string in small letters.' },
    overload<[string]>('(STRING) -> STRING', ([text]) => text.toLowerCase()),
  ),
  scalar(
    { name: 'UCASE', aliases: ['UPPER'], category, description: 'The string in capital letters.' },
    overload<[string]>('(STRING) -> STRING', ([text]) => text.toUpperCase()),
  ),
  scalar(
    {
      name: 'LEN',
      category,
      description: 'The length of a string in UTF-16 units, or of bytes.',
    },
    overload<[string]>('(STRING) -> INT', ([text]) => text.length),
    overload<[Uint8Array]>('(BYTES) -> INT', ([bytes]) => bytes.length),
  ),
  scalar(
    {
      name: 'TRIM',
      category,
      complete: 'BTRIM',
      description: 'The string without spaces, tabs, line ends and control characters at both ends.',
    },
    // Java's String.trim: everything up to U+0020
    overload<[string]>('(STRING) -> STRING', ([text]) => {
      let start = 0;
      let end = text.length;
      while (start < end && text.charCodeAt(start) <= 32) start++;
      while (end > start && text.charCodeAt(end - 1) <= 32) end--;
      return text.slice(start, end);
    }),
  ),
  scalar(
    {
      name: 'REPLACE',
      category,
      description: 'The string with every occurrence of the second argument replaced by the third.',
    },
    overload<[string, string, string]>('(STRING, STRING, STRING) -> STRING', ([text, old, fresh], ctx) => {
      if (fresh.length > old.length) {
        const most = old === '' ? text.length + 1 : Math.floor(text.length / old.length);
        // the exact count only when the bound alone does not settle it
        if (text.length + most * (fresh.length - old.length) > MAX_LENGTH) {
          const count = old === '' ? most : text.split(old).length - 1;
          if (text.length + count * (fresh.length - old.length) > MAX_LENGTH) {
            return ctx.fail('REPLACE: the result is too long');
          }
        }
      }
      return text.replaceAll(old, () => fresh);
    }),
  ),
  scalar(
    { name: 'REVERSE', category, description: 'The string backwards, character by character.' },
    overload<[string]>('(STRING) -> STRING', ([text]) => [...text].reverse().join('')),
  ),
  scalar(
    {
      name: 'REPEAT',
      category,
      description: 'The string that many times in a row; empty when the count is not positive.',
    },
    overload<[string, number]>('(STRING, INT) -> STRING', ([text, count], ctx) => {
      if (count <= 0) return '';
      return text.length * count > MAX_LENGTH
        ? ctx.fail('REPEAT: the result is too long')
        : text.repeat(count);
    }),
  ),
  scalar(
    {
      name: 'SPLIT',
      category,
      description:
        'The parts of a string or of bytes between delimiters; an empty delimiter splits every character or byte.',
    },
    overload<[string, string]>('(STRING, STRING) -> ARRAY<STRING>', ([text, delimiter], ctx) => {
      const parts = text === '' ? [''] : text.split(delimiter, MAX_ITEMS + 1);
      return parts.length > MAX_ITEMS ? ctx.fail(`SPLIT: more than ${MAX_ITEMS} parts`) : parts;
    }),
    overload<[Uint8Array, Uint8Array]>('(BYTES, BYTES) -> ARRAY<BYTES>', ([bytes, delimiter], ctx) => {
      const parts = splitBytes(bytes, delimiter);
      return parts.length > MAX_ITEMS ? ctx.fail(`SPLIT: more than ${MAX_ITEMS} parts`) : parts;
    }),
  ),
  scalar(
    {
      name: 'SPLIT_TO_MAP',
      category,
      description:
        'A MAP from text like a=1;b=2 by an entry and a key-value delimiter; the last of equal keys counts, NULL when a delimiter is empty.',
    },
    overload<[string, string, string]>(
      '(STRING, STRING, STRING) -> MAP<STRING, STRING>',
      ([text, entryDelimiter, pairDelimiter], ctx) => {
        if (entryDelimiter === '' || pairDelimiter === '') return null;
        const map = new Map<string, string>();
        for (const entry of text.split(entryDelimiter)) {
          if (!entry.includes(pairDelimiter)) continue;
          const [key = '', value = ''] = entry.split(pairDelimiter, 2);
          map.set(key, value);
          if (map.size > MAX_ITEMS) return ctx.fail(`SPLIT_TO_MAP: more than ${MAX_ITEMS} entries`);
        }
        return map;
      },
    ),
  ),
  scalar(
    {
      name: 'SUBSTRING',
      category,
      complete: 'SUBSTR',
      description:
        'The part of a string or of bytes from a position (from 1; negative: from the end), to the end or of a given length.',
    },
    overload<[string, number]>('(STRING, INT) -> STRING', ([text, at]) =>
      text.slice(startIndex(text.length, at)).toWellFormed(),
    ),
    overload<[string, number, number]>('(STRING, INT, INT) -> STRING', ([text, at, length]) => {
      const start = startIndex(text.length, at);
      return text.slice(start, endIndex(text.length, start, length)).toWellFormed();
    }),
    overload<[Uint8Array, number]>('(BYTES, INT) -> BYTES', ([bytes, at]) =>
      bytes.slice(startIndex(bytes.length, at)),
    ),
    overload<[Uint8Array, number, number]>('(BYTES, INT, INT) -> BYTES', ([bytes, at, length]) => {
      const start = startIndex(bytes.length, at);
      return bytes.slice(start, endIndex(bytes.length, start, length));
    }),
  ),
];

function codePoint(code: number): string | null {
  return code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : null;
}

/** `\u004b`, or several such units in a row. */
function unicodeUnits(text: string): string | null {
  if (!/^(?:\\u+[0-9a-fA-F]{4})+$/.test(text) || text.length > 1000) return null;
  return text.replace(/\\u+([0-9a-fA-F]{4})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function startIndex(length: number, position: number): number {
  return position < 0 ? Math.max(length + position, 0) : Math.max(Math.min(position - 1, length), 0);
}

function endIndex(length: number, start: number, count: number): number {
  return Math.max(Math.min(start + count, length), start);
}

function instr(text: Nullable, part: Nullable, position: number, occurrence: number): number {
  if (text === null || part === null || occurrence < 1) return 0;
  if (position === 0 || Math.abs(position) > text.length) return 0;
  const backwards = position < 0;
  // Searching backwards, the match must lie wholly before the character that the position names from the end.
  let at = backwards ? text.length + position - part.length + 1 : position - 1;
  for (let i = 0; ; i++) {
    if (backwards && at < 0) return 0;
    const found = backwards ? text.lastIndexOf(part, at) : text.indexOf(part, at);
    if (found < 0) return 0;
    if (i === occurrence - 1) return found + 1;
    at = found + (backwards ? -1 : 1);
  }
}

/** null: too long. */
function concatBytes(parts: readonly Uint8Array[]): Uint8Array | null {
  const length = parts.reduce((n, p) => n + p.length, 0);
  if (length > MAX_LENGTH) return null;
  const result = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function splitBytes(bytes: Uint8Array, delimiter: Uint8Array): Uint8Array[] {
  if (bytes.length === 0) return [bytes];
  if (delimiter.length === 0) {
    if (bytes.length > MAX_ITEMS) return Array.from({ length: MAX_ITEMS + 1 }, () => bytes);
    return Array.from(bytes, b => Uint8Array.of(b));
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let at = buffer.indexOf(delimiter); at >= 0; at = buffer.indexOf(delimiter, from)) {
    if (parts.length > MAX_ITEMS) break;
    parts.push(bytes.slice(from, at));
    from = at + delimiter.length;
  }
  parts.push(bytes.slice(from));
  return parts;
}
