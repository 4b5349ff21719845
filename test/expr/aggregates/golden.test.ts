import { describe, expect, it } from 'vitest';
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  STRING,
  structOf,
  typeText,
} from '../../../src/core/sql-type.ts';
import { completeAggregate } from '../../../src/expr/aggregates/complete.ts';
import { accumulate, at, foldOf, over, results, returnsOf } from './folding.ts';

const type = (name: string, ...args: Parameters<typeof returnsOf>[1]) => {
  const returns = returnsOf(name, args);
  return typeof returns === 'string' ? returns : typeText(returns);
};

describe('COUNT', () => {
  it('counts rows, or rows without NULL among the arguments', () => {
    expect(results(foldOf('COUNT', []), [[], []])).toEqual([1n, 2n]);
    expect(over(foldOf('COUNT', [STRING]), ['a', null, 'a'])).toBe(2n);
    const two = foldOf('COUNT', [STRING, INT]);
    expect(
      two.result(
        accumulate(two, [
          ['a', 1],
          ['a', null],
        ]),
      ),
    ).toBe(1n);
    expect(over(foldOf('COUNT', [STRING]), [])).toBe(0n);
  });

  it('DISTINCT counts different values exactly', () => {
    expect(over(foldOf('COUNT_DISTINCT', [STRING]), ['one', 'two', 'one', null])).toBe(2n);
    expect(over(foldOf('COUNT_DISTINCT', [arrayOf(INT)]), [[1, 2], [1], [1, 2]])).toBe(2n);
  });
});

describe('SUM', () => {
  it('has the type of its argument in strict mode and 0 over nothing', () => {
    expect(type('SUM', INT)).toBe('INT');
    expect(type('SUM', BIGINT)).toBe('BIGINT');
    expect(type('SUM', DOUBLE)).toBe('DOUBLE');
    expect(type('SUM', decimal(4, 2))).toBe('DECIMAL(4, 2)');
    expect(type('SUM', STRING)).toContain('SUM does not take (STRING)');
    expect(over(foldOf('SUM', [INT]), [null])).toBe(0);
    expect(over(foldOf('SUM', [INT]), [1, null, 2])).toBe(3);
    expect(over(foldOf('SUM', [decimal(4, 2)]), [1050n, 25n])).toBe(1075n);
  });

  it('is wider in complete mode and NULL over nothing', () => {
    expect(type('SUM_OR_NULL', INT)).toBe('BIGINT');
    expect(type('SUM_OR_NULL', BIGINT)).toBe('DECIMAL(38, 0)');
    expect(type('SUM_OR_NULL', decimal(4, 2))).toBe('DECIMAL(38, 2)');
    expect(over(foldOf('SUM_OR_NULL', [INT]), [null])).toBeNull();
    expect(over(foldOf('SUM_OR_NULL', [INT]), [2147483647, 1])).toBe(2147483648n);
    expect(over(foldOf('SUM_OR_NULL', [decimal(4, 2)]), [9999n, 9999n])).toBe(19998n);
  });

  it('out of range is NULL and reported, and comes back', () => {
    const fold = foldOf('SUM', [INT]);
    const failures: string[] = [];
    let acc = fold.add(fold.init(), [2147483647], at(0, failures));
    acc = fold.add(acc, [1], at(1, failures));
    expect(fold.result(acc)).toBeNull();
    expect(failures).toEqual(['SUM 2147483648 is out of range']);
    expect(fold.result(fold.add(acc, [-1], at(2, failures)))).toBe(2147483647);
    expect(over(foldOf('SUM', [decimal(3, 1)]), [999n, 1n])).toBeNull();
  });

  it('of DOUBLE is a left fold over append input, exact over changing rows', () => {
    const values = [1e16, 1, 1, -1e16];
    expect(over(foldOf('SUM', [DOUBLE]), values)).toBe(0);
    const exact = foldOf('SUM', [DOUBLE]).retracting;
    expect(exact && over(exact, values)).toBe(2);
  });

  it('sums lists', () => {
    const fold = foldOf('SUM_LIST', [arrayOf(INT)]);
    expect(results(fold, [[[1, 1]], [[2, null]], [null]])).toEqual([2, 4, 4]);
  });
});

