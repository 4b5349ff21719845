import type { ScalarFunction } from '../functions.ts';
import { overload, scalar } from './define.ts';
import { radians } from './numbers.ts';

const category = 'MATHEMATICAL';

/** Functions of DOUBLEs; outside their domain they give NaN or infinities, as IEEE 754 has it. */
export const trigonometricFunctions: readonly ScalarFunction[] = [
  one('ACOS', 'The arc cosine in radians; NaN outside -1 to 1.', Math.acos),
  one('ASIN', 'The arc sine in radians; NaN outside -1 to 1.', Math.asin),
  one('ATAN', 'The arc tangent in radians.', Math.atan),
  two('ATAN2', [], 'The angle in radians of the point (x, y); y comes first.', Math.atan2),
  one('CBRT', 'The cube root.', Math.cbrt),
  one('COS', 'The cosine of an angle in radians.', Math.cos),
  one('COSH', 'The hyperbolic cosine.', Math.cosh),
  one('COT', 'The cotangent of an angle in radians; infinite at 0.', n => 1 / Math.tan(n)),
  one('DEGREES', 'Radians as degrees.', n => (n * 180) / Math.PI),
  one('EXP', 'The number e raised to the power of the value.', Math.exp),
  one('LN', 'The natural logarithm; -Infinity at 0, NaN below.', Math.log),
  one('LOG10', 'The logarithm to base 10.', Math.log10),
  one('RADIANS', 'Degrees as radians.', radians),
  one('SIN', 'The sine of an angle in radians.', Math.sin),
  one('SINH', 'The hyperbolic sine.', Math.sinh),
  one('SQRT', 'The square root; NaN below 0.', Math.sqrt),
  one('TAN', 'The tangent of an angle in radians.', Math.tan),
  one('TANH', 'The hyperbolic tangent.', Math.tanh),
  two('POWER', ['POW'], 'The first argument raised to the power of the second.', power),
  scalar(
    {
      name: 'LOG',
      category,
      description: 'The logarithm to base 10, or to a base that comes first; -Infinity at 0, NaN below.',
    },
    overload<[number]>('(DOUBLE) -> DOUBLE', ([n]) => Math.log10(n)),
    overload<[number, number]>('(DOUBLE, DOUBLE) -> DOUBLE', ([base, n]) => logarithm(base, n)),
  ),
  scalar(
    { name: 'PI', category, description: 'The ratio of a circle to its diameter.' },
    overload<[]>('() -> DOUBLE', () => Math.PI),
  ),
];

function one(name: string, description: string, run: (n: number) => number): ScalarFunction {
  return scalar(
    { name, category, description },
    overload<[number]>('(DOUBLE) -> DOUBLE', ([n]) => run(n)),
  );
}

function two(
  name: string,
  aliases: readonly string[],
  description: string,
  run: (a: number, b: number) => number,
): ScalarFunction {
  return scalar(
    { name, aliases, category, description },
    overload<[number, number]>('(DOUBLE, DOUBLE) -> DOUBLE', ([a, b]) => run(a, b)),
  );
}

function power(base: number, exponent: number): number {
  return base ** exponent;
}

function logarithm(base: number, n: number): number {
  if (base <= 0 || base === 1) return Number.NaN;
  if (base === 10) return Math.log10(n);
  if (base === 2) return Math.log2(n);
  return Math.log(n) / Math.log(base);
}
