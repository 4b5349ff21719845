import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDecimals,
  compareDecimals,
  decimalToDouble,
  divideDecimals,
  divideHalfUp,
  doubleToDecimal,
  fitsPrecision,
  formatDecimal,
  multiplyDecimals,
  parseDecimal,
  remainderDecimals,
  rescale,
  subtractDecimals,
} from '../../../src/expr/decimal.ts';

/** An operation on numbers written as text, result at `scale`. */
function on(op: typeof addDecimals, a: string, b: string, scale: number): string {
  const x = parseDecimal(a);
  const y = parseDecimal(b);
  if (!x || !y) throw new Error('no number');
  return formatDecimal(op({ a: x.unscaled, aScale: x.scale, b: y.unscaled, bScale: y.scale, scale }), scale);
}

describe('decimal arithmetic', () => {
  it('is exact where floats are not', () => {
    expect(on(addDecimals, '0.1', '0.2', 1)).toBe('0.3');
    expect(on(subtractDecimals, '100000000000000000000.01', '0.02', 2)).toBe('99999999999999999999.99');
    expect(on(multiplyDecimals, '1.05', '-3.3', 3)).toBe('-3.465');
    expect(on(divideDecimals, '1', '3', 6)).toBe('0.333333');
    expect(on(remainderDecimals, '-7.5', '2', 1)).toBe('-1.5');
  });

  it('rounds halves away from zero', () => {
    expect(rescale(125n, 2, 1)).toBe(13n);
    expect(rescale(-125n, 2, 1)).toBe(-13n);
    expect(rescale(124n, 2, 1)).toBe(12n);
    expect(on(divideDecimals, '2', '3', 2)).toBe('0.67');
    expect(on(divideDecimals, '-1', '8', 2)).toBe('-0.13');
    expect(divideHalfUp(5n, -2n)).toBe(-3n);
  });

  it('knows its precision', () => {
    expect(fitsPrecision(999n, 3)).toBe(true);
    expect(fitsPrecision(1000n, 3)).toBe(false);
    expect(fitsPrecision(-999n, 3)).toBe(true);
    expect(fitsPrecision(-1000n, 3)).toBe(false);
  });

  it('compares numbers of different scales', () => {
    expect(compareDecimals(10n, 1, 100n, 2)).toBe(0);
    expect(compareDecimals(-10n, 1, 0n, 2)).toBeLessThan(0);
    expect(compareDecimals(101n, 2, 1n, 0)).toBeGreaterThan(0);
  });
});

describe('decimal text', () => {
  it.each([
    ['12.50', 1250n, 2],
    ['-.5', -5n, 1],
    ['+7.', 7n, 0],
    ['1.5e3', 1500n, 0],
    ['1.5E-3', 15n, 4],
    [' 42 ', 42n, 0],
  ])('reads %s', (text, unscaled, scale) => {
    expect(parseDecimal(text)).toEqual({ unscaled, scale });
  });

  it.each(['', '.', 'e5', '1,5', '0x1', '1 2', 'NaN', '1e99999'])('refuses %j', text => {
    expect(parseDecimal(text)).toBeNull();
  });

  it('writes and reads back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), fc.nat(38), (unscaled, scale) => {
        expect(parseDecimal(formatDecimal(unscaled, scale))).toEqual({ unscaled, scale });
      }),
    );
  });

  it('goes to the nearest double and back', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }),
        fc.nat(15),
        (unscaled, scale) => {
          expect(doubleToDecimal(decimalToDouble(unscaled, scale), scale)).toBe(unscaled);
        },
      ),
    );
    expect(doubleToDecimal(1.1, 2)).toBe(110n);
    expect(doubleToDecimal(1e21, 0)).toBe(10n ** 21n);
    expect(doubleToDecimal(Number.NaN, 2)).toBeNull();
  });
});
