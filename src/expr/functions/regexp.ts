import type { EvalContext, ScalarFunction } from '../functions.ts';
import { overload, scalar } from './define.ts';
import { javaRegExp } from './java-regexp.ts';
import { MAX_ITEMS, MAX_LENGTH } from './limits.ts';

const category = 'REGULAR EXPRESSION';
const CAUTION = 'Nested repetitions such as (a+)+ can take time exponential in the text; avoid them.';

export const regexpFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'REGEXP_EXTRACT',
      category,
      description: `The first match of a pattern in a string, or one of its groups; NULL without a match. ${CAUTION}`,
    },
    overload<[string, string]>('(STRING, STRING) -> STRING', ([pattern, text], ctx) =>
      extract(pattern, text, 0, ctx),
    ),
    overload<[string, string, number]>('(STRING, STRING, INT) -> STRING', ([pattern, text, group], ctx) =>
      extract(pattern, text, group, ctx),
    ),
  ),
  scalar(
    {
      name: 'REGEXP_EXTRACT_ALL',
      category,
      description: `All matches of a pattern in a string, or of one of its groups. ${CAUTION}`,
    },
    overload<[string, string]>('(STRING, STRING) -> ARRAY<STRING>', ([pattern, text], ctx) =>
      extractAll(pattern, text, 0, ctx),
    ),
    overload<[string, string, number]>(
      '(STRING, STRING, INT) -> ARRAY<STRING>',
      ([pattern, text, group], ctx) => extractAll(pattern, text, group, ctx),
    ),
  ),
  scalar(
    {
      name: 'REGEXP_REPLACE',
      category,
      description: `The string with every match of a pattern replaced; $1 and \${name} in the replacement are groups, \\$ is a dollar. ${CAUTION}`,
    },
    overload<[string, string, string]>('(STRING, STRING, STRING) -> STRING', replace),
  ),
  scalar(
    {
      name: 'REGEXP_SPLIT_TO_ARRAY',
      category,
      description: `The parts of a string between matches of a pattern; a pattern that matches nothing splits every character. ${CAUTION}`,
    },
    overload<[string, string]>('(STRING, STRING) -> ARRAY<STRING>', split),
  ),
];

/** The compiled pattern, or null after reporting why there is none. */
function compiled(
  pattern: string,
  ctx: EvalContext,
): { readonly regexp: RegExp; readonly groups: number } | null {
  const result = javaRegExp(pattern);
  return 'problem' in result ? ctx.fail(result.problem) : result;
}

function extract(pattern: string, text: string, group: number, ctx: EvalContext): string | null {
  const found = compiled(pattern, ctx);
  if (!found) return null;
  if (group < 0 || group > found.groups) return ctx.fail(`REGEXP_EXTRACT: the pattern has no group ${group}`);
  found.regexp.lastIndex = 0;
  return found.regexp.exec(text)?.[group] ?? null;
}

function extractAll(
  pattern: string,
  text: string,
  group: number,
  ctx: EvalContext,
): (string | null)[] | null {
  const found = compiled(pattern, ctx);
  if (!found) return null;
  if (group < 0 || group > found.groups)
    return ctx.fail(`REGEXP_EXTRACT_ALL: the pattern has no group ${group}`);
  const matches: (string | null)[] = [];
  for (const match of text.matchAll(found.regexp)) {
    if (matches.length >= MAX_ITEMS) return ctx.fail(`REGEXP_EXTRACT_ALL: more than ${MAX_ITEMS} matches`);
    matches.push(match[group] ?? null);
  }
  return matches;
}

function replace([text, pattern, replacement]: [string, string, string], ctx: EvalContext): string | null {
  const found = compiled(pattern, ctx);
  if (!found) return null;
  const pieces = replacementPieces(replacement, found.groups);
  if (typeof pieces === 'string') return ctx.fail(pieces);
  let result = '';
  let from = 0;
  for (const match of text.matchAll(found.regexp)) {
    result += text.slice(from, match.index);
    for (const piece of pieces) {
      result +=
        typeof piece === 'number'
          ? (match[piece] ?? '')
          : (piece.text ?? match.groups?.[piece.group ?? ''] ?? '');
    }
    if (result.length > MAX_LENGTH) return ctx.fail('REGEXP_REPLACE: the result is too long');
    from = match.index + match[0].length;
  }
  return result + text.slice(from);
}

/** A group's number, a group's name, or text. */
type Piece = number | { readonly text?: string; readonly group?: string };

const PIECE = /\\(.)|\$(\d+)|\$\{([A-Za-z][A-Za-z0-9]*)\}|([^\\$]+)|([\\$])/gs;

/** The replacement in parts, or what is wrong with it. */
function replacementPieces(replacement: string, groups: number): readonly Piece[] | string {
  const pieces: Piece[] = [];
  for (const [, escaped, digits, group, text, stray] of replacement.matchAll(PIECE)) {
    if (stray !== undefined) return `REGEXP_REPLACE: "${stray}" in the replacement refers to nothing`;
    if (group !== undefined) pieces.push({ group });
    else if (digits !== undefined) {
      // As many digits as make a group that exists; the rest is text.
      let length = digits.length;
      while (length > 1 && Number(digits.slice(0, length)) > groups) length--;
      const index = Number(digits.slice(0, length));
      if (index > groups) return `REGEXP_REPLACE: the pattern has no group ${index}`;
      pieces.push(index, { text: digits.slice(length) });
    } else pieces.push({ text: escaped ?? text ?? '' });
  }
  return pieces;
}

function split([text, pattern]: [string, string], ctx: EvalContext): string[] | null {
  const found = compiled(pattern, ctx);
  if (!found) return null;
  found.regexp.lastIndex = 0;
  const everywhere = found.regexp.exec('')?.[0] === '';
  if (everywhere && pattern === '') return text === '' ? [''] : [...text];
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(found.regexp)) {
    // An empty match splits between characters, never at the ends.
    if (match[0] === '' && (match.index === 0 || match.index >= text.length)) continue;
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (parts.length > MAX_ITEMS) return ctx.fail(`REGEXP_SPLIT_TO_ARRAY: more than ${MAX_ITEMS} parts`);
  }
  parts.push(text.slice(from));
  return parts;
}
