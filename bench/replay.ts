import { join } from 'node:path';
import { type Bench, type Figure, inOwnProcess, interleaved, median, ratio, runBench } from './bench.ts';
import type { EngineContended } from './contenders/engine.ts';
import { EVENT_BYTES } from './events.ts';
import { type Contended, sameGroups } from './fraud.ts';
import { type History, linesOf, withAttempts } from './history.ts';

const perSecond = (all: readonly Pick<Contended, 'events' | 'ms'>[]): number =>
  median(all.map(r => (r.events / r.ms) * 1000));

const cpuTimes = (all: readonly Contended[]): number[] => all.map(r => r.cpuMs);
const times = (all: readonly Contended[]): number[] => all.map(r => r.ms);

/** The fraud query against what reads the same records, each contender alone in its process. */
async function wholeHistory(history: History, rounds: number): Promise<readonly Figure[]> {
  const { dataDir, count } = history;
  const lines = await linesOf(history);
  const run = <T extends Contended = Contended>(name: string, ...args: string[]): T =>
    inOwnProcess<T>(join('contenders', `${name}.ts`), args);
  const results = await interleaved<string, Contended>(
    {
      parse: () => run('json-parse', dataDir),
      engine: () => run<EngineContended>('engine', dataDir, String(count)),
      duckdb: () => run('duckdb', lines, String(count)),
      byHand: () => run('object-map', dataDir),
    },
    rounds,
  );
  const { parse = [], duckdb = [], byHand = [] } = results;
  const engine = results.engine as EngineContended[];
  sameGroups([...engine, ...duckdb, ...byHand]);
  return [
    {
      name: 'events',
      what: `events of ${EVENT_BYTES} bytes, replayed into a checkpointed view of ${engine[0]?.groups.toLocaleString('en')} rows`,
      value: count,
      unit: '',
    },
    { name: 'engine', what: 'Millrace, rows and state on disk', value: perSecond(engine), unit: 'events/s' },
    {
      name: 'parse',
      what: 'JSON.parse of the same records, alone',
      value: perSecond(parse),
      unit: 'events/s',
    },
    {
      name: 'engine-by-parse',
      what: 'Millrace by JSON.parse',
      value: ratio(times(engine), times(parse)),
      unit: 'x',
      floor: 1.5,
    },
    {
      name: 'engine-by-parse-cpu',
      what: 'the same by processor time of all threads, which other programs on the machine move less',
      value: ratio(cpuTimes(engine), cpuTimes(parse)),
      unit: 'x',
    },
    { name: 'duckdb', what: 'DuckDB, one thread, batch', value: perSecond(duckdb), unit: 'events/s' },
    {
      name: 'engine-by-duckdb',
      what: 'Millrace by DuckDB',
      value: ratio(times(engine), times(duckdb)),
      unit: 'x',
      floor: 0.8,
    },
    {
      name: 'by-hand',
      what: 'JSON.parse and Maps by hand, nothing on disk',
      value: perSecond(byHand),
      unit: 'events/s',
    },
    {
      name: 'engine-cpu',
      what: 'processor time of Millrace, all its threads, by elapsed time',
      value: median(engine.map(r => r.cpuMs / r.ms)),
      unit: 'cores',
    },
    {
      name: 'pause-p99',
      what: 'pauses of the garbage collector during the replay, p99',
      value: median(engine.map(r => r.pauses.p99)),
      unit: 'ms',
      ceiling: 10,
    },
    {
      name: 'pause-longest',
      what: 'the longest of them',
      value: median(engine.map(r => r.pauses.longest)),
      unit: 'ms',
    },
    {
      name: 'peak-memory',
      what: 'most memory that the replaying process held',
      value: median(engine.map(r => r.peakMiB)),
      unit: 'MiB',
    },
    {
      name: 'peak-memory-by-hand',
      what: 'most memory that the Maps by hand held',
      value: median(byHand.map(r => r.peakMiB)),
      unit: 'MiB',
    },
  ];
}

/** What keeps rows as objects takes long: a shorter history, and the rows come parsed already. */
async function parsedRows(history: History, rounds: number): Promise<readonly Figure[]> {
  const { dataDir, count } = history;
  const lines = await linesOf(history);
  const results = await interleaved<string, Contended>(
    {
      engine: () => inOwnProcess(join('contenders', 'engine.ts'), [dataDir, String(count)]),
      ivm: () => inOwnProcess(join('contenders', 'db-ivm.ts'), [lines]),
      alasql: () => inOwnProcess(join('contenders', 'alasql.ts'), [lines]),
    },
    rounds,
  );
  const { engine = [], ivm = [], alasql = [] } = results;
  sameGroups([...engine, ...ivm, ...alasql]);
  const events = `${count.toLocaleString('en')} events`;
  return [
    {
      name: 'db-ivm',
      what: `TanStack db-ivm, incremental, on ${events} parsed already`,
      value: perSecond(ivm),
      unit: 'events/s',
    },
    {
      name: 'engine-by-db-ivm',
      what: 'Millrace, on the same events as bytes, by TanStack db-ivm',
      value: ratio(times(engine), times(ivm)),
      unit: 'x',
    },
    {
      name: 'alasql',
      what: `alasql, batch, on ${events} parsed already`,
      value: perSecond(alasql),
      unit: 'events/s',
    },
    {
      name: 'engine-by-alasql',
      what: 'Millrace, on the same events as bytes, by alasql',
      value: ratio(times(engine), times(alasql)),
      unit: 'x',
    },
  ];
}

const bench: Bench = {
  name: 'replay',
  title:
    'COUNT and SUM per card in windows of 5 s, HAVING COUNT(*) > 3, over card attempts (100,000 cards by Zipf, 10,000 events/s, up to 2 s out of order)',
  run: async ({ quick }) => [
    ...(await withAttempts(quick ? 100_000 : 5_000_000, h => wholeHistory(h, quick ? 1 : 3))),
    ...(await withAttempts(quick ? 20_000 : 200_000, h => parsedRows(h, quick ? 1 : 3))),
  ],
};

if (import.meta.main) await runBench(bench);
