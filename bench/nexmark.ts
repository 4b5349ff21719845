import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ManualClock } from '../src/core/clock.ts';
import { logDir } from '../src/dataflow/worker-environment.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { AppendRecord } from '../src/log/event-log.ts';
import { type Bench, type Figure, inOwnProcess, interleaved, median, ratio, runBench } from './bench.ts';
import type { NexmarkContended } from './contenders/nexmark-query.ts';
import { temporaryFolder } from './history.ts';
import { NEXMARK_QUERIES, type NexmarkQuery } from './nexmark/queries.ts';
import { NEXMARK_TOPICS, nexmarkRecords, sideInputRecords } from './nexmark/records.ts';

/** The side input, then so many events at 10,000 a second, all topics interleaved, in a sealed log. */
async function writeHistory(dataDir: string, count: number): Promise<void> {
  mkdirSync(dataDir, { recursive: true });
  const log = await openEmbeddedLog({ dir: logDir(dataDir), clock: new ManualClock(0) });
  for (const name of Object.values(NEXMARK_TOPICS)) log.createTopic({ name, partitions: 1, keyIndex: false });
  let records: AppendRecord[] = [];
  const append = () => log.append({ records, appendTime: records.at(-1)?.timestamp }).durable;
  for (const events of [sideInputRecords(), nexmarkRecords({ count })]) {
    for (const record of events) {
      records.push(record);
      if (records.length < 5000) continue;
      await append();
      records = [];
    }
  }
  if (records.length > 0) await append();
  await log.seal();
  await log.close();
}

function figures({ name, title }: NexmarkQuery, rounds: readonly NexmarkContended[]): readonly Figure[] {
  const of = `${name}: ${title}`;
  const times = rounds.map(r => r.ms);
  const parse = rounds.map(r => r.parseMs);
  return [
    {
      name: `${name}-rate`,
      of,
      what: 'events/s',
      value: median(rounds.map(r => (r.events / r.ms) * 1000)),
      unit: '',
    },
    {
      name: `${name}-by-parse`,
      of,
      what: 'by JSON.parse of the same records',
      value: ratio(times, parse),
      unit: 'x',
    },
    {
      name: `${name}-state`,
      of,
      what: 'state',
      value: median(rounds.map(r => r.stateBytes / 2 ** 20)),
      unit: 'MiB',
    },
    {
      name: `${name}-peak`,
      of,
      what: 'most memory of the process',
      value: median(rounds.map(r => r.peakMiB)),
      unit: 'MiB',
    },
  ];
}

const bench: Bench = {
  name: 'nexmark',
  title:
    'the queries of Nexmark, each alone in its process over the topics that it reads; changes as columns, as into its blackhole',
  async run({ quick }) {
    const dataDir = temporaryFolder();
    try {
      const count = quick ? 5_000 : 500_000;
      await writeHistory(dataDir, count);
      // of fifty events one is a person, three are auctions: the fewest that a query reads
      const least = String(Math.floor(count / 50) * 4);
      const results = await interleaved<string, NexmarkContended>(
        Object.fromEntries(
          NEXMARK_QUERIES.map(({ name }) => [
            name,
            () =>
              inOwnProcess<NexmarkContended>(join('contenders', 'nexmark-query.ts'), [dataDir, name, least]),
          ]),
        ),
        quick ? 1 : 3,
      );
      return NEXMARK_QUERIES.flatMap(query => figures(query, results[query.name] ?? []));
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
};

if (import.meta.main) await runBench(bench);
