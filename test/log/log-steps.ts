import fc from 'fast-check';
import type { Append, EventLog } from '../../src/log/event-log.ts';
import { utf8 } from '../contract/event-log.contract.ts';

const bytes = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 90_000 }).map(n => new Uint8Array(n).fill(n)) },
);
const record = fc.record(
  {
    topic: fc.constantFrom('a', 'b', 'c'),
    key: fc.option(fc.constantFrom('x', 'y', 'z', '', 'k'.repeat(600)).map(utf8)),
    value: fc.option(bytes),
    timestamp: fc.integer({ min: -1_000, max: 100_000 }),
    headers: fc.array(
      fc.record({
        name: fc.string({ maxLength: 4, unit: 'grapheme' }),
        value: fc.option(fc.uint8Array({ maxLength: 4 })),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['topic', 'key', 'value'] },
);
/** An append to the topics of {@link makeTopics}. */
export const append: fc.Arbitrary<Append> = fc.record(
  {
    records: fc.array(record, { maxLength: 8 }),
    positions: fc.array(fc.record({ handler: fc.constantFrom('h', 'i'), seq: fc.nat(100) }), {
      maxLength: 2,
    }),
  },
  { requiredKeys: ['records'] },
);

export function makeTopics(log: EventLog): void {
  log.createTopic({ name: 'a', partitions: 1, keyIndex: true });
  log.createTopic({ name: 'b', partitions: 3, keyIndex: true });
  log.createTopic({ name: 'c', partitions: 2, keyIndex: false });
}
