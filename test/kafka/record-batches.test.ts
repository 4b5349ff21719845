import { describe, expect, it } from 'vitest';
import { committedRecords } from '../../src/kafka/record-batches.ts';
import { type BatchToWrite, recordBatch } from './record-batch.ts';

const read = (
  batches: readonly BatchToWrite[],
  aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[] = [],
  from = 0,
) => {
  const bytes = Buffer.concat(batches.map(recordBatch));
  const { records, next } = committedRecords(bytes, { topic: 't', partition: 0, from, aborted });
  return { values: records.map(r => `${r.offset} ${Buffer.from(r.value ?? [])}`), next };
};
const data = (offset: number, producer: bigint, ...values: string[]): BatchToWrite => ({
  offset,
  values,
  producer,
  transactional: true,
});
const marker = (offset: number, producer: bigint, kind: 'commit' | 'abort'): BatchToWrite => ({
  offset,
  values: [],
  producer,
  marker: kind,
});

describe('record batches', () => {
  it('give the records from an offset on; a batch is sent whole, the last one may be cut off', () => {
    const whole = [recordBatch({ offset: 4, values: ['a', 'b'] }), recordBatch({ offset: 6, values: ['c'] })];
    const cut = Buffer.concat([...whole, recordBatch({ offset: 7, values: ['d'] }).subarray(0, 50)]);
    const of = { topic: 't', partition: 0, from: 5, aborted: [] };
    const { records, next } = committedRecords(cut, of);
    expect(records.map(r => r.offset)).toEqual([5, 6]);
    expect(next).toBe(7);
  });

  it('move on behind markers and aborted records, which are never seen', () => {
    expect(
      read(
        [data(0, 1n, 'no'), data(1, 2n, 'yes'), marker(2, 1n, 'abort'), marker(3, 2n, 'commit')],
        [{ producerId: 1n, firstOffset: 0 }],
      ),
    ).toEqual({ values: ['1 yes'], next: 4 });
  });

  it('of a producer whose earlier transaction was aborted count again after its marker', () => {
    expect(
      read(
        [
          data(0, 1n, 'no'),
          data(1, 2n, 'other'),
          marker(2, 1n, 'abort'),
          data(3, 1n, 'again'),
          marker(4, 1n, 'commit'),
          marker(5, 2n, 'commit'),
          data(6, 1n, 'gone'),
          marker(7, 1n, 'abort'),
        ],
        [
          { producerId: 1n, firstOffset: 6 },
          { producerId: 1n, firstOffset: 0 },
        ],
      ),
    ).toEqual({ values: ['1 other', '3 again'], next: 8 });
  });

  it('of a transaction that began before what was fetched are aborted too; plain records never are', () => {
    expect(
      read(
        [data(10, 1n, 'no'), { offset: 11, values: ['plain'], producer: 1n }, marker(12, 1n, 'abort')],
        [{ producerId: 1n, firstOffset: 3 }],
        10,
      ),
    ).toEqual({ values: ['11 plain'], next: 13 });
  });
});
