import type { Value } from '../../core/value.ts';
import type { EvalContext, TableFunction } from '../functions.ts';
import { MAX_CUBE } from './limits.ts';
import { series } from './series.ts';

const category = 'TABLE';
type Items = readonly (Value | null)[];
type Overload = TableFunction['overloads'][number];

export const tableFunctions: readonly TableFunction[] = [
  {
    kind: 'table',
    name: 'EXPLODE',
    category,
    description: 'One row per element of an array; none when it is NULL or empty.',
    overloads: [elements()],
  },
  {
    kind: 'table',
    name: 'UNNEST',
    category,
    description: 'One row per element of an array: the name that standard SQL has for EXPLODE.',
    overloads: [elements()],
  },
  {
    kind: 'table',
    name: 'CUBE_EXPLODE',
    category,
    description:
      'One row per combination of the elements of an array and NULL in their place, each combination once: the keys of a CUBE.',
    overloads: [rows<[Items | null]>('(ARRAY<T>) -> ARRAY<T>', ([items], ctx) => cube(items, ctx))],
  },
  {
    kind: 'table',
    name: 'SERIES',
    category,
    description: 'One row per number from one to another, both included, by a step of 1 or as given.',
    overloads: [
      rows<[number | null, number | null]>('(INT, INT) -> INT', ([a, b], ctx) => numbers(a, b, null, ctx)),
      rows<[bigint | null, bigint | null]>('(BIGINT, BIGINT) -> BIGINT', ([a, b], ctx) =>
        numbers(a, b, null, ctx),
      ),
      rows<[number | null, number | null, number | null]>('(INT, INT, INT) -> INT', ([a, b, step], ctx) =>
        step === null ? [] : numbers(a, b, step, ctx),
      ),
      rows<[bigint | null, bigint | null, number | null]>(
        '(BIGINT, BIGINT, INT) -> BIGINT',
        ([a, b, step], ctx) => (step === null ? [] : numbers(a, b, step, ctx)),
      ),
    ],
  },
  {
    kind: 'table',
    name: 'SERIES_ROWS',
    category,
    description:
      'What `generate_series(from, to, step)` means in FROM: as SERIES, and no rows where the step leads away.',
    overloads: [
      rows<[number | null, number | null, number | null]>('(INT, INT, INT) -> INT', steps),
      rows<[bigint | null, bigint | null, number | null]>('(BIGINT, BIGINT, INT) -> BIGINT', steps),
    ],
  },
];

function rows<A extends readonly (Value | null)[]>(
  signature: string,
  run: (args: A, ctx: EvalContext) => Items,
): Overload {
  const evaluate = run as unknown as ReturnType<Overload['make']>;
  return { signature, make: () => evaluate };
}

function elements(): Overload {
  return rows<[Items | null]>('(ARRAY<T>) -> T', ([items]) => items ?? []);
}

function numbers<N extends number | bigint>(
  from: N | null,
  to: N | null,
  step: number | null,
  ctx: EvalContext,
): readonly N[] {
  return from === null || to === null ? [] : (series(from, to, step, ctx) ?? []);
}

function steps<N extends number | bigint>(
  [from, to, step]: readonly [N | null, N | null, number | null],
  ctx: EvalContext,
): readonly N[] {
  if (from === null || to === null || step === null) return [];
  const away = step > 0 ? from > to : step < 0 && from < to;
  return away ? [] : numbers(from, to, step, ctx);
}

/** In binary order: the last element changes fastest. An element that is NULL already has one form, not two. */
function cube(items: Items | null, ctx: EvalContext): Items {
  if (items === null) return [];
  const n = items.length;
  if (n > MAX_CUBE) {
    ctx.fail(`CUBE_EXPLODE: more than ${MAX_CUBE} elements`);
    return [];
  }
  const combinations: Items[] = [];
  for (let mask = 0; mask < 1 << n; mask++) {
    const kept = (i: number) => (mask & (1 << (n - 1 - i))) !== 0;
    if (items.some((v, i) => v === null && kept(i))) continue;
    combinations.push(items.map((v, i) => (kept(i) ? v : null)));
  }
  return combinations;
}