describe('AVG', () => {
  it('is DOUBLE in strict mode, 0 over nothing', () => {
    expect(over(foldOf('AVG', [INT]), [1, 2, null])).toBe(1.5);
    expect(over(foldOf('AVG', [BIGINT]), [9223372036854775807n, 9223372036854775807n])).toBe(2 ** 63);
    expect(over(foldOf('AVG', [decimal(4, 2)]), [100n, 225n])).toBe(1.625);
    expect(over(foldOf('AVG', [DOUBLE]), [])).toBe(0);
    expect(over(foldOf('AVG_OR_NULL', [DOUBLE]), [null])).toBeNull();
  });

  it('of DECIMAL in complete mode is rounded half up to six places or more', () => {
    expect(type('AVG_DECIMAL', decimal(10, 2))).toBe('DECIMAL(38, 6)');
    expect(type('AVG_DECIMAL', decimal(20, 8))).toBe('DECIMAL(38, 8)');
    expect(over(foldOf('AVG_DECIMAL', [decimal(10, 2)]), [100n, 100n, 0n])).toBe(666_667n);
    expect(over(foldOf('AVG_DECIMAL', [decimal(10, 2)]), [-100n, -100n, 0n])).toBe(-666_667n);
    expect(over(foldOf('AVG_DECIMAL', [decimal(10, 2)]), [])).toBeNull();
  });

  it('is chosen by mode and type', () => {
    expect(completeAggregate('AVG', [decimal(4, 2)])).toBe('AVG_DECIMAL');
    expect(completeAggregate('AVG', [INT])).toBe('AVG_OR_NULL');
    expect(completeAggregate('SUM', [INT])).toBe('SUM_OR_NULL');
    expect(completeAggregate('MAX', [INT])).toBe('MAX');
  });
});

describe('MIN and MAX', () => {
  it('take every type that has an order', () => {
    expect(over(foldOf('MIN', [STRING]), ['b', null, 'a'])).toBe('a');
    expect(over(foldOf('MAX', [decimal(4, 2)]), [100n, -5n])).toBe(100n);
    expect(over(foldOf('MAX', [DATE]), [1, 3, 2])).toBe(3);
    expect(over(foldOf('MIN', [BYTES]), [Uint8Array.of(200), Uint8Array.of(7)])).toEqual(Uint8Array.of(7));
    expect(over(foldOf('MAX', [INT]), [null])).toBeNull();
    expect(type('MAX', arrayOf(INT))).toContain('MAX does not take');
  });
});

describe('collections', () => {
  it('COLLECT_LIST keeps order and NULLs, up to the limit', () => {
    expect(over(foldOf('COLLECT_LIST', [INT]), [3, null, 3, 1])).toEqual([3, null, 3, 1]);
    const many = Array.from({ length: 1001 }, (_, i) => i);
    expect(over(foldOf('COLLECT_LIST', [INT]), many)).toHaveLength(1000);
    expect(over(foldOf('COLLECT_LIST', [INT], [1]), [5, 6])).toEqual([5]);
  });

  it('COLLECT_SET keeps each value once where it first came', () => {
    expect(over(foldOf('COLLECT_SET', [decimal(4, 1)]), [54n, null, 54n, 10n, null])).toEqual([
      54n,
      null,
      10n,
    ]);
    expect(over(foldOf('COLLECT_SET', [arrayOf(INT)]), [[1, 2], [1, 2], [2]])).toEqual([[1, 2], [2]]);
  });

  it('results do not change when the fold goes on', () => {
    for (const name of ['COLLECT_LIST', 'COLLECT_SET', 'HISTOGRAM']) {
      const fold = foldOf(name, [STRING]);
      const acc = fold.add(fold.init(), ['a'], at(0));
      const first = fold.result(acc);
      const before = structuredClone(first);
      fold.add(acc, ['b'], at(1));
      expect(first).toEqual(before);
    }
  });

  it('HISTOGRAM counts texts', () => {
    expect(type('HISTOGRAM', STRING)).toBe(typeText(mapOf(STRING, BIGINT)));
    expect(over(foldOf('HISTOGRAM', [STRING]), ['foo', 'bar', null, 'foo'])).toEqual(
      new Map([
        ['foo', 2n],
        ['bar', 1n],
      ]),
    );
  });
});

