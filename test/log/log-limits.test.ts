import { expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { codeOf, rec } from '../contract/event-log.contract.ts';

const limits = { recordBytes: 20, recordsPerAppend: 3, appendBytes: 40, topics: 2, partitionsPerTopic: 4 };

function limitedLog() {
  const log = createMemoryLog({ clock: new ManualClock(0), limits });
  log.createTopic({ name: 'a', partitions: 4, keyIndex: false });
  return log;
}

test('the bytes of a record are those of key, value and headers', () => {
  const log = limitedLog();
  const headers = [{ name: 'four', value: new Uint8Array(4) }];
  const append = (value: string) =>
    codeOf(() => log.append({ records: [rec('a', 'four', value, { headers })] }));
  expect(append('x'.repeat(8))).toBe('no error');
  expect(append('x'.repeat(9))).toBe('record_too_large');
});

test('an append holds so many records and bytes', () => {
  const log = limitedLog();
  const append = (n: number, value: string) =>
    codeOf(() => log.append({ records: Array.from({ length: n }, () => rec('a', null, value)) }));
  expect([append(3, 'x'), append(4, 'x')]).toEqual(['no error', 'limit_exceeded']);
  expect([append(2, 'x'.repeat(20)), append(3, 'x'.repeat(20))]).toEqual(['no error', 'limit_exceeded']);
  expect(log.end()).toBe(5);
});

test('a log holds so many topics, a topic so many partitions', () => {
  const log = limitedLog();
  const create = (name: string, partitions: number) =>
    codeOf(() => log.createTopic({ name, partitions, keyIndex: false }));
  expect([create('b', 5), create('b', 4), create('c', 1)]).toEqual([
    'invalid_topic',
    'no error',
    'limit_exceeded',
  ]);
});
