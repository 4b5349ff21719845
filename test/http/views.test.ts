import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arrayOf, BIGINT, DATE, decimal, STRING, TIMESTAMP } from '../../src/core/sql-type.ts';
import type { FakeView } from './fake-views.ts';
import { type HttpFixture, httpFixture } from './http-fixture.ts';

const day = (text: string) => Date.parse(text) / 86_400_000;

let http: HttpFixture;
let totals: FakeView;

beforeEach(async () => {
  http = await httpFixture();
  totals = http.views.add({
    name: 'totals',
    columns: [
      { name: 'customer', type: STRING },
      { name: 'total', type: decimal(10, 2) },
      { name: 'n', type: BIGINT },
      { name: 'since', type: DATE },
      { name: 'seen', type: TIMESTAMP },
    ],
    key: [0],
  });
  http.views.moveTo(10, () =>
    totals.apply(10, [
      ['ada', 1250n, 3n, day('2026-01-03'), Date.UTC(2026, 0, 3, 10)],
      ['bob', 99n, 9007199254740993n, day('2026-01-05'), Date.UTC(2026, 0, 5)],
      ['cyd', null, 1n, null, null],
      ['d/e f', -5n, 1n, day('2026-02-01'), Date.UTC(2026, 1, 1)],
    ]),
  );
});

afterEach(() => http.close());

const customers = async (url: string) => {
  const response = await http.get(url);
  expect(response.statusCode, response.body).toBe(200);
  return response.json().rows.map((r: { customer: string }) => r.customer);
};

