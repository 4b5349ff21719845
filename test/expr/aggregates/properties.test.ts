import fc from 'fast-check';
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
  type SqlType,
  STRING,
} from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import type { AggregateFold } from '../../../src/expr/functions.ts';
import { encodeValue } from '../../../src/expr/value-codec.ts';
import { valueKey } from '../../../src/expr/value-key.ts';
import { valuesOf } from '../arbitrary.ts';
import { type Args, accumulate, at, foldOf, stored } from './folding.ts';

interface Case {
  readonly name: string;
  readonly args: readonly SqlType[];
  readonly constants?: readonly Value[];
  /** the order of the result depends on which of several equal rows is taken away */
  readonly unordered?: 'list';
}

const CASES: readonly Case[] = [
  { name: 'COUNT', args: [] },
  { name: 'COUNT', args: [STRING, INT] },
  { name: 'COUNT_DISTINCT', args: [arrayOf(INT)] },
  { name: 'SUM', args: [INT] },
  { name: 'SUM', args: [BIGINT] },
  { name: 'SUM', args: [decimal(20, 4)] },
  { name: 'SUM', args: [DOUBLE] },
  { name: 'SUM_OR_NULL', args: [INT] },
  { name: 'SUM_OR_NULL', args: [BIGINT] },
  { name: 'SUM_OR_NULL', args: [decimal(9, 2)] },
  { name: 'SUM_OR_NULL', args: [DOUBLE] },
  { name: 'SUM_LIST', args: [arrayOf(DOUBLE)] },
  { name: 'AVG', args: [INT] },
  { name: 'AVG', args: [decimal(9, 2)] },
  { name: 'AVG', args: [DOUBLE] },
  { name: 'AVG_OR_NULL', args: [BIGINT] },
  { name: 'AVG_DECIMAL', args: [decimal(9, 2)] },
  { name: 'MIN', args: [INT] },
  { name: 'MIN', args: [DOUBLE] },
  { name: 'MAX', args: [STRING] },
  { name: 'MAX', args: [decimal(20, 2)] },
  { name: 'MAX', args: [BYTES] },
  { name: 'MIN', args: [DATE] },
  { name: 'COLLECT_LIST', args: [INT], unordered: 'list' },
  { name: 'COLLECT_SET', args: [STRING], unordered: 'list' },
  { name: 'ARRAY_AGG', args: [INT], unordered: 'list' },
  { name: 'ARRAY_AGG_BY', args: [DOUBLE, DOUBLE], constants: ['asc last'], unordered: 'list' },
  { name: 'PERCENTILE_CONT', args: [DOUBLE], constants: [0.25, false] },
  { name: 'PERCENTILE_CONT', args: [decimal(9, 2)], constants: [0.9, true] },
  { name: 'PERCENTILE_DISC', args: [STRING], constants: [0.5, true] },
  { name: 'MEDIAN', args: [INT] },
  { name: 'MODE', args: [STRING], constants: [false] },
  { name: 'VAR_POP', args: [DOUBLE] },
  { name: 'STDDEV_POP', args: [DOUBLE] },
  { name: 'COVAR_POP', args: [DOUBLE, DOUBLE] },
  { name: 'COVAR_SAMP', args: [DOUBLE, DOUBLE] },
  { name: 'CORR', args: [DOUBLE, DOUBLE] },
  { name: 'TOPK', args: [INT], constants: [3] },
  { name: 'TOPKDISTINCT', args: [INT], constants: [3] },
  { name: 'HISTOGRAM', args: [STRING] },
  { name: 'STDDEV_SAMP', args: [DOUBLE] },
  { name: 'STDDEV_SAMPLE', args: [DOUBLE] },
  { name: 'STDDEV_OR_NULL', args: [DOUBLE] },
  { name: 'CORRELATION', args: [DOUBLE, DOUBLE] },
  { name: 'ATTR', args: [BOOLEAN] },
];

const title = ({ name, args, constants = [] }: Case) =>
  `${name}(${[...args.map(t => t.kind), ...constants].join(', ')})`;

/** Few different values, so that equal rows meet. */
function rowsOf(args: readonly SqlType[]): fc.Arbitrary<Args[]> {
  if (args.length === 0) return fc.array(fc.constant([]), { maxLength: 10 });
  return fc
    .array(fc.tuple(...args.map(t => valuesOf(t))), { minLength: 1, maxLength: 5 })
    .chain(pool => fc.array(fc.constantFrom(...pool), { maxLength: 12 }));
}

/** Rows, and which of them are taken away again. */
function history(args: readonly SqlType[]): fc.Arbitrary<{ row: Args; gone: boolean }[]> {
  return rowsOf(args).chain(rows =>
    fc.tuple(...rows.map(row => fc.boolean().map(gone => ({ row, gone })))),
  ) as fc.Arbitrary<{ row: Args; gone: boolean }[]>;
}

