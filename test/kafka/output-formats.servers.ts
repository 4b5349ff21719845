import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { LogRecord } from '../../src/core/log-record.ts';
import { type RunningMillrace, startMillrace } from '../../src/main.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { until } from '../until.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

let topics: Topics;
let folder: string;
let input: string;
const open: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-formats-'));
  for (const name of ['views', 'views/sources', 'pipelines']) mkdirSync(join(folder, name));
  input = await topics.create('visits', 1);
  write(
    'views/sources/visits.sql',
    `CREATE STREAM visits (who STRING KEY, page STRING, seconds BIGINT) WITH (KAFKA_TOPIC = '${input}', VALUE_FORMAT = 'JSON');`,
  );
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop();
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

async function start(outputs: readonly string[]): Promise<RunningMillrace> {
  write(
    'pipelines/kafka.yaml',
    `kafka:\n  brokers: ["${topics.settings.brokers[0]}"]\n  outputs: [${outputs.join(', ')}]\n`,
  );
  const server = await startMillrace({
    dataDir: join(folder, 'data'),
    viewsDir: join(folder, 'views'),
    pipelinesDir: join(folder, 'pipelines'),
    port: 0,
    sample: false,
    quiet: true,
    announce: false,
  });
  open.push(server);
  return server;
}

let moment = 1_700_000_000_000;
const visit = (who: string, page: string, seconds: number) => ({
  key: who,
  value: JSON.stringify({ page, seconds }),
  timestamp: `${moment++}`,
});

/** The records of a topic once all that the log has of it is written. */
async function writtenTo(topic: string, server: RunningMillrace, records: number): Promise<LogRecord[]> {
  await until(`${records} records were derived`, () => server.log.topic(topic)?.records === records);
  await until(`${topic} is written`, async () => {
    const { kafka } = (await (await fetch(`${server.url}/status`)).json()) as {
      kafka: { outputs: { topic: string; state: string; lag: number | null }[] };
    };
    const output = kafka.outputs.find(o => o.topic === topic);
    return output?.state === 'writing' && output.lag === 0;
  });
  const replica = new Replica(topics.settings, [topic]);
  open.push(replica);
  await replica.has(topic, records);
  await replica.caughtUp();
  return recordsOf(replica.log, topic);
}

const texts = (records: readonly LogRecord[]) => records.map(r => [textOf(r.key), textOf(r.value)]);

it('topics of views are written in the format that the view names', async () => {
  const [lines, seconds] = [`${input}-lines`, `${input}-seconds`];
  write(
    'views/lines.sql',
    `CREATE STREAM lines WITH (KAFKA_TOPIC = '${lines}', VALUE_FORMAT = 'DELIMITED') AS SELECT who, page, seconds FROM visits;`,
  );
  write(
    'views/seconds.sql',
    `CREATE STREAM seconds WITH (KAFKA_TOPIC = '${seconds}', FORMAT = 'KAFKA') AS SELECT who, seconds FROM visits;`,
  );
  const server = await start([lines, seconds]);
  await topics.produce(input, [visit('ann', 'home', 20), visit('bob', 'a,"b"', -1)]);
  expect(texts(await writtenTo(lines, server, 2))).toEqual([
    ['ann', 'home,20'],
    ['bob', '"a,""b""",-1'],
  ]);
  // a BIGINT as Kafka's own serializer writes it
  const numbers = await writtenTo(seconds, server, 2);
  expect(numbers.map(r => [textOf(r.key), Buffer.from(r.value ?? []).readBigInt64BE()])).toEqual([
    ['ann', 20n],
    ['bob', -1n],
  ]);
}, 60_000);

it('a rebuilt version goes on where the one before ended: nothing is repeated', async () => {
  const long = `${input}-long`;
  const view = (least: number) =>
    `CREATE STREAM long WITH (KAFKA_TOPIC = '${long}', VALUE_FORMAT = 'JSON') AS SELECT who, seconds FROM visits WHERE seconds > ${least};`;
  write('views/long.sql', view(10));
  const server = await start([long]);
  await topics.produce(input, [visit('ann', '/', 20), visit('bob', '/', 7), visit('cyd', '/', 30)]);
  expect(texts(await writtenTo(long, server, 2))).toEqual([
    ['ann', '{"seconds":20}'],
    ['cyd', '{"seconds":30}'],
  ]);

  const fingerprint = () => server.views.list().find(v => v.name === 'long')?.fingerprint;
  const before = fingerprint();
  write('views/long.sql', view(5));
  await until('the new version is served', () => {
    const now = server.views.list().find(v => v.name === 'long');
    return now?.state === 'live' && now.fingerprint !== before;
  });
  await topics.produce(input, [visit('dan', '/', 8), visit('eve', '/', 2)]);
  // what the new version would have said of the past is not said: readers have gone on
  expect(texts(await writtenTo(long, server, 3))).toEqual([
    ['ann', '{"seconds":20}'],
    ['cyd', '{"seconds":30}'],
    ['dan', '{"seconds":8}'],
  ]);
}, 60_000);