describe('rows of a view', () => {
  it('are objects with named fields, exact numbers as strings, at a position', async () => {
    const response = await http.get('/views/totals?limit=2');
    expect(response.headers['millrace-position']).toBe('testlog-a');
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(response.json()).toEqual({
      view: 'totals',
      position: 'testlog-a',
      rows: [
        { customer: 'ada', total: '12.50', n: '3', since: '2026-01-03', seen: '2026-01-03T10:00:00.000Z' },
        {
          customer: 'bob',
          total: '0.99',
          n: '9007199254740993',
          since: '2026-01-05',
          seen: '2026-01-05T00:00:00.000Z',
        },
      ],
      next: expect.any(String),
    });
  });

  it('have exact JSON numbers where they are asked for', async () => {
    const { body } = await http.get('/views/totals?customer=bob&numbers=json');
    expect(body).toContain('"total":0.99,"n":9007199254740993,');
  });

  it('are found by the name of the view in any case', async () => {
    expect(await customers('/views/TOTALS?n=3')).toEqual(['ada']);
  });

  it.each([
    ['customer=bob', ['bob']],
    ['customer=bob&customer=ada&customer=nobody', ['ada', 'bob']],
    ['n=1', ['cyd', 'd/e f']],
    ['N=1&customer.gt=cyd', ['d/e f']],
    ['total.gte=0.99', ['ada', 'bob']],
    ['total.gt=0.99&total.lt=100', ['ada']],
    ['total.lte=0.99', ['bob', 'd/e f']],
    ['total.null=true', ['cyd']],
    ['total.null=false&n=1', ['d/e f']],
    ['since.gte=2026-01-05', ['bob', 'd/e f']],
    ['seen=2026-01-05T00:00:00', ['bob']],
    ['n=9007199254740993', ['bob']],
    ['n=9007199254740992', []],
    ['customer=d%2Fe+f', ['d/e f']],
  ])('meet the conditions %s', async (conditions, expected) => {
    expect(await customers(`/views/totals?${conditions}`)).toEqual(expected);
  });

  it('are looked up when the conditions name their keys', async () => {
    await customers('/views/totals?customer=bob&customer=ada&n.gte=0');
    expect(totals.scanned).toBe(0);
  });

  it.each([
    ['-customer', ['d/e f', 'cyd', 'bob', 'ada']],
    ['total', ['d/e f', 'bob', 'ada', 'cyd']],
    ['-total', ['cyd', 'ada', 'bob', 'd/e f']],
    ['n,-customer', ['d/e f', 'cyd', 'ada', 'bob']],
    ['-seen', ['cyd', 'd/e f', 'bob', 'ada']],
  ])('come in the order %s, page by page', async (order, expected) => {
    expect(await customers(`/views/totals?order=${order}`)).toEqual(expected);
    for (const limit of [1, 2, 3]) {
      const seen: string[] = [];
      let cursor = '';
      do {
        const page = (await http.get(`/views/totals?order=${order}&limit=${limit}${cursor}`)).json();
        expect(page.rows.length).toBeLessThanOrEqual(limit);
        seen.push(...page.rows.map((r: { customer: string }) => r.customer));
        cursor = page.next === null ? '' : `&cursor=${page.next}`;
      } while (cursor !== '');
      expect(seen).toEqual(expected);
    }
  });

  it('keep their pages when rows come and go between them', async () => {
    const { next } = (await http.get('/views/totals?limit=2')).json();
    http.views.moveTo(11, () =>
      totals.apply(
        11,
        [
          ['aaa', 1n, 1n, null, null],
          ['bzz', 1n, 1n, null, null],
        ],
        [['bob']],
      ),
    );
    expect(await customers(`/views/totals?limit=2&cursor=${next}`)).toEqual(['bzz', 'cyd']);
  });

  it('are written as NDJSON and CSV, by the Accept header or by name', async () => {
    const lines = await http.get('/views/totals?n=1', { accept: 'application/x-ndjson' });
    expect(lines.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(lines.body.split('\n')).toEqual([
      '{"customer":"cyd","total":null,"n":"1","since":null,"seen":null}',
      '{"customer":"d/e f","total":"-0.05","n":"1","since":"2026-02-01","seen":"2026-02-01T00:00:00.000Z"}',
      '',
    ]);
    const csv = await http.get('/views/totals?limit=1&format=csv', { accept: 'application/json' });
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(csv.body).toMatch(/^customer,total,n,since,seen\r\nada,12\.50,3,2026-01-03,/);
    expect(csv.headers['millrace-next']).toBeTypeOf('string');
    expect((await http.get('/views/totals', { accept: 'image/png' })).json().code).toBe('not_acceptable');
  });
});

describe('a view of many rows', () => {
  const ROWS = 60_000;

  beforeEach(() => {
    const many = http.views.add({
      name: 'many',
      columns: [
        { name: 'id', type: BIGINT },
        { name: 'parity', type: STRING },
      ],
      key: [0],
    });
    http.views.moveTo(11, () =>
      many.apply(
        11,
        Array.from({ length: ROWS }, (_, i) => [
          BigInt(i),
          i === ROWS - 1 ? 'last' : i % 2 === 0 ? 'even' : 'odd',
        ]),
      ),
    );
  });

  it('is looked through in bounded steps, each with a cursor for the next', async () => {
    const first = (await http.get('/views/many?parity=last')).json();
    expect([first.rows, first.next]).toEqual([[], expect.any(String)]);
    const second = (await http.get(`/views/many?parity=last&cursor=${first.next}`)).json();
    expect([second.rows, second.next]).toEqual([[{ id: String(ROWS - 1), parity: 'last' }], null]);
  });

  it('is not sorted, but read in the order of its key from either end', async () => {
    expect((await http.get('/views/many?order=parity')).json()).toMatchObject({
      status: 400,
      code: 'limit_exceeded',
      hint: expect.stringContaining('order by the key'),
    });
    const ids = async (search: string) =>
      (await http.get(`/views/many?${search}`)).json().rows.map((r: { id: string }) => Number(r.id));
    expect(await ids('order=-id&limit=2')).toEqual([ROWS - 1, ROWS - 2]);
    expect(await ids('order=-parity&id=7&id=4')).toEqual([7, 4]);
  });
});

describe('rows that are large', () => {
  const ROWS = 20;

  beforeEach(() => {
    const wide = http.views.add({
      name: 'wide',
      columns: [
        { name: 'id', type: BIGINT },
        { name: 'place', type: BIGINT },
        { name: 'content', type: STRING },
      ],
      key: [0],
    });
    const content = 'x'.repeat(2 ** 20);
    http.views.moveTo(11, () =>
      wide.apply(
        11,
        Array.from({ length: ROWS }, (_, i) => [BigInt(i), BigInt(-i), content]),
      ),
    );
  });

  it.each([
    ['in the order of the key', 'order=-id'],
    ['sorted', 'order=place'],
  ])('come in short pages, each with a cursor for the next: %s', async (_, order) => {
    const ids: number[] = [];
    for (let next: string | null = '', pages = 0; next !== null && pages < ROWS; pages++) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const page = (await http.get(`/views/wide?${order}&limit=50${cursor}`)).json();
      expect(page.rows.length).toBeLessThan(ROWS / 2);
      ids.push(...page.rows.map((r: { id: string }) => Number(r.id)));
      next = page.next;
    }
    expect(ids).toEqual(Array.from({ length: ROWS }, (_, i) => ROWS - 1 - i));
  });

  it('meet no condition on a list, but whether there is one', async () => {
    const type = arrayOf(STRING);
    const lists = http.views.add({ name: 'lists', columns: [{ name: 'tags', type }], key: [] });
    http.views.moveTo(12, () => lists.apply(12, [[['a']], [null]]));
    expect((await http.get('/views/lists?tags=a')).json()).toMatchObject({
      status: 400,
      code: 'request_invalid',
      hint: expect.stringContaining('/query'),
    });
    expect((await http.get('/views/lists?tags.null=false')).json().rows).toEqual([{ tags: ['a'] }]);
  });

  it('come alone where one is larger than a page', async () => {
    const huge = http.views.add({ name: 'huge', columns: [{ name: 'content', type: STRING }], key: [] });
    const content = 'x'.repeat(9 * 2 ** 20);
    http.views.moveTo(12, () => huge.apply(12, [[content], [content]]));
    expect((await http.get('/views/huge')).json()).toMatchObject({ rows: [{}], next: expect.any(String) });
  });
});

