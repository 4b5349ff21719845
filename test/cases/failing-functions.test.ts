import { expect, it } from 'vitest';
import { columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { BIGINT } from '../../src/core/sql-type.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import type { FunctionEntry } from '../../src/expr/functions.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { prepareCase, runWhole } from './case-runner.ts';

const described = (name: string) => ({ name, category: 'test', description: 'fails on 13' });

function failOn13(value: unknown): void {
  if (value === 13) throw new RangeError('thirteen');
}

/** Functions of the project that throw on some rows. */
const functions = standardLibrary.with([
  {
    kind: 'table',
    ...described('PARTS'),
    overloads: [
      {
        signature: '(INT) -> INT',
        make:
          () =>
          ([n]) => {
            failOn13(n);
            return [n ?? null, n ?? null];
          },
      },
    ],
  },
  {
    kind: 'aggregate',
    ...described('TALLY'),
    overloads: [
      {
        signature: '(INT) -> BIGINT',
        make: () => ({
          state: BIGINT,
          init: () => 0n,
          add: (acc, [n]) => {
            failOn13(n);
            return (acc as bigint) + 1n;
          },
          result: acc => acc,
        }),
      },
    ],
  },
] satisfies FunctionEntry[]);

it.each([
  { name: 'fold', engine: foldEngine },
  { name: 'columns', engine: columnsEngine(createEngine) },
])('a function that throws costs its row, not the view: $name', ({ engine }) => {
  const test = prepareCase(
    {
      name: '',
      statements: [
        "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='in', value_format='JSON');",
        'CREATE STREAM parts AS SELECT k, PARTS(v) AS p FROM s;',
        'CREATE TABLE tallies AS SELECT k, TALLY(v) AS n FROM s GROUP BY k;',
      ],
      records: [1, 13, 2].map(v => ({ key: 'a', value: { v } })),
    },
    functions,
  );
  const { changes, rows, ledger } = runWhole(test, engine(test.options));
  expect(changes.parts).toEqual(['+ a | 1 @0', '+ a | 1 @0', '+ a | 2 @0', '+ a | 2 @0']);
  expect(rows.tallies).toEqual(['a | 2']);
  expect(ledger).toEqual({ parts: { expression_failed: 1 }, tallies: { expression_failed: 1 } });
});
