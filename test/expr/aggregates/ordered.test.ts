import { describe, expect, it } from 'vitest';
import { DOUBLE, decimal, INT, STRING, typeText } from '../../../src/core/sql-type.ts';
import { accumulate, at, foldOf, over, returnsOf } from './folding.ts';

describe('STRING_AGG and ARRAY_AGG', () => {
  it('hold the values as they came; a text that is NULL is none, nothing at all is NULL', () => {
    const texts = foldOf('STRING_AGG', [STRING], [', ']);
    expect(over(texts, ['b', null, 'a', 'b'])).toBe('b, a, b');
    expect(over(texts, [null])).toBeNull();
    expect(over(foldOf('ARRAY_AGG', [INT]), [2, null, 1])).toEqual([2, null, 1]);
    expect(over(foldOf('ARRAY_AGG', [INT]), [])).toBeNull();
  });

  it('follow an order; rows that it does not tell apart stay as they came', () => {
    const fold = foldOf('ARRAY_AGG_BY', [STRING, INT], ['desc last']);
    const rows = [
      ['a', 1],
      ['b', 2],
      ['c', null],
      ['d', 2],
      ['e', 1],
    ] as const;
    expect(fold.result(accumulate(fold, rows))).toEqual(['b', 'd', 'a', 'e', 'c']);
  });

  it('let go of the last of equal rows', () => {
    const fold = foldOf('ARRAY_AGG_BY', [STRING, INT], ['asc first']).retracting;
    if (!fold?.retract) throw new Error('ARRAY_AGG takes rows away');
    const rows = [
      ['a', 1],
      ['b', 1],
      ['a', 1],
    ] as const;
    const acc = fold.retract(accumulate(fold, rows), ['a', 1], at(3));
    expect(fold.result(acc)).toEqual(['a', 'b']);
  });

  it('DISTINCT shows a value as long as any row has it', () => {
    const fold = foldOf('ARRAY_AGG_BY', [INT, INT], ['distinct asc last']).retracting;
    if (!fold?.retract) throw new Error('ARRAY_AGG takes rows away');
    const acc = accumulate(fold, [
      [2, 2],
      [null, null],
      [1, 1],
      [2, 2],
    ]);
    expect(fold.result(acc)).toEqual([1, 2, null]);
    expect(fold.result(fold.retract(acc, [2, 2], at(4)))).toEqual([1, 2, null]);
  });
});

describe('PERCENTILE_CONT and MEDIAN', () => {
  const quarter = foldOf('PERCENTILE_CONT', [DOUBLE], [0.25, false]);

  it('lie between two values', () => {
    expect(over(quarter, [4, 1, null, 2, 3])).toBe(1.75);
    expect(over(foldOf('PERCENTILE_CONT', [DOUBLE], [0.25, true]), [4, 1, 2, 3])).toBe(3.25);
    expect(over(foldOf('MEDIAN', [INT]), [1, 2])).toBe(1.5);
    expect(over(quarter, [null])).toBeNull();
  });

  it('are exact of DECIMALs, rounded half up to six places or more', () => {
    const median = foldOf('MEDIAN', [decimal(10, 2)]);
    expect(typeText(returnsOf('MEDIAN', [decimal(10, 2)]) as never)).toBe('DECIMAL(38, 6)');
    expect(over(median, [101n, 100n])).toBe(1_005_000n);
    const ninth = foldOf('PERCENTILE_CONT', [decimal(30, 7)], [0.9, false]);
    expect(over(ninth, [0n, 1n])).toBe(1n);
  });

  it('take parts from 0 to 1', () => {
    expect(() => foldOf('PERCENTILE_CONT', [DOUBLE], [1.5, false])).toThrow('from 0 to 1, not 1.5');
  });
});

describe('PERCENTILE_DISC and MODE', () => {
  it('are values of the group', () => {
    const half = foldOf('PERCENTILE_DISC', [STRING], [0.5, false]);
    expect(over(half, ['d', 'a', null, 'c', 'b'])).toBe('b');
    expect(over(foldOf('PERCENTILE_DISC', [STRING], [0, false]), ['b', 'a'])).toBe('a');
    expect(over(foldOf('MODE', [STRING], [false]), ['b', 'a', 'b', 'a', 'c', null, null, null])).toBe('a');
    expect(over(foldOf('MODE', [STRING], [true]), ['b', 'a', 'b', 'a', 'c'])).toBe('b');
  });
});

describe('of the whole group', () => {
  const rows = [
    [1, 2],
    [3, 8],
    [null, 5],
    [5, null],
  ] as const;
  const result = (name: string) => {
    const fold = foldOf(name, [DOUBLE, DOUBLE]);
    return fold.result(accumulate(fold, rows));
  };

  it('variance and deviation', () => {
    expect(over(foldOf('VAR_POP', [DOUBLE]), [1, 3, null])).toBe(1);
    expect(over(foldOf('STDDEV_POP', [DOUBLE]), [1, 5])).toBe(2);
    expect(over(foldOf('VAR_POP', [DOUBLE]), [])).toBeNull();
  });

  it('covariance and correlation of the rows that have both', () => {
    expect(result('COVAR_POP')).toBe(3);
    expect(result('COVAR_SAMP')).toBe(6);
    expect(result('CORR')).toBe(1);
    expect(
      foldOf('CORR', [DOUBLE, DOUBLE]).result(accumulate(foldOf('CORR', [DOUBLE, DOUBLE]), [[1, 2]])),
    ).toBeNull();
  });
});
