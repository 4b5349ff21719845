import { describe, expect, it } from 'vitest';
import type { Vec } from '../../../src/core/batch.ts';
import { GrowingBytes } from '../../../src/core/growing-bytes.ts';
import { SlicePool } from '../../../src/core/pool.ts';
import type { SqlType } from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import { VecBuilder } from '../../../src/core/vec.ts';
import { type CellWriter, keyCells, valueCells } from '../../../src/dataflow/live/row-cells.ts';
import { encodeValue } from '../../../src/expr/value-codec.ts';
import { encodeKey } from '../../../src/kv/key-codec.ts';

const LARGE = 2n ** 63n;
const WHOLE = [0n, 1n, 63n, 64n, 127n, 128n, 255n, 256n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 40n]
  .concat([2n ** 51n - 1n, 2n ** 51n, 2n ** 52n, 2n ** 53n + 1n, LARGE - 1n])
  .flatMap(n => [n, -n]);
const TEXTS = ['', 'a', 'plain', 'nul\u0000inside\u0000', 'zoë €', 'x'.repeat(200)];

/** The same cells by the general codecs, and straight from a column: every type, with and without NULLs. */
const CASES: readonly (readonly [string, SqlType, readonly (Value | null)[]])[] = [
  ['BOOLEAN', { kind: 'BOOLEAN' }, [true, false, null]],
  ['INT', { kind: 'INT' }, [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), null]],
  ['DATE', { kind: 'DATE' }, [0, 20_000, -3, null]],
  ['BIGINT', { kind: 'BIGINT' }, [...WHOLE, -LARGE, null]],
  ['DECIMAL(18,2)', { kind: 'DECIMAL', precision: 18, scale: 2 }, [...WHOLE.slice(0, 20), null]],
  ['DECIMAL(38,2)', { kind: 'DECIMAL', precision: 38, scale: 2 }, [...WHOLE, 10n ** 30n, null]],
  ['DOUBLE', { kind: 'DOUBLE' }, [0, -0, 1.5, -2.25, Number.NaN, Number.POSITIVE_INFINITY, null]],
  ['TIMESTAMP', { kind: 'TIMESTAMP' }, [0, 1_767_225_600_000, null]],
  ['STRING', { kind: 'STRING' }, [...TEXTS, null]],
  ['BYTES', { kind: 'BYTES' }, [Uint8Array.of(0, 255, 0), Uint8Array.of(), null]],
  ['ARRAY<STRING>', { kind: 'ARRAY', element: { kind: 'STRING' } }, [['a', null], [], null]],
];

describe('cells of stored rows', () => {
  it.each(CASES)('%s: a value is what encodeValue gives', (_, type, values) => {
    for (const vec of columns(type, values)) {
      expect(written(valueCells(vec, type), values.length)).toEqual(
        values.map(v => hex(encodeValue(type, v))),
      );
    }
  });

  it.each(CASES)('%s: a key is what encodeKey gives', (_, type, values) => {
    for (const vec of columns(type, values)) {
      expect(written(keyCells(vec, type), values.length)).toEqual(
        values.map(v => hex(encodeKey([v], [type]))),
      );
    }
  });
});

/** The values as a column; texts also as slices of records and of what lies behind them. */
function columns(type: SqlType, values: readonly (Value | null)[]): Vec[] {
  const builder = new VecBuilder(type);
  for (const value of values) builder.push(value);
  const vec = builder.build();
  if (vec.t !== 'str') return [vec];
  const parts = values.map(v =>
    typeof v === 'string' ? Buffer.from(v) : ((v as Uint8Array | null) ?? Buffer.of()),
  );
  const bytes = Buffer.concat([Buffer.from('head'), ...parts]);
  const start = new Int32Array(parts.length).fill(4);
  for (let i = 1; i < parts.length; i++)
    start[i] = (start[i - 1] as number) + (parts[i - 1] as Uint8Array).length;
  const end = start.map((s, i) => s + (parts[i] as Uint8Array).length);
  const records = bytes.subarray(0, start[4]);
  return [
    vec,
    { ...vec, pool: new SlicePool(bytes, start, end) },
    { ...vec, pool: new SlicePool(records, start, end, bytes.subarray(start[4])) },
  ];
}

function written(cells: CellWriter, n: number): string[] {
  const out = new GrowingBytes();
  return Array.from({ length: n }, (_, i) => {
    const from = out.length;
    cells(out, i);
    return hex(out.bytes.subarray(from, out.length));
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