describe('the row of a key', () => {
  it('is one row', async () => {
    const response = await http.get('/views/totals/bob');
    expect(response.json()).toMatchObject({ view: 'totals', position: 'testlog-a', row: { total: '0.99' } });
    expect((await http.get('/views/totals/d%2Fe%20f')).json().row.customer).toBe('d/e f');
    expect((await http.get('/views/totals/bob?format=csv')).body).toMatch(/\r\nbob,0\.99,/);
  });

  it('is an error when there is none', async () => {
    const response = await http.get('/views/totals/nobody');
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: 'unknown_row', position: 'testlog-a' });
    expect((await http.get('/views/totals/a/b')).json()).toMatchObject({
      code: 'unknown_row',
      hint: 'its columns are customer; write "/" within a value as %2F',
    });
  });

  it('does not exist where rows have no key', async () => {
    const lines = http.views.add({ name: 'lines', columns: [{ name: 'line', type: STRING }] });
    http.views.moveTo(11, () => lines.apply(11, [['one'], ['two']]));
    expect((await http.get('/views/lines/one')).json()).toMatchObject({
      status: 404,
      code: 'unknown_row',
      hint: 'read them with GET /views/lines?column=value',
    });
    expect((await http.get('/views/lines?limit=1')).json().rows).toEqual([{ line: 'one' }]);
  });
});

