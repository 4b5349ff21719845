import { join } from 'node:path';
import { type Bench, type Figure, inOwnProcess, interleaved, median, ratio, runBench } from './bench.ts';
import type { VariantsContended } from './contenders/variants.ts';
import { withAttempts } from './history.ts';

const run = (dataDir: string, views: number, how = 'together'): VariantsContended =>
  inOwnProcess(join('contenders', 'variants.ts'), [dataDir, String(views), how]);

const times = (all: readonly VariantsContended[]): number[] => all.map(r => r.ms);

/** 1 and 20 views at once, in turns. */
async function few(dataDir: string, rounds: number): Promise<readonly Figure[]> {
  const { one = [], twenty = [] } = await interleaved<string, VariantsContended>(
    { one: () => run(dataDir, 1), twenty: () => run(dataDir, 20) },
    rounds,
  );
  return [
    {
      name: 'one',
      what: 'one view',
      value: median(one.map(r => (r.events / r.ms) * 1000)),
      unit: 'events/s',
    },
    {
      name: 'twenty-by-one',
      what: '20 views at once: time by that of one view',
      value: ratio(times(one), times(twenty)),
      unit: 'x',
      ceiling: 8,
    },
  ];
}

/** 200 views take long enough to be measured once: between two turns of one. */
function many(dataDir: string): readonly Figure[] {
  const before = run(dataDir, 1);
  const all = run(dataDir, 200);
  const after = run(dataDir, 1);
  return [
    {
      name: 'many-by-one',
      what: '200 views at once: time by that of one view',
      value: all.ms / median([before.ms, after.ms]),
      unit: 'x',
      ceiling: 80,
    },
    { name: 'state-of-many', what: 'state of the 200 views', value: all.stateBytes / 2 ** 20, unit: 'MiB' },
  ];
}

/** The rows of views that ran together are those of each run by itself. Throws when they are not. */
function sameRows(dataDir: string, views: number): void {
  const at = { together: run(dataDir, views).rows, alone: run(dataDir, views, 'alone').rows };
  at.together.forEach((rows, i) => {
    if (rows !== at.alone[i]) throw new Error(`view ${i}: ${rows} together, ${at.alone[i]} alone`);
  });
}

const bench: Bench = {
  name: 'views',
  title:
    'views at once over one topic of card attempts: 5 keys, windows of 5 to 60 s, mixed filters, sums and extremes; rows compared with those of each view run alone',
  async run({ quick }) {
    await withAttempts(quick ? 20_000 : 50_000, h => sameRows(h.dataDir, quick ? 20 : 200));
    return [
      ...(await withAttempts(quick ? 20_000 : 1_000_000, h => few(h.dataDir, quick ? 1 : 3))),
      ...(await withAttempts(quick ? 20_000 : 500_000, h => many(h.dataDir))),
    ];
  },
};

if (import.meta.main) await runBench(bench);