describe('EARLIEST and LATEST_BY_OFFSET', () => {
  const rows = [null, 12, null, 13, 14, null];

  it('ignore NULLs unless told otherwise', () => {
    expect(over(foldOf('EARLIEST_BY_OFFSET', [INT]), rows)).toBe(12);
    expect(over(foldOf('LATEST_BY_OFFSET', [INT]), rows)).toBe(14);
    expect(over(foldOf('EARLIEST_BY_OFFSET', [INT], [false]), rows)).toBeNull();
    expect(over(foldOf('LATEST_BY_OFFSET', [INT], [false]), rows)).toBeNull();
    expect(over(foldOf('LATEST_BY_OFFSET', [INT], [true]), rows)).toBe(14);
  });

  it('give the first or last N as an array', () => {
    expect(over(foldOf('EARLIEST_BY_OFFSET', [INT], [2]), rows)).toEqual([12, 13]);
    expect(over(foldOf('LATEST_BY_OFFSET', [INT], [2]), rows)).toEqual([13, 14]);
    expect(over(foldOf('LATEST_BY_OFFSET', [INT], [2, false]), rows)).toEqual([14, null]);
    expect(over(foldOf('EARLIEST_BY_OFFSET', [INT], [2]), [null])).toEqual([]);
    expect(() => foldOf('LATEST_BY_OFFSET', [INT], [0])).toThrow('at least 1');
  });

  it('merged sessions go by sequence, not by session', () => {
    const fold = foldOf('LATEST_BY_OFFSET', [STRING]);
    const earlySession = accumulate(fold, [['came last']], 9);
    const lateSession = accumulate(fold, [['came first']], 5);
    expect(fold.result(fold.merge?.(earlySession, lateSession) ?? null)).toBe('came last');
  });
});

describe('TOPK', () => {
  it('gives the largest first, the earlier of equal ones first', () => {
    const fold = foldOf('TOPK', [BIGINT], [3]);
    expect(over(fold, [7n, 100n, null, 99n, 8n, 100n])).toEqual([100n, 100n, 99n]);
    expect(type('TOPK', arrayOf(INT), INT)).toContain('have no order');
    expect(() => foldOf('TOPK', [INT], [0])).toThrow('at least 1');
  });

  it('with further columns gives STRUCTs', () => {
    const row = structOf([
      { name: 'sort_col', type: INT },
      { name: 'col0', type: STRING },
    ]);
    expect(type('TOPK', INT, STRING, INT)).toBe(typeText(arrayOf(row)));
    const fold = foldOf('TOPK', [INT, STRING], [2]);
    const rows = [
      [0, 'zero'],
      [100, 'one'],
      [null, 'none'],
      [100, null],
    ];
    expect(fold.result(accumulate(fold, rows))).toEqual([
      [100, 'one'],
      [100, null],
    ]);
  });

  it('DISTINCT takes each value once', () => {
    expect(over(foldOf('TOPKDISTINCT', [INT], [3]), [0, 100, 99, 7, 100])).toEqual([100, 99, 7]);
  });
});

