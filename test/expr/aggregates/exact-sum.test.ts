import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactly, minus, plus, times, toDouble, ZERO } from '../../../src/expr/aggregates/exact-sum.ts';

const sum = (values: readonly number[]) => values.map(exactly).reduce(plus, ZERO);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('exact sums of DOUBLEs', () => {
  it('hold every double exactly, subnormals and extremes too', () => {
    for (const x of [0, 1, -1.5, 0.1, Number.MIN_VALUE, -Number.MAX_VALUE, 2 ** -1022, 5e-324 * 3]) {
      expect(toDouble(exactly(x))).toBe(x);
    }
    fc.assert(
      fc.property(finite, x => {
        expect(toDouble(exactly(x))).toBe(x + 0);
      }),
    );
  });

  it('agree with the machine where one operation rounds once', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        expect(toDouble(sum([a, b]))).toBe(a + b + 0);
        expect(toDouble(minus(exactly(a), exactly(b)))).toBe(a - b + 0);
        expect(toDouble(times(exactly(a), exactly(b)))).toBe(a * b + 0);
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(finite, fc.integer({ min: 1, max: 1_000_000 }), (a, n) => {
        expect(toDouble(exactly(a), BigInt(n))).toBe(a / n + 0);
      }),
      { numRuns: 1000 },
    );
  });

  it('do not depend on the order, and forget what is taken away', () => {
    fc.assert(
      fc.property(fc.array(finite), finite, (values, extra) => {
        const forth = sum(values);
        expect(sum(values.toReversed())).toEqual(forth);
        expect(minus(plus(forth, exactly(extra)), exactly(extra))).toEqual(forth);
      }),
    );
  });

  it('keep what floats lose', () => {
    expect(toDouble(sum([1e308, 1e308, -1e308, -1e308, 1]))).toBe(1);
    expect(toDouble(sum(Array(10).fill(0.1)))).toBe(1);
    expect(toDouble(sum([Number.MAX_VALUE, Number.MAX_VALUE]))).toBe(Number.POSITIVE_INFINITY);
  });

  it('count NaN and infinities, so that they can be taken away', () => {
    const infinity = plus(exactly(5), exactly(Number.POSITIVE_INFINITY));
    expect(toDouble(infinity)).toBe(Number.POSITIVE_INFINITY);
    expect(toDouble(plus(infinity, exactly(Number.NEGATIVE_INFINITY)))).toBeNaN();
    expect(toDouble(minus(infinity, exactly(Number.POSITIVE_INFINITY)))).toBe(5);
    expect(toDouble(minus(plus(exactly(5), exactly(Number.NaN)), exactly(Number.NaN)))).toBe(5);
  });
});