describe('windowed views', () => {
  const HOUR = 3_600_000;
  const start = Date.UTC(2026, 0, 1);

  beforeEach(() => {
    const view = http.views.add({
      name: 'per_hour',
      columns: [
        { name: 'card', type: STRING },
        { name: 'n', type: BIGINT },
        { name: 'WINDOWSTART', type: BIGINT },
        { name: 'WINDOWEND', type: BIGINT },
      ],
      key: [0, 2, 3],
      windowed: true,
    });
    const row = (card: string, hour: number) => {
      const from = BigInt(start + hour * HOUR);
      return [card, BigInt(hour), from, from + BigInt(HOUR)];
    };
    http.views.moveTo(20, () => view.apply(20, [row('a', 0), row('a', 1), row('a', 2), row('b', 1)]));
  });

  const hours = async (url: string) =>
    (await http.get(url)).json().rows.map((r: { card: string; n: string }) => `${r.card}${r.n}`);

  it('answer all windows of a key, and those of a range of time', async () => {
    expect(await hours('/views/per_hour/a')).toEqual(['a0', 'a1', 'a2']);
    expect(await hours('/views/per_hour/a?order=-WINDOWSTART')).toEqual(['a2', 'a1', 'a0']);
    expect(await hours('/views/per_hour/a?from=2026-01-01T01:00:00Z')).toEqual(['a1', 'a2']);
    expect(await hours(`/views/per_hour/a?from=${start}&to=${start + HOUR}`)).toEqual(['a0']);
    expect(await hours('/views/per_hour?from=2026-01-01T01:00&to=2026-01-01T02:00')).toEqual(['a1', 'b1']);
    expect(await hours('/views/per_hour/nobody')).toEqual([]);
  });

  it('answer one row for a key with its window', async () => {
    const { row } = (await http.get(`/views/per_hour/a/${start}/${start + HOUR}`)).json();
    expect(row).toMatchObject({ card: 'a', n: '0' });
    const iso = await http.get('/views/per_hour/a/2026-01-01T01:00:00Z/2026-01-01T02:00:00Z');
    expect(iso.json().row).toMatchObject({ card: 'a', n: '1' });
  });

  it('alone have windows', async () => {
    expect((await http.get('/views/totals?from=2026-01-01')).json()).toMatchObject({
      status: 400,
      detail: 'the rows of "totals" have no windows',
    });
  });
});

describe('freshness', () => {
  it('is waited for', async () => {
    const asked = http.get('/views/totals?after=testlog-b&wait=5s');
    await http.get('/healthz');
    http.views.moveTo(11, () => totals.apply(11, [['ada', 1n, 1n, null, null]]));
    const response = await asked;
    expect(response.json()).toMatchObject({ position: 'testlog-b' });
    expect(response.json().rows[0]).toMatchObject({ total: '0.01' });
  });

  it('that is not reached in time is told with how far it is', async () => {
    const response = await http.get('/views/totals?after=testlog-c&wait=0ms');
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject({
      code: 'view_behind',
      retriable: true,
      asked: 'testlog-c',
      position: 'testlog-a',
      behind: 2,
    });
  });

  it('is not to be had of a view that stands still; without it the last rows are answered', async () => {
    http.views.moveTo(12, () => {});
    totals.position = 11;
    const response = await http.get('/views/totals?after=testlog-c&wait=0ms');
    expect(response.json()).toMatchObject({ status: 503, code: 'view_behind', position: 'testlog-b' });
    expect((await http.get('/views/totals')).statusCode).toBe(200);
  });

  it('of another log is refused', async () => {
    expect((await http.get('/views/totals?after=other-1')).json()).toMatchObject({
      status: 409,
      code: 'position_foreign',
    });
    expect((await http.get('/views/totals?after=%00')).json().code).toBe('position_malformed');
  });

  it('of the same position is sent again when the view was paused there: the answer says so', async () => {
    const totals = http.views.open('totals') as FakeView;
    for (const path of ['/views/totals?limit=1', '/views/totals/bob']) {
      totals.paused = null;
      const tag = String((await http.get(path)).headers.etag);
      totals.paused = 'memory budget';
      const again = await http.get(path, { 'if-none-match': tag });
      expect([again.statusCode, again.headers['millrace-paused']]).toEqual([200, 'memory budget']);
      const paused = String(again.headers.etag);
      expect((await http.get(path, { 'if-none-match': paused })).statusCode).toBe(304);
    }
  });

  it('of the same position is not sent twice', async () => {
    const { headers } = await http.get('/views/totals?n=1');
    const tag = String(headers.etag);
    const again = await http.get('/views/totals?n=1', { 'if-none-match': tag });
    expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', tag]);
    expect((await http.get('/views/totals?n=1&format=csv', { 'if-none-match': tag })).statusCode).toBe(200);
    http.views.moveTo(11);
    expect((await http.get('/views/totals?n=1', { 'if-none-match': tag })).statusCode).toBe(200);
  });
});