function comparableResult(result: Value | null, { unordered }: Case, type: SqlType): unknown {
  if (unordered !== 'list') return result;
  const key = valueKey(type);
  return ((result ?? []) as readonly (Value | null)[]).map(key).sort();
}

const retractingFold = (c: Case): AggregateFold => {
  const fold = foldOf(c.name, c.args, c.constants);
  return fold.retracting ?? fold;
};

describe('taking rows away equals never having had them', () => {
  it.each(CASES.map(c => [title(c), c] as const))('%s', (_, c) => {
    const fold = retractingFold(c);
    const { retract } = fold;
    if (!retract) throw new Error(`${c.name} cannot be retracted`);
    fc.assert(
      fc.property(history(c.args), rows => {
        let acc = fold.init();
        for (const [i, { row }] of rows.entries()) acc = stored(fold, fold.add(acc, row, at(i)));
        for (const { row } of rows.filter(r => r.gone)) acc = stored(fold, retract(acc, row, at(99)));
        const kept = rows.filter(r => !r.gone).map(r => r.row);
        const element = c.args[0] ?? INT;
        expect(comparableResult(fold.result(acc), c, element)).toEqual(
          comparableResult(fold.result(accumulate(fold, kept)), c, element),
        );
      }),
    );
  });
});

describe('a state that was stored and read back goes on as if it had not', () => {
  it.each(CASES.map(c => [title(c), c] as const))('%s', (_, c) => {
    for (const fold of [foldOf(c.name, c.args, c.constants), retractingFold(c)]) {
      fc.assert(
        fc.property(rowsOf(c.args), rows => {
          let plain = fold.init();
          for (const [i, row] of rows.entries()) plain = fold.add(plain, row, at(i));
          const kept = accumulate(fold, rows);
          expect(fold.result(kept)).toEqual(fold.result(plain));
          expect(encodeValue(fold.state, kept)).toEqual(encodeValue(fold.state, plain));
        }),
        { numRuns: 50 },
      );
    }
  });
});

describe('merging two sessions equals one over all rows', () => {
  // floating sums depend on the order of additions by definition
  const exact = CASES.filter(
    c => !['STDDEV_SAMP', 'STDDEV_SAMPLE', 'STDDEV_OR_NULL', 'CORRELATION'].includes(c.name),
  )
    .filter(c => !(c.args[0]?.kind === 'DOUBLE' && /SUM|AVG/.test(c.name)))
    .filter(c => c.name !== 'SUM_LIST');
  const both = [
    ...exact.map(c => [title(c), foldOf(c.name, c.args, c.constants), c] as const),
    ...CASES.map(c => [`${title(c)} over changing rows`, retractingFold(c), c] as const),
  ];
  it.each(both)('%s', (_, fold, c) => {
    const { merge } = fold;
    if (!merge) throw new Error('cannot merge');
    fc.assert(
      fc.property(rowsOf(c.args), rowsOf(c.args), (first, second) => {
        const merged = merge(accumulate(fold, first), accumulate(fold, second, first.length));
        expect(fold.result(merged)).toEqual(fold.result(accumulate(fold, [...first, ...second])));
        expect(fold.result(stored(fold, merged))).toEqual(fold.result(merged));
      }),
      { numRuns: 50 },
    );
  });
});

describe('BY_OFFSET aggregates', () => {
  const options: readonly (readonly Value[])[] = [[], [false], [2], [3, false]];
  const folds = ['EARLIEST_BY_OFFSET', 'LATEST_BY_OFFSET'].flatMap(name =>
    options.map(
      o => [`${name}(INT${o.map(x => `, ${x}`).join('')})`, foldOf(name, [INT], o), name, o] as const,
    ),
  );

  it.each(folds)('%s is the first or last of the list', (_, fold, name, [first, second]) => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(5))), values => {
        const many = typeof first === 'number';
        const ignoreNulls = (many ? second : first) !== false;
        const n = many ? first : 1;
        const seen = values.filter(v => v !== null || !ignoreNulls);
        const picked =
          name === 'LATEST_BY_OFFSET' ? seen.slice(Math.max(0, seen.length - n)) : seen.slice(0, n);
        const expected = many ? picked : (picked[0] ?? null);
        const rows = values.map(v => [v]);
        for (const f of [fold, fold.retracting ?? fold]) {
          expect(f.result(accumulate(f, rows))).toEqual(expected);
          const cut = Math.floor(rows.length / 2);
          const merged = f.merge?.(accumulate(f, rows.slice(0, cut)), accumulate(f, rows.slice(cut), cut));
          expect(f.result(merged ?? null)).toEqual(expected);
        }
      }),
    );
  });
});
