import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigResourceTypes } from 'kafkajs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { LogAncestor } from '../../src/core/log-identity.ts';
import { kafkaClient, QUICK_RETRIES } from '../../src/kafka/kafka-client.ts';
import { OutputTopic } from '../../src/kafka/output-topic.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { type RunningMillrace, startMillrace } from '../../src/main.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { until } from '../until.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

const KILLS = process.env.MILLRACE_LONG === '1' ? 50 : 5;
const seed = Number(process.env.MILLRACE_SEED ?? 1);

let topics: Topics;
let folder: string;
const open: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-out-'));
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function inKafka(topic: string, records: number) {
  const replica = new Replica(topics.settings, [topic]);
  open.push(replica);
  await replica.has(topic, records);
  await replica.caughtUp();
  return recordsOf(replica.log, topic);
}

describe('topics of views', () => {
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

  async function start(): Promise<RunningMillrace> {
    const server = await startMillrace({
      dataDir: join(folder, 'data'),
      viewsDir: join(folder, 'views'),
      pipelinesDir: join(folder, 'pipelines'),
      port: 0,
      sample: false,
      watch: false,
      quiet: true,
      announce: false,
    });
    open.push(server);
    return server;
  }

  async function written(server: RunningMillrace, topic: string): Promise<void> {
    await until(`${topic} is written`, async () => {
      const { kafka } = (await (await fetch(`${server.url}/status`)).json()) as {
        kafka: { outputs: { topic: string; state: string; lag: number | null }[] };
      };
      const output = kafka.outputs.find(o => o.topic === topic);
      return output?.state === 'writing' && output.lag === 0;
    });
  }

  it('are written to Kafka: a stream record by record, a table with its deletions; a restart repeats nothing', async () => {
    for (const name of ['views', 'pipelines']) mkdirSync(join(folder, name));
    const input = await topics.create('visits', 2);
    const [large, kept] = [`${input}-large`, `${input}-kept`];
    write(
      'pipelines/kafka.yaml',
      `kafka:\n  brokers: ["${topics.settings.brokers[0]}"]\n  outputs: [${large}, ${kept}]\n`,
    );
    write(
      'views/large.sql',
      `CREATE STREAM visits (who STRING KEY, pages BIGINT) WITH (KAFKA_TOPIC = '${input}', VALUE_FORMAT = 'JSON');
       CREATE STREAM large WITH (KAFKA_TOPIC = '${large}', VALUE_FORMAT = 'JSON') AS SELECT who, pages FROM visits WHERE pages > 10;`,
    );
    write(
      'views/kept.sql',
      `CREATE TABLE people (who STRING PRIMARY KEY, pages BIGINT) WITH (KAFKA_TOPIC = '${input}', VALUE_FORMAT = 'JSON');
       CREATE TABLE kept WITH (KAFKA_TOPIC = '${kept}', VALUE_FORMAT = 'JSON') AS SELECT who, pages FROM people WHERE pages > 10;`,
    );
    const visit = (who: string, pages: number, at: number) => ({
      key: who,
      partition: 0,
      value: JSON.stringify({ pages }),
      timestamp: `${1_700_000_000_000 + at}`,
    });
    await topics.produce(input, [
      visit('ann', 20, 1),
      visit('bob', 5, 2),
      visit('ann', 3, 3),
      visit('bob', 30, 4),
    ]);
    const first = await start();
    await until('all is here', () => first.log.topic(input)?.records === 4);
    await first.caughtUp();
    await until(
      'both topics have records',
      () => first.log.topic(large) && (first.log.topic(kept)?.records ?? 0) >= 3,
    );
    await written(first, large);
    await written(first, kept);
    await first.stop();
    await topics.produce(input, [visit('cyd', 11, 5)]);
    const second = await start();
    await until('the fifth is here', () => second.log.topic(input)?.records === 5);
    await second.caughtUp();
    await until('it was derived', () => (second.log.topic(large)?.records ?? 0) >= 3);
    await written(second, large);
    await written(second, kept);

    const stream = await inKafka(large, 3);
    expect(
      stream.map(r => [r.key === null ? null : textOf(r.key), JSON.parse(textOf(r.value) ?? '')]),
    ).toEqual([
      ['ann', { pages: 20 }],
      ['bob', { pages: 30 }],
      ['cyd', { pages: 11 }],
    ]);
    // Kafka compacts a table's topic: the last record of each key is there, a deletion too
    const table = await inKafka(kept, 1);
    const last = new Map(table.map(r => [textOf(r.key), textOf(r.value)]));
    expect([...last].sort()).toEqual([
      ['ann', null],
      ['bob', '{"pages":30}'],
      ['cyd', '{"pages":11}'],
    ]);
  }, 60_000);
});

