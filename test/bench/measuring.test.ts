import { describe, expect, it } from 'vitest';
import { holds, interleaved, median, percentile, ratio } from '../../bench/bench.ts';
import { sameGroups } from '../../bench/fraud.ts';

describe('a bench', () => {
  it('lets contenders take turns, round by round', async () => {
    const turns: string[] = [];
    const run = (name: string) => () => {
      turns.push(name);
      return turns.length;
    };
    expect(await interleaved({ a: run('a'), b: run('b') }, 3)).toEqual({ a: [1, 3, 5], b: [2, 4, 6] });
    expect(turns.join('')).toBe('ababab');
  });

  it('compares within a round: a slow minute of the machine is everybody’s', () => {
    // the second round took ten times as long for both
    expect(ratio([10, 100, 12], [20, 200, 24])).toBe(2);
  });

  it('takes the middle of its rounds', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 9])).toBe(3);
    expect(median([])).toBeNaN();
  });

  it.each([
    [0.5, 50],
    [0.99, 99],
    [0.999, 100],
    [1, 100],
  ])('the %d percentile of 1..100 is %d', (share, value) => {
    expect(
      percentile(
        Array.from({ length: 100 }, (_, i) => 100 - i),
        share,
      ),
    ).toBe(value);
  });

  it('keeps a promise at its bound and breaks it beyond', () => {
    const figure = { name: 'x', what: 'x', unit: '' };
    expect(holds({ ...figure, value: 1.5, floor: 1.5 })).toBe(true);
    expect(holds({ ...figure, value: 1.49, floor: 1.5 })).toBe(false);
    expect(holds({ ...figure, value: 10, ceiling: 10 })).toBe(true);
    expect(holds({ ...figure, value: 10.1, ceiling: 10 })).toBe(false);
    expect(holds({ ...figure, value: Number.NaN, floor: 1 })).toBe(false);
    expect(holds({ ...figure, value: 7 })).toBe(true);
  });

  it('fails when contenders do not agree on the answer', () => {
    const answer = { contender: 'one', groups: 3, attempts: 12, cents: 99 };
    expect(() => sameGroups([answer, { ...answer, contender: 'two' }])).not.toThrow();
    expect(() => sameGroups([answer, { ...answer, contender: 'two', cents: 98 }])).toThrow(
      'one has 3 groups, 12 attempts, 99 cents, two has 3 groups, 12 attempts, 98 cents',
    );
  });
});
