import type { EvalContext, ScalarFunction, ScalarOverload } from '../functions.ts';
import { type Described, overload, scalar } from './define.ts';
import { radians } from './numbers.ts';

const category = 'MATHEMATICAL';

const unary: readonly (readonly [string, string, (n: number) => number])[] = [
  ['ACOS', 'The arc cosine in radians; NaN outside -1 to 1.', Math.acos],
  ['ASIN', 'The arc sine in radians; NaN outside -1 to 1.', Math.asin],
  ['ATAN', 'The arc tangent in radians.', Math.atan],
  ['CBRT', 'The cube root.', Math.cbrt],
  ['COS', 'The cosine of an angle in radians.', Math.cos],
  ['COSH', 'The hyperbolic cosine.', Math.cosh],
  ['COT', 'The cotangent of an angle in radians; infinite at 0.', n => 1 / Math.tan(n)],
  ['DEGREES', 'Radians as degrees.', n => (n * 180) / Math.PI],
  ['EXP', 'The number e raised to the power of the value.', Math.exp],
  ['LN', 'The natural logarithm; -Infinity at 0, NaN below.', Math.log],
  ['LOG10', 'The logarithm to base 10; -Infinity at 0, NaN below.', Math.log10],
  ['RADIANS', 'Degrees as radians.', radians],
  ['SIN', 'The sine of an angle in radians.', Math.sin],
  ['SINH', 'The hyperbolic sine.', Math.sinh],
  ['SQRT', 'The square root; NaN below 0.', Math.sqrt],
  ['TAN', 'The tangent of an angle in radians.', Math.tan],
  ['TANH', 'The hyperbolic tangent.', Math.tanh],
];

const binary: readonly (readonly [string, readonly string[], string, (a: number, b: number) => number])[] = [
  ['ATAN2', [], 'The angle in radians of the point (x, y); y comes first.', Math.atan2],
  ['POWER', ['POW'], 'The first argument raised to the power of the second.', (a, b) => a ** b],
];

/** Where PostgreSQL refuses what IEEE 754 answers with NaN or an infinity. */
const REFUSED = new Set(['ACOS', 'ASIN', 'EXP', 'LN', 'LOG', 'LOG10', 'SQRT', 'POWER']);

/**
 * Functions of DOUBLEs; outside their domain they give NaN or infinities, as IEEE 754 and ksqlDB have it. Those that
 * PostgreSQL refuses there have a second entry, `..._IN_DOMAIN`, which fails instead.
 */
export const trigonometricFunctions: readonly ScalarFunction[] = [
  ...unary.flatMap(([name, description, run]) => {
    const overloads = (evaluate: Evaluate) => [overload<[number]>('(DOUBLE) -> DOUBLE', evaluate)];
    return withDomain({ name, category, description }, overloads, ([n = 0]) => run(n));
  }),
  ...binary.flatMap(([name, aliases, description, run]) => {
    const overloads = (evaluate: Evaluate) => [
      overload<[number, number]>('(DOUBLE, DOUBLE) -> DOUBLE', evaluate),
    ];
    return withDomain({ name, aliases, category, description }, overloads, ([a = 0, b = 0]) => run(a, b));
  }),
  ...withDomain(
    {
      name: 'LOG',
      category,
      description: 'The logarithm to base 10, or to a base that comes first; -Infinity at 0, NaN below.',
    },
    evaluate => [
      overload<[number]>('(DOUBLE) -> DOUBLE', evaluate),
      overload<[number, number]>('(DOUBLE, DOUBLE) -> DOUBLE', evaluate),
    ],
    ([a = 0, b]) => (b === undefined ? Math.log10(a) : logarithm(a, b)),
  ),
  scalar(
    { name: 'PI', category, description: 'The ratio of a circle to its diameter.' },
    overload<[]>('() -> DOUBLE', () => Math.PI),
  ),
];

type Evaluate = (args: readonly number[], ctx: EvalContext) => number | null;

function withDomain(
  described: Described,
  overloads: (evaluate: Evaluate) => ScalarOverload[],
  run: (args: readonly number[]) => number,
): ScalarFunction[] {
  const { name, description } = described;
  if (!REFUSED.has(name)) return [scalar(described, ...overloads(run))];
  const inDomain: Evaluate = (args, ctx) => {
    const result = run(args);
    if (Number.isFinite(result) || !args.every(Number.isFinite)) return result;
    return ctx.fail(`${name}: the argument is outside the domain, or the result too large`);
  };
  const complete = `${name}_IN_DOMAIN`;
  const stem = description.replace(/[;.].*$/s, '');
  return [
    scalar({ ...described, complete }, ...overloads(run)),
    scalar(
      { name: complete, category, description: `${stem}; NULL outside its domain.` },
      ...overloads(inDomain),
    ),
  ];
}

function logarithm(base: number, n: number): number {
  if (base <= 0 || base === 1) return Number.NaN;
  if (base === 10) return Math.log10(n);
  if (base === 2) return Math.log2(n);
  return Math.log(n) / Math.log(base);
}
