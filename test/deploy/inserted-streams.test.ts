import { describe, expect, it } from 'vitest';
import { WRITTEN_BY } from '../../src/core/log-record.ts';
import { type DataFolder, dataFolder, manyOrders, type Running, start } from './data-folder.ts';

/** A stream that several queries feed, by INSERT INTO in its file, and others by its topic. */

const BOTH = `CREATE STREAM both WITH (KAFKA_TOPIC = 'both') AS SELECT id, amount FROM orders WHERE amount > 90;
INSERT INTO both SELECT id, -amount AS amount FROM orders WHERE amount < 10;`;
const SUM = 'SELECT COUNT(*) AS n, SUM(amount) AS amount FROM both;';

async function fromOutside(server: Running, id: string, amount: number): Promise<void> {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const value = bytes(JSON.stringify({ AMOUNT: amount }));
  await server.log.append({ records: [{ topic: 'both', key: bytes(id), value, timestamp: 5 }] }).durable;
}

/** The topic of `both`: what the view wrote, and what others did. */
function written(server: Running): { readonly ours: string[]; readonly others: string[] } {
  const ids = { ours: [] as string[], others: [] as string[] };
  for (const { key, headers } of server.log.readTopic('both', { limit: 1_000_000 })) {
    const ours = headers.some(h => h.name === WRITTEN_BY);
    ids[ours ? 'ours' : 'others'].push(new TextDecoder().decode(key ?? new Uint8Array()));
  }
  return ids;
}

/** Every query's rows are in the topic once, those from outside too, and all of them are rows of the stream. */
function expectOnce(server: Running, outside: readonly string[]): void {
  const { ours, others } = written(server);
  expect(others).toEqual(outside);
  const rows =
    server
      .expected()
      .get('both')
      ?.map(r => String(r[0])) ?? [];
  expect(ours).toEqual(rows.filter(id => !outside.includes(id)));
  expect(rows).toHaveLength(ours.length + outside.length);
}

function folder(): DataFolder {
  return dataFolder({ both: BOTH, sum: SUM });
}

describe('a stream that INSERT INTO feeds', () => {
  it('is one union of its queries and of what others write; nothing is read twice, over restarts and replays', async () => {
    const data = folder();
    let server = await start(data);
    await server.orders(manyOrders(200));
    await server.caughtUp();
    await fromOutside(server, 'x1', 1_000);
    await server.expectExact();
    expectOnce(server, ['x1']);
    await server.stop();
    server = await start(data);
    await fromOutside(server, 'x2', 2_000);
    await server.orders(manyOrders(100, 1_000));
    await server.expectExact();
    await server.views.replay('both');
    await server.orders(manyOrders(100, 2_000));
    await fromOutside(server, 'x3', 3_000);
    await server.expectExact();
    expectOnce(server, ['x1', 'x2', 'x3']);
    expect(Number(server.rows('sum')[0]?.[1])).toBeGreaterThan(6_000);
  });

  it('is filled from a history in which others have written already', async () => {
    const data = dataFolder({});
    const server = await start(data);
    server.log.createTopic({ name: 'both', partitions: 1, keyIndex: false });
    await server.orders(manyOrders(100));
    await fromOutside(server, 'early', 7);
    await server.orders(manyOrders(100, 500));
    data.write('both', BOTH);
    server.views.refresh();
    await server.expectExact();
    expectOnce(server, ['early']);
  });

  it('gets another query, and loses one: the rows follow', async () => {
    const data = folder();
    const server = await start(data);
    await server.orders(manyOrders(150));
    await server.caughtUp();
    data.write('both', `${BOTH}\nINSERT INTO both SELECT id, amount FROM orders WHERE amount = 50;`);
    server.views.refresh();
    await server.expectExact();
    data.write('both', BOTH.split('\n')[0] ?? '');
    server.views.refresh();
    await server.expectExact();
  });

  it('that was declared is a source again when its file goes, with all that was written', async () => {
    const data = dataFolder({
      both: 'INSERT INTO both SELECT id, amount FROM orders WHERE amount > 90;',
      sum: SUM,
    });
    data.write(
      'sources/both',
      "CREATE STREAM both (id STRING KEY, amount INT) WITH (KAFKA_TOPIC = 'both', VALUE_FORMAT = 'JSON', PARTITIONS = 1);",
    );
    const server = await start(data);
    await server.orders(manyOrders(150));
    await fromOutside(server, 'x1', 1_000);
    await server.expectExact();
    const before = server.rows('sum');
    expect(Number(before[0]?.[0])).toBeGreaterThan(10);
    data.remove('both');
    server.views.refresh();
    await server.caughtUp();
    expect(server.views.list().map(v => v.name)).toEqual(['sum']);
    expect(server.rows('sum')).toEqual(before);
    await server.orders(manyOrders(150, 1_000));
    await server.caughtUp();
    expect(server.rows('sum')).toEqual(before);
  });
});
