import { test } from 'vitest';
import { checkNexmark } from './check-nexmark.ts';

test.for([1, 2, 3])('the queries over 60,000 events that come fast, seed %i', async seed => {
  await checkNexmark({ count: 60_000, eventsPerSecond: 2_000, seed, epoch: 4_096 });
});

test('the queries over a day with few events', async () => {
  await checkNexmark({ count: 30_000, eventsPerSecond: 0.4, seed: 4, epoch: 999 });
});
