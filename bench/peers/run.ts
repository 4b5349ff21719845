import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../test/servers/kafka-broker.ts';
import { type Bench, type Figure, inOwnProcess, interleaved, median, runBench } from '../bench.ts';
import { type Groups, sameGroups } from '../fraud.ts';
import { type History, linesOf, withAttempts } from '../history.ts';
import { classPath, type Peer, prepare } from './jars.ts';

/**
 * The fraud query in engines that run on Java, next to Millrace, on the same events in one run. What counts is processor
 * time of the engine's process when it has warmed up; that of the broker is not counted.
 */

interface Run extends Groups {
  readonly contender: string;
  readonly steadyEvents: number;
  readonly steadyCpuMs: number;
}

/** Flink's job runs this often in one JVM; the last time counts */
const FLINK_RUNS = 3;
const MODULES = ['java.util', 'java.lang', 'java.util.concurrent', 'java.time', 'java.net', 'java.nio'];

function java<T>(peer: Peer, main: string, args: readonly (string | number)[]): T {
  const opened = peer === 'flink' ? MODULES.map(m => `--add-opens=java.base/${m}=ALL-UNNAMED`) : [];
  const { status, stdout, stderr } = spawnSync(
    'java',
    [...opened, '-Xmx2g', '-cp', classPath(peer), main, ...args.map(String)],
    { encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 900_000 },
  );
  if (status !== 0) throw new Error(`${main} ${args.join(' ')} failed:\n${stderr.slice(-4_000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}

async function measured(history: History, rounds: number): Promise<readonly Figure[]> {
  prepare('kafka-streams', ['LoadTopic.java', 'KafkaStreamsPeer.java']);
  prepare('flink', ['FlinkPeer.java']);
  const dir = mkdtempSync(join(tmpdir(), 'millrace-peers-'));
  const broker = await Broker.start({ dir: join(dir, 'broker') });
  try {
    const topic = 'authorization-attempts';
    const lines = await linesOf(history);
    java('kafka-streams', 'LoadTopic', [broker.address, topic, lines]);
    const folder = (name: string): string => {
      const path = join(dir, `${name}-${process.hrtime.bigint()}`);
      mkdirSync(path);
      return path;
    };
    const streams = (store: string): Run => ({
      ...java<Run>('kafka-streams', 'KafkaStreamsPeer', [
        broker.address,
        topic,
        store,
        history.count,
        folder(store),
      ]),
      contender: `Kafka Streams (${store})`,
    });
    const flink = (name: string, args: readonly string[]): Run => ({
      ...java<Run>('flink', 'FlinkPeer', [history.count, FLINK_RUNS, ...args]),
      contender: `Flink SQL (${name})`,
    });
    const results = await interleaved(
      {
        millrace: () =>
          inOwnProcess<Run>(join('contenders', 'engine.ts'), [history.dataDir, String(history.count)]),
        memory: () => streams('memory'),
        rocksdb: () => streams('rocksdb'),
        flinkFile: () => flink('file', ['none', lines]),
        flinkKafka: () => flink('Kafka', [folder('flink'), 'kafka', broker.address, topic]),
      },
      rounds,
    );
    sameGroups(Object.values(results).flat());
    return figures(results);
  } finally {
    await broker.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function figures(results: Readonly<Record<string, readonly Run[]>>): readonly Figure[] {
  const rates = (name: string) => (results[name] ?? []).map(r => r.steadyEvents / r.steadyCpuMs);
  const by = (name: string) => median(rates('millrace').map((r, i) => r / (rates(name)[i] ?? Number.NaN)));
  const rate = (name: string, what: string): Figure => ({
    name,
    what,
    value: median(rates(name)),
    unit: 'k events/CPU-s',
  });
  const times = (name: string, what: string, floor?: number): Figure => ({
    name: `millrace-by-${name}`,
    what: `Millrace by ${what}`,
    value: by(name),
    unit: 'x',
    floor,
  });
  return [
    rate('millrace', 'Millrace, rows and state on disk'),
    rate('memory', 'Kafka Streams, in-memory store'),
    times('memory', 'Kafka Streams, in-memory store', 12),
    rate('rocksdb', 'Kafka Streams, RocksDB store (its default)'),
    times('rocksdb', 'Kafka Streams, RocksDB store'),
    rate('flinkFile', 'Flink SQL, streaming, from a file, no checkpoints'),
    times('flinkFile', 'Flink SQL, streaming, from a file', 6),
    rate('flinkKafka', 'Flink SQL, streaming, from Kafka, a checkpoint every 5 s'),
    times('flinkKafka', 'Flink SQL, streaming, from Kafka', 6),
  ];
}

const bench: Bench = {
  name: 'peers',
  command: 'npm run bench:peers',
  title:
    'the fraud query of `replay` per processor second of the engine process, warm, in engines that run on Java',
  run: ({ quick }) => withAttempts(quick ? 200_000 : 3_000_000, h => measured(h, quick ? 1 : 3)),
};

await runBench(bench);
