import type { EvalContext, ScalarFunction, ScalarOverload } from '../functions.ts';
import { nullable, scalar } from './define.ts';

const category = 'STRING';
type Nullable = string | null;

/** Characters to write for capital letters, small letters, digits and others; null keeps them as they are. */
type Masks = readonly [Nullable, Nullable, Nullable, Nullable];

const DEFAULTS: Masks = ['X', 'x', 'n', '-'];

/** Which characters of a text of this length are masked: [from, to). */
type Part = (length: number, count: number) => readonly [number, number];

const MASKS_TEXT =
  'X, x, n and - stand for capital letters, small letters, digits and others; four arguments choose others, NULL keeps that kind.';

export const maskFunctions: readonly ScalarFunction[] = [
  scalar(
    { name: 'MASK', category, description: `The string with every character masked. ${MASKS_TEXT}` },
    ...maskOverloads('MASK'),
  ),
  partial('MASK_LEFT', 'only the first n characters masked', (length, n) => [0, Math.min(n, length)]),
  partial('MASK_RIGHT', 'only the last n characters masked', (length, n) => [
    Math.max(length - n, 0),
    length,
  ]),
  partial('MASK_KEEP_LEFT', 'all but the first n characters masked', (length, n) => [
    Math.min(n, length),
    length,
  ]),
  partial('MASK_KEEP_RIGHT', 'all but the last n characters masked', (length, n) => [
    0,
    Math.max(length - n, 0),
  ]),
];

function maskOverloads(name: string): ScalarOverload[] {
  return [0, 1, 2, 3, 4].map(given =>
    nullable<[Nullable, ...Nullable[]]>(
      `(${['STRING', ...Array<string>(given).fill('STRING')].join(', ')}) -> STRING`,
      ([text, ...masks], ctx) => (text === null ? null : masked(name, text, masks, [0, text.length], ctx)),
    ),
  );
}

function partial(name: string, what: string, part: Part): ScalarFunction {
  const overloads = [0, 1, 2, 3, 4].map(given =>
    nullable<[Nullable, number | null, ...Nullable[]]>(
      `(${['STRING', 'INT', ...Array<string>(given).fill('STRING')].join(', ')}) -> STRING`,
      ([text, count, ...masks], ctx) => {
        if (text === null || count === null) return null;
        if (count < 0) return ctx.fail(`${name}: the number of characters must not be negative`);
        return masked(name, text, masks, part(text.length, count), ctx);
      },
    ),
  );
  return scalar({ name, category, description: `The string with ${what}. ${MASKS_TEXT}` }, ...overloads);
}

function masked(
  name: string,
  text: string,
  given: readonly Nullable[],
  [from, to]: readonly [number, number],
  ctx: EvalContext,
): string | null {
  if (given.some(m => m !== null && [...m].length !== 1)) {
    return ctx.fail(`${name}: a mask must be one character`);
  }
  const masks = DEFAULTS.map((mask, i) => (i < given.length ? (given[i] ?? null) : mask));
  let result = text.slice(0, from);
  for (const c of text.slice(from, to)) result += masks[kindOf(c)] ?? c;
  return result + text.slice(to);
}

function kindOf(c: string): 0 | 1 | 2 | 3 {
  if (/\p{Lu}/u.test(c)) return 0;
  if (/\p{Ll}/u.test(c)) return 1;
  return /\p{Nd}/u.test(c) ? 2 : 3;
}
