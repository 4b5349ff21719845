import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BIGINT, STRING } from '../../src/core/sql-type.ts';
import type { FakeView } from './fake-views.ts';
import { type HttpFixture, httpFixture } from './http-fixture.ts';

/** Not plain, so that the request goes through the framework. */
const USUAL = { accept: 'application/json;q=0.9' };

let http: HttpFixture;
let url: string;
let names: FakeView;

async function start(change: Parameters<typeof httpFixture>[0] = {}): Promise<void> {
  http = await httpFixture(change);
  const visits = http.views.add({
    name: 'visits',
    columns: [
      { name: 'page', type: STRING },
      { name: 'hour', type: BIGINT },
      { name: 'visitors', type: BIGINT },
    ],
    key: [0, 1],
  });
  names = http.views.add({
    name: 'names',
    columns: [
      { name: 'id', type: STRING },
      { name: 'name', type: STRING },
    ],
    key: [0],
  });
  http.views.moveTo(12, () => {
    visits.apply(12, [['home', 3n, 9007199254740993n]]);
    names.apply(12, [
      ['a', 'Zoë "Z"'],
      ['status', 'a key like a route'],
    ]);
  });
  url = await http.listen();
}

async function both(path: string, headers: Record<string, string> = {}) {
  const [plain, usual] = await Promise.all(
    [headers, { ...USUAL, ...headers }].map(async h => {
      const response = await fetch(`${url}${path}`, { headers: { accept: '*/*', ...h } });
      const heads = Object.fromEntries(response.headers);
      delete heads.date;
      return { status: response.status, heads, body: await response.text() };
    }),
  );
  return { plain, usual };
}

afterEach(() => http.close());

describe('the read of one row', () => {
  beforeEach(() => start());

  it.each([
    '/views/visits/home/3',
    '/views/names/a',
    '/views/NAMES/a',
    '/views/names/a?numbers=json',
    '/views/names/status',
    '/views/names/nobody',
    '/views/visits/home',
    '/views/visits/home/three',
    '/views/visits/home/3/4',
    '/views/nothing/a',
    '/views/names/%61',
  ])('is the same whichever way it goes: %s', async path => {
    const { plain, usual } = await both(path);
    expect(plain).toEqual(usual);
  });

  it('is the row, with its position and tag', async () => {
    const { plain } = await both('/views/names/a');
    expect(plain?.status).toBe(200);
    expect(plain?.body).toBe(
      '{"view":"names","position":"testlog-c","row":{"id":"a","name":"Zoë \\"Z\\""}}\n',
    );
    expect(plain?.heads).toMatchObject({
      'millrace-position': 'testlog-c',
      'x-content-type-options': 'nosniff',
    });
    const again = await fetch(`${url}/views/names/a`, {
      headers: { 'if-none-match': plain?.heads.etag as string },
    });
    expect(again.status).toBe(304);
  });

  it('is the row as it is now, however often it was read before', async () => {
    const before = await both('/views/names/a');
    expect((await both('/views/names/a')).plain).toEqual(before.plain);
    http.views.moveTo(13, () => {});
    const moved = await both('/views/names/a');
    expect(moved.plain?.body).toContain('"position":"testlog-d"');
    expect(moved.plain).toEqual(moved.usual);
    http.views.moveTo(14, () => names.apply(14, [['a', 'Ada']]));
    const changed = await both('/views/names/a');
    expect(changed.plain?.body).toContain('"row":{"id":"a","name":"Ada"}');
    expect(changed.plain).toEqual(changed.usual);
    http.views.moveTo(15, () => names.apply(15, [], [['a']]));
    expect((await both('/views/names/a')).plain?.status).toBe(404);
  });

  it('is counted like every other', async () => {
    await both('/views/names/a');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(
      /millrace_http_request_duration_seconds_count\{method="GET",route="\/views\/:name\/\*",status="200"\} 2/,
    );
  });

  it('is refused to pages of strangers', async () => {
    const { plain, usual } = await both('/views/names/a', { origin: 'http://evil.example' });
    expect(plain?.status).toBe(403);
    expect(plain).toEqual(usual);
  });
});

it('is refused without the token', async () => {
  await start({ options: { token: 'secret' } });
  const { plain, usual } = await both('/views/names/a');
  expect(plain?.status).toBe(401);
  expect(plain).toEqual(usual);
  const { plain: allowed } = await both('/views/names/a', { authorization: 'Bearer secret' });
  expect(allowed?.status).toBe(200);
});
