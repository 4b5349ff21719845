import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Broker } from '../test/servers/kafka-broker.ts';
import { type Bench, type Figure, inOwnProcess, interleaved, median, ratio, runBench } from './bench.ts';
import type { Replicated } from './contenders/replicate.ts';
import { authorizationAttempts, EVENT_BYTES } from './events.ts';
import { type Contended, sameGroups } from './fraud.ts';
import { ATTEMPTS, temporaryFolder, withAttempts } from './history.ts';
import { fillTopic } from './kafka-topic.ts';

/** A topic of one partition copied into a log, and replays of the copy against those of a log that was never in Kafka. */
async function replication(count: number, rounds: number): Promise<readonly Figure[]> {
  const folder = temporaryFolder();
  const broker = await Broker.start({ dir: join(folder, 'broker') });
  try {
    await fillTopic(broker.address, ATTEMPTS, authorizationAttempts({ topic: ATTEMPTS, count }));
    const copies: Replicated[] = [];
    const copyOf = (round: number) => join(folder, `copy-${round}`);
    for (let round = 0; round < rounds; round++) {
      mkdirSync(copyOf(round));
      copies.push(
        inOwnProcess<Replicated>(join('contenders', 'replicate.ts'), [
          copyOf(round),
          broker.address,
          ATTEMPTS,
          String(count),
        ]),
      );
      if (round > 0) rmSync(copyOf(round), { recursive: true });
    }
    await broker.stop(); // it would only take from the replays
    return [...copied(count, copies), ...(await replays(count, rounds, copyOf(0)))];
  } finally {
    await Broker.wipe(join(folder, 'broker'));
    rmSync(folder, { recursive: true, force: true });
  }
}

function copied(count: number, copies: readonly Replicated[]): readonly Figure[] {
  return [
    { name: 'records', what: `records of ${EVENT_BYTES} bytes, one partition`, value: count, unit: '' },
    {
      name: 'copied',
      what: 'copied from Kafka into the log, until they are on the disk',
      value: median(copies.map(c => (count / c.ms) * 1000)),
      unit: 'records/s',
      floor: 150_000,
    },
    {
      name: 'copied-cpu',
      what: 'processor time of the copying process by elapsed time',
      value: median(copies.map(c => c.cpuMs / c.ms)),
      unit: 'cores',
    },
    {
      name: 'peak-memory',
      what: 'most memory that the copying process held',
      value: median(copies.map(c => c.peakMiB)),
      unit: 'MiB',
    },
    {
      name: 'memory-growth',
      what: 'of it, beyond what it held when a tenth was copied',
      value: median(copies.map(c => c.peakMiB - c.earlyMiB)),
      unit: 'MiB',
      ceiling: 256,
    },
  ];
}

/** The fraud query over the copy and over the same records appended here, each by JSON.parse of the same log. */
async function replays(count: number, rounds: number, copy: string): Promise<readonly Figure[]> {
  return withAttempts(count, async ({ dataDir }) => {
    const engine = (dir: string) =>
      inOwnProcess<Contended>(join('contenders', 'engine.ts'), [dir, String(count)]);
    const parse = (dir: string) => inOwnProcess<Contended>(join('contenders', 'json-parse.ts'), [dir]);
    const results = await interleaved<string, Contended>(
      {
        parseCopy: () => parse(copy),
        engineCopy: () => engine(copy),
        parseOwn: () => parse(dataDir),
        engineOwn: () => engine(dataDir),
      },
      rounds,
    );
    const { parseCopy = [], engineCopy = [], parseOwn = [], engineOwn = [] } = results;
    sameGroups([...engineCopy, ...engineOwn]);
    const times = (all: readonly Contended[]): number[] => all.map(r => r.ms);
    return [
      {
        name: 'replay-copied',
        what: 'replay of the copy, rows and state on disk, by JSON.parse of the copy',
        value: ratio(times(engineCopy), times(parseCopy)),
        unit: 'x',
      },
      {
        name: 'replay-own',
        what: 'replay of the same records appended here, by JSON.parse of them',
        value: ratio(times(engineOwn), times(parseOwn)),
        unit: 'x',
      },
      {
        name: 'copied-by-own',
        what: 'the first by the second: after copying there is one path',
        value: median(
          times(engineCopy).map(
            (ms, i) =>
              (times(parseCopy)[i] ?? Number.NaN) /
              ms /
              ((times(parseOwn)[i] ?? Number.NaN) / (times(engineOwn)[i] ?? Number.NaN)),
          ),
        ),
        unit: 'x',
        floor: 0.9,
      },
    ];
  });
}

const bench: Bench = {
  name: 'replication',
  title: 'a topic of Apache Kafka, on this machine, copied into the log by one node; then replayed',
  run: ({ quick }) => (quick ? replication(50_000, 1) : replication(3_000_000, 3)),
};

if (import.meta.main) await runBench(bench);
