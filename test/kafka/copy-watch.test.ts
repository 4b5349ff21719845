import { expect, it, onTestFinished } from 'vitest';
import { CopyWatch } from '../../src/kafka/copy-watch.ts';
import { until } from '../until.ts';

/** A cluster with two partitions, and a log that copies them as the test says. */
function watched() {
  const at = {
    ends: [10, 5],
    reached: [10, 5] as (number | null)[],
    away: false,
    onLook: () => {},
    looks: 0,
    behind: 0,
  };
  const watch = new CopyWatch({
    ends: async () => {
      at.looks++;
      at.onLook();
      if (at.away) throw new Error('no broker answers');
      return at.ends.map((end, partition) => ({ topic: 'events', partition, end }));
    },
    reached: (_, partition) => at.reached[partition] ?? null,
    patience: 30,
    behind: () => {
      at.behind++;
    },
  });
  onTestFinished(() => watch.stop());
  return at;
}

/** More looks than fit into the patience. */
async function looked(at: { readonly looks: number }): Promise<void> {
  const enough = at.looks + 15;
  await until('it has looked often enough', () => at.looks >= enough);
}

it('a log that always lacks the last records is not behind: it gets what the cluster had a moment ago', async () => {
  const at = watched();
  at.onLook = () => {
    at.reached = [...at.ends];
    at.ends = at.ends.map(end => end + 1);
  };
  await looked(at);
  expect(at.behind).toBe(0);
});

it.each([
  ['stands still', 5],
  ['is not known to be copied', null],
])('a log of which one partition %s is behind', async (_, reached) => {
  const at = watched();
  await looked(at);
  expect(at.behind).toBe(0);
  at.ends = [10, 6];
  at.reached = [10, reached];
  await until('it is told', () => at.behind > 0);
});

it('a cluster that is away says nothing of the log: the time begins anew when it answers', async () => {
  const at = watched();
  await looked(at);
  at.reached = [null, null];
  at.away = true;
  await looked(at);
  expect(at.behind).toBe(0);
  at.away = false;
  const before = at.looks;
  await until('it is told', () => at.behind > 0);
  expect(at.looks - before).toBeGreaterThanOrEqual(2);
});