describe('deviation and correlation', () => {
  it('STDDEV_SAMPLE is the root of the sample variance', () => {
    const values = [10, 12, 13, 14, 16];
    expect(
      results(
        foldOf('STDDEV_SAMPLE', [DOUBLE]),
        values.map(v => [v]),
      ),
    ).toEqual([0, Math.SQRT2, 1.5275252316519465, 1.707825127659933, 2.23606797749979]);
    expect(over(foldOf('STDDEV_SAMP', [DOUBLE]), [10, 12])).toBe(2);
    expect(over(foldOf('STDDEV_OR_NULL', [DOUBLE]), [10])).toBeNull();
  });

  it('CORRELATION skips rows with a NULL and is NaN below two rows', () => {
    const fold = foldOf('CORRELATION', [DOUBLE, DOUBLE]);
    const rows = [
      [1.5, 8],
      [13.1, null],
      [-1, -2],
      [3, 11],
    ];
    const [first, second, third, fourth] = results(fold, rows);
    expect(first).toBeNaN();
    expect(second).toBeNaN();
    expect(third).toBe(1);
    expect(fourth).toBeCloseTo(0.9874, 3);
  });
});

describe('ATTR', () => {
  it('is the one value of all rows; NULL counts as a value', () => {
    expect(over(foldOf('ATTR', [STRING]), ['s', 's'])).toBe('s');
    expect(over(foldOf('ATTR', [STRING]), ['s', null])).toBeNull();
    expect(over(foldOf('ATTR', [STRING]), ['s', 't'])).toBeNull();
  });
});

describe('BOOL_AND and BOOL_OR', () => {
  it('skip NULLs, and are NULL of nothing', () => {
    expect(over(foldOf('BOOL_AND', [BOOLEAN]), [true, null, true])).toBe(true);
    expect(over(foldOf('BOOL_AND', [BOOLEAN]), [true, false])).toBe(false);
    expect(over(foldOf('BOOL_OR', [BOOLEAN]), [false, null])).toBe(false);
    expect(over(foldOf('BOOL_OR', [BOOLEAN]), [false, true])).toBe(true);
    expect(over(foldOf('BOOL_OR', [BOOLEAN]), [null])).toBeNull();
  });
});

describe('VAR_SAMP', () => {
  it('is the sample variance, NULL below two values', () => {
    expect(over(foldOf('VAR_SAMP', [DOUBLE]), [1, 3])).toBe(2);
    expect(over(foldOf('VAR_SAMP', [DOUBLE]), [1])).toBeNull();
  });
});

describe('SINGLE_VALUE', () => {
  it('is the one value of all rows; NULL counts as a value', () => {
    expect(over(foldOf('SINGLE_VALUE', [STRING]), ['s', 's'])).toBe('s');
    expect(over(foldOf('SINGLE_VALUE', [STRING]), [null])).toBeNull();
    expect(over(foldOf('SINGLE_VALUE', [STRING]), ['s', 't'])).toBeNull();
  });
});

describe('what strict SQL takes over a TABLE', () => {
  it('is told by retract; the others can be retracted in views alone', () => {
    const folds = {
      strict: ['COUNT', 'SUM', 'AVG', 'COLLECT_LIST', 'HISTOGRAM', 'STDDEV_SAMPLE', 'ATTR'],
      viewsOnly: ['MIN', 'MAX', 'COLLECT_SET', 'COUNT_DISTINCT', 'EARLIEST_BY_OFFSET', 'LATEST_BY_OFFSET'],
    };
    const argument = (name: string) => (name === 'HISTOGRAM' ? STRING : DOUBLE);
    for (const name of folds.strict)
      expect([name, !!foldOf(name, [argument(name)]).retract]).toEqual([name, true]);
    for (const name of folds.viewsOnly) {
      const fold = foldOf(name, [argument(name)]);
      expect([name, !!fold.retract, !!fold.retracting?.retract]).toEqual([name, false, true]);
    }
  });
});
