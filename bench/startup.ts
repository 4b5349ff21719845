import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type BenchOptions, type Figure, inOwnProcess, median, runBench } from './bench.ts';
import { withAttempts } from './history.ts';
import { viewsFolder } from './http/live-views.ts';

/** How long a server takes to serve 20 views that were built over a history. */

const VIEWS = 20;
const KEYS = ['card_number', 'merchant', 'country', 'currency', 'channel'];
const KEPT = ["currency <> 'USD'", 'amount > 10', "country <> 'DE'", "channel = 'web'"];

export interface StartupFigures {
  readonly events: number;
  readonly views: number;
  /** s to build them all at first */
  readonly build: number;
  /** s from the start of the process until all views answer; files in the page cache */
  readonly warm: number;
  /** the same with an empty page cache; null where it cannot be emptied */
  readonly cold: number | null;
}

/** Views by card, merchant, country, currency and channel, each over a part of the events, some in windows. */
export function builtViews(): ReadonlyMap<string, string> {
  const views = new Map<string, string>();
  for (let i = 0; i < VIEWS; i++) {
    const by = KEYS[i % KEYS.length];
    const from = `FROM attempts ${i % 4 === 3 ? 'WINDOW TUMBLING (SIZE 1 MINUTE)' : ''} WHERE ${KEPT[(i >> 2) % KEPT.length]}`;
    views.set(
      `start_${i}`,
      `CREATE VIEW start_${i} AS SELECT ${by}, COUNT(*) AS attempts, SUM(amount) AS amount ${from} GROUP BY ${by};`,
    );
  }
  return views;
}

export async function startupFigures(events: number, rounds: number): Promise<StartupFigures> {
  return withAttempts(events, history => {
    const folder = join(history.dataDir, 'startup');
    const viewsDir = viewsFolder(join(folder, 'views'), builtViews());
    const start = (): number =>
      inOwnProcess<{ seconds: number }>('http/startup-server.ts', [
        JSON.stringify({ dataDir: history.dataDir, viewsDir }),
      ]).seconds;
    try {
      const build = start();
      const warm: number[] = [];
      const cold: number[] = [];
      for (let round = 0; round < rounds; round++) {
        warm.push(start());
        if (emptiedPageCache()) cold.push(start());
      }
      return {
        events,
        views: VIEWS,
        build,
        warm: median(warm),
        cold: cold.length === 0 ? null : median(cold),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
      rmSync(join(history.dataDir, 'state'), { recursive: true, force: true });
    }
  });
}

/** Takes the rights of an administrator, and a Linux. */
function emptiedPageCache(): boolean {
  try {
    spawnSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '1');
    return true;
  } catch {
    return false;
  }
}

async function run({ quick }: BenchOptions): Promise<Figure[]> {
  const figures = await startupFigures(quick ? 50_000 : 5_000_000, quick ? 1 : 3);
  return [
    {
      name: 'build',
      what: '20 views over 5 M events, built at the first start',
      value: figures.build,
      unit: 's',
    },
    {
      name: 'warm',
      what: 'started again, files in the page cache',
      value: figures.warm,
      unit: 's',
      ceiling: 2,
    },
    ...(figures.cold === null
      ? []
      : [
          {
            name: 'cold',
            what: 'started again, page cache empty',
            value: figures.cold,
            unit: 's',
            ceiling: 2,
          },
        ]),
  ];
}

export const bench: Bench = {
  name: 'startup',
  title: 'a server with 20 built views over 5 M events, from the start of the process until all views answer',
  run,
};

if (import.meta.main) await runBench(bench);
