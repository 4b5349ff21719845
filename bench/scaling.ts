import { join } from 'node:path';
import { type Bench, type Figure, inOwnProcess, interleaved, median, runBench } from './bench.ts';
import type { EngineContended } from './contenders/engine.ts';
import { withAttempts } from './history.ts';

/** Histories of growing length, replayed in turns: what an event costs must not grow with them. */
async function scaled(
  counts: readonly number[],
  dirs: readonly string[],
  rounds: number,
): Promise<readonly Figure[]> {
  const results = await interleaved<string, EngineContended>(
    Object.fromEntries(
      counts.map((count, i) => [
        String(count),
        () => inOwnProcess<EngineContended>(join('contenders', 'engine.ts'), [dirs[i] ?? '', String(count)]),
      ]),
    ),
    rounds,
  );
  const costs = counts.map(count => (results[String(count)] ?? []).map(r => r.ms / r.events));
  return counts.flatMap((count, i): Figure[] => {
    const all = results[String(count)] ?? [];
    const events = `${(count / 1_000_000).toLocaleString('en')} M events`;
    const cost: Figure = {
      name: `cost-${count}`,
      what: `an event of ${events}`,
      value: median(costs[i] ?? []) * 1e6,
      unit: 'ns',
    };
    const state: Figure = {
      name: `state-${count}`,
      what: `state after ${events}`,
      value: median(all.map(r => r.stateBytes / 2 ** 20)),
      unit: 'MiB',
    };
    if (i === 0) return [cost, state];
    // paired: within a round
    const growth = median((costs[i] ?? []).map((c, round) => c / (costs[0]?.[round] ?? Number.NaN)));
    return [
      cost,
      {
        name: `cost-${count}-by-first`,
        what: `the same by an event of the shortest`,
        value: growth,
        unit: 'x',
        ceiling: 1.25,
      },
      state,
    ];
  });
}

async function withHistories<T>(
  counts: readonly number[],
  work: (dirs: readonly string[]) => Promise<T>,
  dirs: readonly string[] = [],
): Promise<T> {
  const [count, ...rest] = counts;
  if (count === undefined) return await work(dirs);
  return await withAttempts(count, h => withHistories(rest, work, [...dirs, h.dataDir]));
}

const bench: Bench = {
  name: 'scaling',
  title: 'the fraud query over histories of growing length',
  run: async ({ quick }) => {
    const counts = quick ? [10_000, 20_000] : [1_000_000, 5_000_000, 20_000_000];
    return await withHistories(counts, dirs => scaled(counts, dirs, quick ? 1 : 3));
  },
};

if (import.meta.main) await runBench(bench);
