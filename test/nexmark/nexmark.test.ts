import { expect, test } from 'vitest';
import { nexmarkEvents } from '../../bench/nexmark/person-auction-bid.ts';
import { NEXMARK_QUERIES } from '../../bench/nexmark/queries.ts';
import { checkNexmark } from './check-nexmark.ts';

test('all 23 queries answer what DuckDB answers over the same events, at the end and in between', async () => {
  expect(NEXMARK_QUERIES.map(q => q.name)).toEqual(Array.from({ length: 23 }, (_, i) => `q${i}`));
  await checkNexmark({ count: 6_000, eventsPerSecond: 100, seed: 7, epoch: 700 });
}, 60_000);

test('events come in the published proportions, times and hot keys', () => {
  const count = 50_000;
  const events = [...nexmarkEvents({ count })];
  const of = (kind: string) => events.filter(e => e.kind === kind);
  expect([of('person'), of('auction'), of('bid')].map(all => all.length)).toEqual([1_000, 3_000, 46_000]);
  expect((events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0)).toBe(4_999);
  const bids = events.flatMap(e => (e.kind === 'bid' ? [e.event] : []));
  const hot = (share: (bid: (typeof bids)[number]) => boolean) => bids.filter(share).length / bids.length;
  expect(hot(b => b.auction % 100 === 0)).toBeCloseTo(0.5, 1);
  expect(hot(b => b.bidder % 100 === 1)).toBeCloseTo(0.75, 1);
  expect(hot(b => /^(Apple|Google|Facebook|Baidu)$/.test(b.channel))).toBeCloseTo(0.5, 1);
  expect([...nexmarkEvents({ count: 100 })]).toEqual(events.slice(0, 100));
});