it(`a node that is killed ${KILLS} times writes each record once, in order (seed ${seed})`, async () => {
  const topic = (await topics.create('killed-output', 3)).replace('-output', '-out');
  const records = 400 * KILLS;
  let random = seed;
  const next = (): number => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
    return random / 0x7fffffff;
  };
  const child = (until: (status: { made: number; lag: number | null }) => boolean) =>
    new Promise<void>(resolve => {
      const node = spawn(
        process.execPath,
        [
          join(import.meta.dirname, 'output-child.ts'),
          folder,
          topics.settings.brokers[0]!,
          topic,
          `${records}`,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      node.stdout.on('data', chunk => {
        for (const line of String(chunk).trim().split('\n')) {
          if (line.endsWith('}') && line.startsWith('{') && until(JSON.parse(line))) node.kill('SIGKILL');
        }
      });
      node.once('exit', () => resolve());
    });
  for (let kill = 1; kill <= KILLS; kill++) {
    const at = (records / KILLS) * (kill - next());
    await child(({ made, lag }) => made >= at && lag !== null);
  }
  await child(({ made, lag }) => made === records && lag === 0);

  const log = await openEmbeddedLog({ dir: folder, clock: systemClock });
  const own = recordsOf(log, topic).map(r => `${log.id}/${r.partition}/${r.offset} ${textOf(r.value)}`);
  await log.close();
  const there = (await inKafka(topic, records)).map(r => {
    const source = r.headers.find(h => h.name === 'millrace-source')?.value ?? null;
    return { partition: r.partition, text: `${textOf(source)} ${textOf(r.value)}` };
  });
  expect(there.map(r => r.text).sort()).toEqual([...own].sort());
  for (let partition = 0; partition < 3; partition++) {
    const places = there.filter(r => r.partition === partition).map(r => Number(r.text.split(/[/ ]/)[2]));
    expect(places).toEqual(places.map((_, i) => i));
  }
}, 120_000);

describe('a topic that somebody else writes', () => {
  const written = (
    topic: string,
    id: string,
    { ancestors = [], records = [`from ${id}`] }: { ancestors?: LogAncestor[]; records?: string[] } = {},
  ): { log: EventLog; output: OutputTopic; errors: string[] } => {
    const log = createMemoryLog({ clock: systemClock, id, ancestors });
    log.createTopic({ name: topic, partitions: 1, keyIndex: false });
    for (const text of records) log.append({ records: [{ topic, key: null, value: Buffer.from(text) }] });
    const errors: string[] = [];
    const output = new OutputTopic({
      kafka: kafkaClient(topics.settings, QUICK_RETRIES),
      settings: topics.settings,
      log,
      topic,
      upsert: false,
      onError: e => errors.push(String(e)),
    });
    open.push(output);
    return { log, output, errors };
  };

  it('is not mixed with: it is told, and nothing is written', async () => {
    const topic = await topics.create('theirs', 1);
    await topics.produce(topic, [{ value: 'theirs' }]);
    const { output } = written(topic, 'a');
    const { error } = await until('it is told', () =>
      output.status.state === 'refused' ? output.status : null,
    );
    expect(error).toContain('has records in Kafka that this data folder has not written');
    expect((await inKafka(topic, 1)).map(r => textOf(r.value))).toEqual(['theirs']);
  });

  it('goes on being written by the node that writes it: another data folder is refused and stops nobody', async () => {
    const topic = await topics.create('kept', 1);
    const first = written(topic, 'one');
    await until('the first one writes', () => first.output.status.lag === 0);
    const other = written(topic, 'two');
    await until('the other one is told', () => other.output.status.state === 'refused');
    first.log.append({ records: [{ topic, key: null, value: Buffer.from('next') }] });
    await until('the first one writes on', () => first.output.status.lag === 0);
    expect((await inKafka(topic, 2)).map(r => textOf(r.value))).toEqual(['from one', 'next']);
    expect(first.output.status.state).toBe('writing');
  });

  it('is told from its own, also when Kafka has forgotten how far it was written', async () => {
    const topic = await topics.create('forgotten', 1);
    const first = written(topic, 'one');
    await until('the first record is written', () => first.output.status.lag === 0);
    await first.output.stop();
    const admin = kafkaClient(topics.settings).admin();
    await admin.connect();
    await admin.deleteGroups(['millrace-out-one']);
    await admin.disconnect();
    const again = written(topic, 'one');
    again.log.append({ records: [{ topic, key: null, value: Buffer.from('next') }] });
    await until('it writes on', () => again.output.status.lag === 0);
    expect((await inKafka(topic, 2)).map(r => textOf(r.value))).toEqual(['from one', 'next']);
    const other = written(topic, 'two');
    await until('another one is refused', () => other.output.status.state === 'refused');
  });

  it('is written on by a log that was restored from a backup of its own, which the old one then leaves alone', async () => {
    const topic = await topics.create('restored', 1);
    const old = written(topic, 'one', { records: ['a', 'b', 'c'] });
    await until('the old one has written', () => old.output.status.lag === 0);
    await old.output.stop();
    // the backup was made after all of it was written
    const ancestors = [{ id: 'one', end: 3 }];
    const restored = written(topic, 'two', { ancestors, records: ['a', 'b', 'c', 'd'] });
    await until('it goes on', () => restored.output.status.lag === 0);
    await restored.output.stop();
    const zombie = written(topic, 'one', { records: ['a', 'b', 'c', 'other'] });
    await until('the old one is told', () => zombie.output.status.state === 'refused');
    const again = written(topic, 'two', { ancestors, records: ['a', 'b', 'c', 'd', 'e'] });
    await until('the restored one writes', () => again.output.status.lag === 0);
    expect((await inKafka(topic, 5)).map(r => textOf(r.value))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('with records that a restored log has not: nothing of it is left out, it is refused with what to do', async () => {
    const topic = await topics.create('ahead', 1);
    const old = written(topic, 'one', { records: ['a', 'b', 'c'] });
    await until('the old one has written', () => old.output.status.lag === 0);
    await old.output.stop();
    const ancestors = [{ id: 'one', end: 2 }];
    const restored = written(topic, 'two', { ancestors, records: ['a', 'b', 'other', 'd', 'e'] });
    await until('it is told', () => restored.output.status.state === 'refused');
    expect(restored.output.status.error).toContain('written after the backup');
    expect((await inKafka(topic, 3)).map(r => textOf(r.value))).toEqual(['a', 'b', 'c']);
    await restored.output.stop();
    // what it says helps
    await topics.admin(admin => admin.deleteTopics({ topics: [topic] }));
    await until('it is gone', async () => !(await topics.admin(a => a.listTopics())).includes(topic));
    const again = written(topic, 'two', { ancestors, records: ['a', 'b', 'other', 'd', 'e'] });
    await until('it is written anew', () => again.output.status.lag === 0);
    expect((await inKafka(topic, 5)).map(r => textOf(r.value))).toEqual(['a', 'b', 'other', 'd', 'e']);
    const settings = await topics.admin(a =>
      a.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }],
      }),
    );
    expect(settings.resources[0]?.configEntries[0]?.configValue).toBe('-1');
  });

  it('is left to the node that began last', async () => {
    const topic = await topics.create('contested', 1);
    const first = written(topic, 'one');
    await until('the first one writes', () => first.output.status.lag === 0);
    // the same log, started anew elsewhere
    const second = written(topic, 'one');
    await until('the second one writes', () => second.output.status.state === 'writing');
    first.log.append({ records: [{ topic, key: null, value: Buffer.from('late') }] });
    await until('the first one is told', () => first.output.status.state === 'refused');
    second.log.append({ records: [{ topic, key: null, value: Buffer.from('next') }] });
    await until('the second one has written', () => second.output.status.lag === 0);
    expect((await inKafka(topic, 2)).map(r => textOf(r.value))).toEqual(['from one', 'next']);
  });
});
