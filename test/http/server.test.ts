import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogue, MillraceError, MillraceErrors } from '../../src/core/errors.ts';
import { BIGINT, decimal, INT, STRING } from '../../src/core/sql-type.ts';
import { serverCloser } from '../../src/http/close-server.ts';
import type { QueryRunner } from '../../src/http/ports.ts';
import { type HttpFixture, httpFixture } from './http-fixture.ts';
import { createCommand } from './invoice-commands.ts';

let http: HttpFixture;
let run: QueryRunner['run'];

beforeEach(async () => {
  http = await httpFixture({
    ports: {
      queries: { run: sql => run(sql) },
      status: {
        status: async () => ({ name: 'millrace', lag: 0 }),
        topology: () => ({ nodes: [], edges: [] }),
        notReady: () => (http.views.position() < 5 ? 'the views are behind' : null),
        sizes: async () => [{ view: 'totals', operator: 'aggregate', rows: 3, bytes: 120 }],
        memoryBudget: 5_000,
        ledger: () => [
          { view: 'totals', reason: 'late', hour: 3_600_000, count: 2 },
          { view: 'totals', reason: 'late', hour: 7_200_000, count: 3 },
        ],
      },
    },
  });
});

afterEach(() => http.close());

describe('problems', () => {
  it('are what unknown paths, methods and bodies are answered with', async () => {
    const missing = await http.get('/nothing/here');
    expect(missing.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(missing.json()).toEqual({
      type: 'urn:millrace:problem:not_found',
      title: 'Not found',
      status: 404,
      code: 'not_found',
      detail: 'there is nothing at /nothing/here',
      hint: 'GET /openapi.json tells what there is',
      retriable: false,
    });
    const method = await http.post('/views', '{}');
    expect(method.json()).toMatchObject({
      status: 405,
      code: 'method_not_allowed',
      hint: 'possible: GET, HEAD',
    });
    expect(method.headers.allow).toBe('GET, HEAD');
    expect((await http.app.inject({ method: 'PUT', url: '/topics/t/records' })).headers.allow).toBe(
      'GET, HEAD, POST',
    );
    expect((await http.post('/query', '{"sql":}')).json()).toMatchObject({
      status: 400,
      code: 'request_invalid',
      errors: [expect.objectContaining({ line: 1, column: 8, file: '<request>' })],
    });
    expect((await http.post('/query', 'x'.repeat(100_001))).json()).toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
    expect((await http.post('/query', 'x', { 'content-type': 'image/png' })).json()).toMatchObject({
      status: 415,
      code: 'media_type_unsupported',
    });
    expect((await http.get('/views/%E0%A4%A')).json()).toMatchObject({
      status: 400,
      code: 'request_invalid',
    });
  });

  it('tell the places of an error in SQL', async () => {
    const source = { file: '<query>', text: 'SELECT amout\nFROM x' };
    run = () => {
      throw new MillraceErrors([
        new MillraceError('unknown_column', 'unknown column "amout"', {
          place: { source, span: { start: 7, end: 12 } },
          hint: 'did you mean "amount"?',
        }),
        new MillraceError('unknown_source', 'there is no "x"', {
          place: { source, span: { start: 18, end: 19 } },
        }),
      ]);
    };
    expect((await http.post('/query', '{"sql":"SELECT amout FROM x"}')).json()).toMatchObject({
      status: 400,
      code: 'unknown_column',
      errors: [
        {
          code: 'unknown_column',
          line: 1,
          column: 8,
          text:
            '<query>:1:8: unknown column "amout" [unknown_column]\n1 | SELECT amout\n           ^^^^^\n' +
            '  hint: did you mean "amount"?',
        },
        { code: 'unknown_source', line: 2, column: 6, hint: null },
      ],
    });
  });

  it('keep what went wrong inside to themselves', async () => {
    run = () => {
      throw new Error('password=hunter2 at /secret/path');
    };
    const response = await http.post('/query', '{"sql":"SELECT 1"}');
    expect([response.statusCode, response.json().code]).toEqual([500, 'internal']);
    expect(response.body).not.toMatch(/hunter2|secret/);
    expect(response.json().id).toMatch(/^[0-9a-f-]{36}$/);
    expect(http.failures).toEqual([expect.objectContaining({ message: expect.stringContaining('hunter2') })]);
  });

  it('that may pass say when to ask again', async () => {
    for (const code of Object.keys(catalogue) as (keyof typeof catalogue)[]) {
      run = () => {
        throw new MillraceError(code, 'of a test');
      };
      const response = await http.post('/query', '{"sql":"SELECT 1"}');
      const problem = response.json();
      expect(problem).toMatchObject({
        code,
        status: response.statusCode,
        retriable: catalogue[code].retriable,
      });
      expect(response.headers['retry-after'] !== undefined, code).toBe(
        [503, 507].includes(response.statusCode) && catalogue[code].retriable,
      );
    }
  });
});

describe('answers', () => {
  it('that a client has already are not sent again', async () => {
    const first = await http.get('/topics');
    expect(first.body.endsWith('}\n')).toBe(true);
    const again = await http.get('/topics', { 'if-none-match': `"x", ${String(first.headers.etag)}` });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    await http.post('/topics/page-views/records', '{"value":1}');
    expect((await http.get('/topics', { 'if-none-match': String(first.headers.etag) })).statusCode).toBe(200);
  });
});

describe('a query', () => {
  it('answers rows with their columns and position', async () => {
    const asked: string[] = [];
    run = sql => {
      asked.push(sql);
      return {
        columns: [
          { name: 'a', type: BIGINT },
          { name: 'b', type: decimal(4, 1) },
        ],
        rows: [[1n, 25n]],
        position: 7,
        truncated: true,
      };
    };
    const response = await http.post('/query', '{"sql":"SELECT \\"x\\""}');
    expect(response.json()).toEqual({
      columns: [
        { name: 'a', type: 'BIGINT' },
        { name: 'b', type: 'DECIMAL(4, 1)' },
      ],
      rows: [{ a: '1', b: '2.5' }],
      position: 'testlog-7',
      truncated: true,
    });
    expect(asked).toEqual(['SELECT "x"']);
    expect((await http.post('/query?format=ndjson&numbers=json', '{"sql":"x"}')).body).toBe(
      '{"a":1,"b":2.5}\n',
    );
    expect((await http.post('/query?format=csv', '{"sql":"x"}')).body).toBe('a,b\r\n1,2.5\r\n');
  });

  it('must be one text', async () => {
    for (const body of ['', '[]', '{}', '{"sql":1}', '{"sql":"x","more":1}']) {
      expect((await http.post('/query', body)).json(), body).toMatchObject({
        status: 400,
        code: 'request_invalid',
      });
    }
  });
});

describe('access', () => {
  const ask = (headers: Record<string, string>, url = '/views') => http.get(url, headers);

  it('on loopback is for loopback names', async () => {
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080', 'millrace.localhost']) {
      expect((await ask({ host })).statusCode, host).toBe(200);
    }
    for (const host of ['evil.example', 'localhost.evil.example:80', '127.0.0.1.evil.example', '10.0.0.1']) {
      expect((await ask({ host })).json(), host).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });

  it('is not for pages of others', async () => {
    expect((await ask({ origin: 'http://localhost:3000' })).statusCode).toBe(200);
    for (const origin of ['https://evil.example', 'null', '', 'http://localhost.evil.example']) {
      expect((await ask({ origin })).json(), origin).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });

  it('beyond loopback needs a token', async () => {
    await expect(httpFixture({ options: { host: '0.0.0.0' } })).rejects.toMatchObject({
      code: 'config_invalid',
    });
    await expect(httpFixture({ options: { host: '::', token: '' } })).rejects.toThrow('a token is required');
    const open = await httpFixture({ options: { host: '0.0.0.0', token: 'correct horse' } });
    const status = async (url: string, headers = {}) => (await open.get(url, headers)).statusCode;
    expect(await status('/healthz')).toBe(200);
    expect(await status('/healthz', { host: 'anything.example' })).toBe(200);
    expect(await status('/views', { authorization: 'Bearer wrong' })).toBe(401);
    for (const url of ['/views', '/readyz', '/metrics', '/openapi.json', '/updates', '/nothing']) {
      expect(await status(url), url).toBe(401);
    }
    const refused = await open.get('/views');
    expect(refused.headers['www-authenticate']).toBe('Bearer realm="millrace"');
    await open.close();
    const simple = await httpFixture({ options: { host: '0.0.0.0', token: 'secret' } });
    const answer = await simple.get('/views', { authorization: 'bearer secret', host: 'anything.example' });
    expect(answer.statusCode).toBe(200);
    await simple.close();
  });
});

describe('a server that closes', () => {
  it('lets go of those who wait', async () => {
    http.views.add({ name: 'totals', columns: [{ name: 'a', type: INT }] });
    const url = await http.listen();
    const waiting = fetch(`${url}/views/totals?after=testlog-9&wait=5s`);
    while (http.views.waits === 0) await new Promise(resolve => setImmediate(resolve));
    await http.app.close();
    const response = await waiting;
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      503,
      'overloaded',
    ]);
  });

  it('waits for nobody who has not asked yet', async () => {
    const close = serverCloser(http.app);
    const silent = connect(Number(new URL(await http.listen()).port), '127.0.0.1');
    await once(http.app.server, 'connection');
    const ended = once(silent, 'close');
    await close();
    await ended;
  });

  it('tells in words what is no request', async () => {
    const { port } = new URL(await http.listen());
    const socket = connect(Number(port), '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 'request_invalid' });
  });
});

describe('operation', () => {
  it('tells whether the server lives, is ready, and how it stands', async () => {
    expect((await http.get('/healthz')).json()).toEqual({ status: 'ok' });
    const notReady = await http.get('/readyz');
    expect([notReady.statusCode, notReady.json().reason]).toEqual([503, 'the views are behind']);
    http.views.moveTo(5);
    expect((await http.get('/readyz')).json()).toEqual({ status: 'ready' });
    expect((await http.get('/status')).json()).toEqual({ name: 'millrace', lag: 0 });
    expect((await http.get('/ledger')).json()).toEqual({
      position: 'testlog-5',
      counts: [
        { view: 'totals', reason: 'late', hour: '1970-01-01T01:00:00.000Z', count: 2 },
        { view: 'totals', reason: 'late', hour: '1970-01-01T02:00:00.000Z', count: 3 },
      ],
    });
  });

  it('has metrics of log, views, commands, requests and state', async () => {
    http.views.add({ name: 'totals', columns: [{ name: 'a', type: INT }] });
    http.views.moveTo(1);
    await http.post('/invoices/i1/commands', createCommand());
    await http.post('/invoices/i1/commands', createCommand());
    const response = await http.get('/metrics');
    expect(response.headers['content-type']).toMatch(/^text\/plain/);
    const lines = response.body.split('\n');
    const end = http.ports.log.end();
    for (const line of [
      `millrace_log_end ${end}`,
      'millrace_topic_records{topic="invoice-commands"} 2',
      'millrace_view_position{view="totals"} 1',
      `millrace_view_lag{view="totals"} ${end - 1}`,
      'millrace_view_serving{view="totals"} 1',
      'millrace_state_rows{view="totals",operator="aggregate"} 3',
      'millrace_state_bytes{view="totals",operator="aggregate"} 120',
      'millrace_ledger_entries{view="totals",reason="late"} 5',
      'millrace_commands_total{type="CreateInvoice",status="accepted",code=""} 1',
      'millrace_commands_total{type="CreateInvoice",status="rejected",code="already_exists"} 1',
      'millrace_command_duration_seconds_count 2',
      'millrace_http_request_duration_seconds_count{method="POST",route="/invoices/:id/commands",status="200"} 1',
      'millrace_subscriptions 0',
    ]) {
      expect(lines).toContain(line);
    }
    expect(response.body).toContain('process_resident_memory_bytes');
  });

  it('documents every route and every view', async () => {
    http.views.add({
      name: 'totals',
      columns: [
        { name: 'customer', type: STRING },
        { name: 'total', type: decimal(10, 2) },
        { name: 'limit', type: INT },
      ],
      key: [0],
    });
    const document = (await http.get('/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths as Record<string, Record<string, unknown>>).flatMap(
      ([path, methods]) => Object.keys(methods).map(m => `${m.toUpperCase()} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'DELETE /views/{name}/replay',
      'GET /',
      'GET /commands/{id}',
      'GET /healthz',
      'GET /invoices/{id}',
      'GET /invoices/{id}/events',
      'GET /ledger',
      'GET /log',
      'GET /log/backup',
      'GET /metrics',
      'GET /openapi.json',
      'GET /readyz',
      'GET /sinks',
      'GET /sinks/{name}',
      'GET /status',
      'GET /topics',
      'GET /topics/{name}',
      'GET /topics/{name}/records',
      'GET /topology',
      'GET /updates',
      'GET /views',
      'GET /views/totals',
      'GET /views/{name}',
      'GET /views/{name}/changes',
      'GET /views/{name}/status',
      'GET /views/{name}/{key}',
      'POST /invoices/{id}/commands',
      'POST /log/backup',
      'POST /log/compact',
      'POST /log/trim',
      'POST /query',
      'POST /topics/{name}/records',
      'POST /views/{name}/replay',
    ]);
    for (const [path, methods] of Object.entries(document.paths as Record<string, Record<string, unknown>>)) {
      for (const op of Object.values(methods) as {
        summary?: string;
        parameters: { name: string; in: string }[];
      }[]) {
        expect(op.summary, path).toBeTypeOf('string');
        const names = op.parameters.map(p => `${p.in} ${p.name}`);
        expect(new Set(names).size, path).toBe(names.length);
        const templates = [...path.matchAll(/\{(\w+)\}/g)].map(m => `path ${m[1]}`);
        expect(names.filter(n => n.startsWith('path ')).sort(), path).toEqual(templates.sort());
      }
    }
    expect(document.components.schemas.Row_totals.properties).toMatchObject({
      customer: { type: ['string', 'null'] },
      total: { type: ['string', 'null'], description: 'DECIMAL(10, 2)' },
    });
    const refs = JSON.stringify(document).match(/#\/components\/schemas\/[\w.-]+/g) ?? [];
    for (const ref of refs) expect(document.components.schemas).toHaveProperty([ref.split('/').at(-1) ?? '']);
  });
});

describe('whatever is asked', () => {
  it('is answered, and never by a failure of ours', async () => {
    const view = http.views.add({
      name: 'totals',
      columns: [
        { name: 'customer', type: STRING },
        { name: 'total', type: decimal(10, 2) },
        { name: 'n', type: BIGINT },
      ],
      key: [0, 2],
    });
    http.views.moveTo(5, () =>
      view.apply(5, [
        ['a', 1n, 1n],
        ['b', null, 2n],
      ]),
    );
    run = () => ({ columns: [], rows: [], position: 0, truncated: false });
    const word = fc.oneof(
      fc.constantFrom(
        'customer',
        'total',
        'n',
        'order',
        'limit',
        'cursor',
        'after',
        'wait',
        'format',
        'from',
        'to',
      ),
      fc.constantFrom(
        'n.gte',
        'total.null',
        '__proto__',
        'constructor',
        'n.',
        '.eq',
        '-n',
        'numbers',
        'version',
        'at',
      ),
      fc.string(),
    );
    const value = fc.oneof(
      fc.constantFrom(
        '1',
        '-1',
        'a',
        '1e999',
        '0ms',
        'json',
        'csv',
        'testlog-1',
        '-n,total',
        'NaN',
        '9'.repeat(40),
      ),
      fc.string({ unit: 'binary' }),
    );
    const path = fc.oneof(
      fc.constantFrom(
        '/views',
        '/views/totals',
        '/views/totals/a',
        '/views/totals/a/1',
        '/views/totals/changes?after=x',
      ),
      fc.constantFrom(
        '/invoices/i',
        '/invoices/i/events',
        '/commands/x',
        '/topics',
        '/topics/page-views/records',
      ),
      fc
        .array(fc.oneof(fc.constantFrom('views', 'totals'), fc.string({ unit: 'binary' })), { maxLength: 4 })
        .map(parts => `/${parts.map(p => encodeURIComponent(p.toWellFormed())).join('/')}`),
    );
    const search = fc.array(fc.tuple(word, value), { maxLength: 4 });
    const body = fc.oneof(
      fc.jsonValue().map(v => JSON.stringify(v)),
      fc.string({ unit: 'binary' }),
      fc.record({ type: fc.string(), data: fc.jsonValue() }).map(v => JSON.stringify(v)),
      fc.record({ key: fc.jsonValue(), value: fc.jsonValue() }).map(v => JSON.stringify(v)),
    );
    const post = fc.constantFrom(
      '/query',
      '/invoices/i/commands',
      '/topics/page-views/records',
      '/views/totals/replay',
    );
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(path, search, async (where, pairs) => {
        const pairsText = pairs.map(pair => pair.map(p => encodeURIComponent(p.toWellFormed())).join('='));
        const { statusCode } = await http.get(
          `${where}${where.includes('?') ? '&' : '?'}${pairsText.join('&')}`,
        );
        statuses.add(statusCode);
      }),
      { numRuns: 150 },
    );
    await fc.assert(
      fc.asyncProperty(post, body, fc.boolean(), async (url, text, lines) => {
        const type = lines ? 'application/x-ndjson' : 'application/json';
        statuses.add((await http.post(url, text, { 'content-type': type })).statusCode);
      }),
      { numRuns: 150 },
    );
    expect(http.failures).toEqual([]);
    expect([...statuses].filter(s => s === 500)).toEqual([]);
    expect(statuses.size).toBeGreaterThan(4);
  });
});
