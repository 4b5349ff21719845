import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogKeeper, type LogKeeperPorts } from '../../src/deploy/log-keeper.ts';
import { rec } from '../contract/event-log.contract.ts';
import { type HttpFixture, httpFixture, NOW } from './http-fixture.ts';

let http: HttpFixture;
beforeEach(async () => {
  http = await httpFixture();
  for (let i = 0; i < 10; i++) {
    http.clock.set(NOW + i * 1_000);
    await http.ports.log.append({ records: [rec('page-views', `u${i % 3}`, `{"n":${i}}`, { partition: 0 })] })
      .durable;
  }
});
afterEach(() => http.close());

const trim = (body: object) => http.post('/log/trim', JSON.stringify(body));
const token = (seq: number): string => `testlog-${seq.toString(36)}`;

describe('POST /log/trim', () => {
  it.each([
    ['an offset', { partition: 0, offset: 4 }],
    ['a time', { time: new Date(NOW + 4_000).toISOString() }],
    ['a position', { position: token(4) }],
  ])('takes what lies before %s', async (_, before) => {
    const answer = await trim({ topic: 'page-views', before, by: 'ada' });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      act: {
        n: 1,
        at: new Date(NOW + 9_000).toISOString(),
        by: 'ada',
        kind: 'trim',
        topic: 'page-views',
        before: token(4),
        incomplete: [],
      },
      records: 4,
      incomplete: [],
    });
    const records = (await http.get('/topics/page-views/records?limit=100')).json().records;
    expect(records.map((r: { offset: number }) => r.offset)).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it('with dryRun only tells what would go', async () => {
    const answer = await trim({ topic: 'page-views', before: { offset: 4 }, dryRun: true });
    expect(answer.json()).toEqual({ topic: 'page-views', before: token(4), records: 4, incomplete: [] });
    expect(http.ports.log.acts()).toEqual([]);
  });

  it.each([
    [{}, 'request_invalid', '"topic" is not the name of a topic'],
    [{ topic: 'page-views' }, 'request_invalid', '"before" is not an object'],
    [{ topic: 'page-views', before: {} }, 'request_invalid', '"before" is neither'],
    [{ topic: 'page-views', before: { time: 'soon' } }, 'request_invalid', '"time" is not a time'],
    [{ topic: 'page-views', before: { offset: 1.5 } }, 'request_invalid', '"offset" is not a whole number'],
    [{ topic: 'page-views', before: { partition: 9, offset: 1 } }, 'invalid_argument', 'has no partition 9'],
    [{ topic: 'page-views', before: { position: 'x' } }, 'position_malformed', ''],
    [{ topic: 'page-views', before: { position: token(99) } }, 'position_ahead', 'lies ahead of the log'],
    [{ topic: 'nothing', before: { offset: 1 } }, 'unknown_topic', 'there is no topic "nothing"'],
    [{ topic: 'invoice-events', before: { offset: 1 } }, 'topic_protected', 'kept whole'],
    [
      { topic: 'page-views', before: { offset: 1 }, force: true },
      'request_invalid',
      'unknown member "force"',
    ],
  ])('refuses %j', async (body, code, detail) => {
    const problem = (await trim(body)).json();
    expect(problem.code).toBe(code);
    expect(problem.detail).toContain(detail);
    expect(http.ports.log.acts()).toEqual([]);
  });
});

it('POST /log/compact keeps the last record of each key', async () => {
  const body = { topic: 'page-views', before: { position: token(10) } };
  const answer = await http.post('/log/compact', JSON.stringify(body));
  expect(answer.json().act).toMatchObject({ kind: 'compact', by: 'http' });
  const records = (await http.get('/topics/page-views/records?limit=100')).json().records;
  expect(records.map((r: { offset: number }) => r.offset)).toEqual([7, 8, 9]);
});

it('a topic that views read is refused with 409, naming them, until that is accepted', async () => {
  await http.close();
  const plans = [
    { name: 'totals', reads: [], root: { node: 'scan', source: { topic: 'page-views', kind: 'stream' } } },
  ] as unknown as ReturnType<LogKeeperPorts['plans']>;
  http = await httpFixture();
  const { log, clock } = http.ports;
  await log.append({ records: [rec('page-views', 'u', '{}')] }).durable;
  await http.close();
  const keeper = new LogKeeper({
    log,
    clock,
    plans: () => plans,
    building: () => [],
    committed: () => log.end(),
    handlers: () => [],
    owned: new Map(),
    ownedByKey: new Map(),
    keptFor: new Map(),
  });
  http = await httpFixture({ ports: { log, keeper } });
  const order = { topic: 'page-views', before: { position: token(1) } };
  const refused = await trim(order);
  expect(refused.statusCode).toBe(409);
  expect(refused.json()).toMatchObject({ code: 'topic_in_use', topic: 'page-views', views: ['totals'] });
  const accepted = await trim({ ...order, acceptIncompleteRebuilds: true });
  expect(accepted.json()).toMatchObject({ incomplete: ['totals'], act: { incomplete: ['totals'] } });
});

describe('after a trim', () => {
  beforeEach(() => trim({ topic: 'page-views', before: { offset: 4 }, by: 'ada' }));

  it('GET /log tells what each topic keeps, and what was taken', async () => {
    const document = (await http.get('/log')).json();
    expect(document).toMatchObject({
      id: 'testlog',
      position: token(10),
      acts: [{ n: 1, kind: 'trim', by: 'ada', topic: 'page-views', before: token(4) }],
      upkeep: null,
    });
    expect(document.topics.find((t: { name: string }) => t.name === 'page-views')).toEqual({
      name: 'page-views',
      records: 10,
      starts: [4, 0],
      ends: [10, 0],
      since: new Date(NOW + 4_000).toISOString(),
      compacted: null,
    });
  });

  it('a read below what is left is refused, with the first offset there is', async () => {
    const answer = await http.get('/topics/page-views/records?partition=0&offset=2');
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({
      code: 'position_expired',
      start: 4,
      since: new Date(NOW + 4_000).toISOString(),
    });
    expect((await http.get('/topics/page-views/records?partition=0&offset=4')).statusCode).toBe(200);
    expect((await http.get('/topics/page-views')).json()).toMatchObject({ starts: [4, 0] });
  });
});

describe('POST /log/backup', () => {
  it('takes an absolute folder only', async () => {
    const answer = await http.post('/log/backup', JSON.stringify({ folder: 'backup' }));
    expect(answer.json()).toMatchObject({
      code: 'request_invalid',
      detail: '"folder" is not an absolute path',
    });
    expect((await http.get('/log/backup')).statusCode).toBe(404);
  });

  it('begins one; how it ended is told afterwards', async () => {
    const answer = await http.post('/log/backup', JSON.stringify({ folder: '/backup' }));
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({ folder: '/backup', state: 'running', fraction: 0 });
    expect((await http.get('/log/backup')).json()).toMatchObject({
      state: 'failed',
      error: { code: 'invalid_argument', detail: '/backup cannot take a backup: a log in memory' },
    });
  });
});
