import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../until.ts';
import { millrace, newFolder, removeFolders } from './command-line.ts';
import { startServer } from './started-server.ts';

afterAll(removeFolders);

const LINES = 5_000;

/** A view with state for every line, and one with none. */
function viewsFolder(): string {
  const folder = newFolder();
  mkdirSync(join(folder, 'sources'));
  writeFileSync(
    join(folder, 'sources', 'lines.sql'),
    "CREATE STREAM lines (line STRING) WITH (KAFKA_TOPIC = 'text-lines', VALUE_FORMAT = 'JSON');",
  );
  writeFileSync(join(folder, 'seen.sql'), 'SELECT line, COUNT(*) AS n FROM lines GROUP BY line;');
  writeFileSync(join(folder, 'long_ones.sql'), 'SELECT line FROM lines WHERE LEN(line) > 9;');
  return folder;
}

describe('the memory budget', { timeout: 120_000 }, () => {
  it('is announced; a view over it is paused, answers, says so, and goes on with a larger one', async () => {
    const data = newFolder();
    const flags = ['--data', data, '--views', viewsFolder(), '--no-sample', '--no-watch'];
    const started = async (budget: string) => {
      const server = await startServer([...flags, '--memory-budget', budget]);
      onTestFinished(() => void server.child.kill());
      return server;
    };
    const server = await started('100KiB');
    const get = async (path: string) => {
      const response = await fetch(`${server.url}${path}`);
      const body = await response.text();
      return { status: response.status, paused: response.headers.get('millrace-paused'), body };
    };
    const produce = async (n: number, from: number) => {
      const lines = Array.from({ length: n }, (_, i) =>
        JSON.stringify({ value: { line: `line ${from + i}` } }),
      );
      const response = await fetch(`${server.url}/topics/text-lines/records`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines.join('\n'),
      });
      expect(response.status).toBe(200);
      return response.headers.get('millrace-position') ?? '';
    };
    expect(server.heard()).toContain('the state of all views may take 100 KiB (memory.budget)');
    await until('the views are built', async () => {
      const found = await Promise.all([get('/views/seen'), get('/views/long_ones')]);
      return found.every(({ status }) => status === 200);
    });
    const early = await produce(10, 0);
    expect(await get(`/views/seen/line%203?after=${early}`)).toMatchObject({ status: 200, paused: null });

    await produce(LINES, 10);
    await until('seen is paused', async () => (await get('/views/seen/status')).body.includes('"paused"'));
    await until('it is said', () =>
      server.heard().includes('view seen is paused, its last rows are served: memory budget: its state'),
    );
    const row = await get('/views/seen/line%203');
    expect([row.status, row.paused]).toEqual([200, 'memory budget']);
    expect(JSON.parse(row.body)).toMatchObject({ paused: 'memory budget', row: { line: 'line 3', n: '1' } });
    expect(JSON.parse((await get('/views/seen')).body)).toMatchObject({
      view: 'seen',
      paused: 'memory budget',
    });
    const late = await produce(1, 10 + LINES);
    const fresh = await get(`/views/seen/line%203?after=${late}`);
    expect([fresh.status, JSON.parse(fresh.body).code]).toEqual([503, 'view_paused']);
    const other = await get(`/views/long_ones?after=${late}`);
    expect([other.status, other.paused]).toEqual([200, null]);

    const metrics = (await get('/metrics')).body;
    expect(metrics).toContain('millrace_memory_budget_bytes 102400\n');
    expect(metrics).toContain('millrace_view_paused{view="seen"} 1\n');
    expect(metrics).toContain('millrace_view_paused{view="long_ones"} 0\n');
    const status = (await millrace(['status', '--data', data])).out;
    expect(status).toMatch(/^seen +paused: memory budget +yes/m);
    expect(status).toMatch(/^state of the views: .* of 100 KiB that it may take/m);
    expect(await millrace(['resume', 'seen', '--data', data])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^seen stays paused\npaused: memory budget: /),
    });
    expect(await millrace(['resume', 'long_ones', '--data', data])).toMatchObject({
      code: 1,
      out: 'long_ones is not paused: it is live\n',
    });
    await server.stop();

    const roomy = await started('10MiB');
    const { count } = await until('seen is live', async () => {
      const found = (await (await fetch(`${roomy.url}/views/seen/status`)).json()) as {
        readonly state: string;
        readonly memory: { readonly rows: number; readonly bytes: number; readonly operators: unknown[] };
      };
      return found.state === 'live' ? { count: found.memory } : null;
    });
    expect(count.rows).toBe(11 + LINES);
    expect(count.bytes).toBeGreaterThan(10_240);
    expect(count.operators.length).toBeGreaterThan(0);
    const operators = (await millrace(['status', '--operators', '--data', data])).out;
    expect(operators).toMatch(new RegExp(`^seen +\\S+ +${11 + LINES} +\\d+$`, 'm'));
    await roomy.stop();
  });

  it.each(['0%', '101%', '5', 'much', '0MiB'])('%s is none', async size => {
    const ran = await millrace(['start', '--data', newFolder(), '--memory-budget', size]);
    expect([ran.code, ran.out]).toEqual([2, '']);
    expect(ran.err).toContain('An amount such as 512MiB, 2GiB or 25% is expected.');
  });
});