describe('wrong questions', () => {
  it.each([
    ['/views/totals?custmer=x', 'did you mean "customer"?'],
    ['/views/totals?totl.gte=1', 'did you mean "total.gte"?'],
    ['/views/totals?limt=1', 'did you mean "limit"?'],
    ['/views/totals?order=totl', 'did you mean "total"?'],
    ['/views?limit=1', 'this route has no parameters'],
  ])('%s are answered with what was meant', async (url, hint) => {
    expect((await http.get(url)).json()).toMatchObject({ status: 400, code: 'request_invalid', hint });
  });

  it.each([
    'n=x',
    'n=1.5',
    'total=1e',
    'since=2026-02-30',
    'limit=0',
    'limit=51',
    'limit=1&limit=2',
    'limit=-1',
    'order=',
    'order=n,n',
    'cursor=x',
    'cursor=a.b.c.d',
    'wait=2',
    'wait=6s',
    'format=xml',
    'total.null=maybe',
  ])('%s are refused', async search => {
    const response = await http.get(`/views/totals?${search}`);
    expect([response.statusCode, response.json().code]).toEqual([400, 'request_invalid']);
  });

  it('with the cursor of another question are refused', async () => {
    const { next } = (await http.get('/views/totals?limit=1')).json();
    expect((await http.get(`/views/totals?limit=1&n=1&cursor=${next}`)).json()).toMatchObject({
      detail: 'this cursor belongs to another query',
    });
  });
});

describe('views', () => {
  it('are listed with their columns', async () => {
    http.views.building('later', 0.4);
    const { views, position } = (await http.get('/views')).json();
    expect(position).toBe('testlog-a');
    expect(views).toEqual([
      expect.objectContaining({ name: 'later', state: 'building', serving: false, position: null }),
      expect.objectContaining({
        name: 'totals',
        position: 'testlog-a',
        key: ['customer'],
        columns: expect.arrayContaining([{ name: 'total', type: 'DECIMAL(10, 2)' }]),
        links: { rows: '/views/totals', changes: '/views/totals/changes', status: '/views/totals/status' },
      }),
    ]);
  });

  it('that are being built say how far they are', async () => {
    http.views.building('later', 0.4);
    const response = await http.get('/views/later');
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1']);
    expect(response.json()).toMatchObject({
      code: 'view_building',
      view: 'later',
      fraction: 0.4,
      target: 10,
    });
  });

  it('that do not exist are not found', async () => {
    expect((await http.get('/views/nothing')).json()).toMatchObject({ status: 404, code: 'unknown_view' });
    expect((await http.get('/views/nothing/key')).json().code).toBe('unknown_view');
  });

  it('are replayed, and replays are cancelled', async () => {
    const begun = await http.post('/views/Totals/replay', '{}');
    expect([begun.statusCode, begun.headers.location]).toEqual([202, '/views/totals/status']);
    expect((await http.get('/views/totals/status')).json()).toMatchObject({
      name: 'totals',
      position: 'testlog-a',
    });
    const cancel = () => http.app.inject({ method: 'DELETE', url: '/views/totals/replay' });
    expect((await cancel()).statusCode).toBe(200);
    expect((await cancel()).json()).toMatchObject({ status: 404, code: 'not_found' });
  });
});
