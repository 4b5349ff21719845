import { describe, expect, it } from 'vitest';
import { standardLibrary } from '../../../src/expr/library.ts';

describe('the standard library', () => {
  it("has every aggregate of ksqlDB's reference", () => {
    expect(standardLibrary.names('aggregate')).toEqual(
      expect.arrayContaining([
        'ATTR',
        'AVG',
        'COLLECT_LIST',
        'COLLECT_SET',
        'CORRELATION',
        'COUNT',
        'COUNT_DISTINCT',
        'EARLIEST_BY_OFFSET',
        'HISTOGRAM',
        'LATEST_BY_OFFSET',
        'MAX',
        'MIN',
        'STDDEV_SAMP',
        'STDDEV_SAMPLE',
        'SUM',
        'TOPK',
        'TOPKDISTINCT',
      ]),
    );
  });

  it('says in one sentence what each function does', () => {
    const silent = standardLibrary
      .names()
      .filter(name => !standardLibrary.find(name)?.description.endsWith('.'));
    expect(silent).toEqual([]);
  });

  it('has no overload that an earlier one of the same signature hides', () => {
    for (const name of standardLibrary.names()) {
      const signatures =
        standardLibrary.find(name)?.overloads.map(o => o.signature.replace(/->.*/, '').trim()) ?? [];
      expect([name, signatures]).toEqual([name, [...new Set(signatures)]]);
    }
  });
});
