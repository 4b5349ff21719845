import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { millrace, newFolder, removeFolders } from './command-line.ts';
import { type StartedServer, startServer } from './started-server.ts';

afterAll(removeFolders);

const EMPTY = ['--no-sample', '--no-watch'];

async function produce(data: string, topic: string, n: number): Promise<void> {
  const input = Array.from({ length: n }, (_, i) =>
    JSON.stringify({ key: `k${i % 10}`, value: { line: `${i}`.padStart(200, '.') } }),
  ).join('\n');
  expect(await millrace(['produce', topic, '--data', data], { input })).toMatchObject({ code: 0 });
}

describe('millrace log', { timeout: 120_000 }, () => {
  it('trim shows what would go, does it with --yes, and only with consent where views read', async () => {
    const data = newFolder();
    const server = await startServer(['--data', data, ...EMPTY]);
    try {
      await produce(data, 'text-lines', 20);
      await until(
        'the views are built',
        async () => !(await millrace(['status', '--data', data])).out.includes('building'),
      );
      const trim = ['log', 'trim', 'text-lines', '--before', '15', '--data', data];
      const shown = await millrace(trim);
      expect(shown).toMatchObject({ code: 0, err: expect.stringContaining('nothing was done: add --yes') });
      const misspelt = await millrace(trim.map(word => (word === 'text-lines' ? 'text-line' : word)));
      expect(misspelt).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('did you mean "text-lines"?'),
      });
      expect(shown.out).toMatch(
        /^15 records of text-lines before \S+ would go\ncan no longer be rebuilt exactly: word/,
      );

      const refused = await millrace([...trim, '--yes']);
      expect(refused).toMatchObject({ code: 1, out: '' });
      expect(refused.err).toContain('topic "text-lines" is read by word');
      expect(refused.err).toContain('[topic_in_use]');

      const done = await millrace([...trim, '--yes', '--accept-incomplete-rebuilds']);
      expect(done).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^15 records of text-lines before \S+ are gone/),
      });

      const shownLog = await millrace(['log', 'show', '--data', data]);
      expect(shownLog.out).toMatch(/text-lines +15\.\.20/);
      expect(shownLog.out).toMatch(/1 +\d{4}-\S+ +\S+ +trim +text-lines/);
      expect((await millrace(['replay', 'words', '--data', data])).code).toBe(0);
      const explained = await millrace(['explain', 'words', '--data', data]);
      expect(explained.out).toMatch(/served with the records since \d{4}-\S+, position \S+\n$/);
      const status = await millrace(['status', '--data', data]);
      expect(status.out).toMatch(/^words: its history begins at \d{4}-/m);
      const tail = await millrace(['tail', 'text-lines', '--last', '20', '--limit', '5', '--data', data]);
      expect(tail.out.trim().split('\n')).toHaveLength(5);
    } finally {
      await server.stop();
    }
  });

  it('works without a server, and verify names what is damaged with exit code 1', async () => {
    const data = newFolder();
    await (await startServer(['--data', data, ...EMPTY])).stop();
    await produce(data, 'page-views', 3_000);
    const compact = ['log', 'compact', 'page-views', '--yes', '--accept-incomplete-rebuilds', '--data', data];
    expect(await millrace(compact)).toMatchObject({
      code: 0,
      out: expect.stringContaining('page-views keeps the last record of each key'),
    });
    expect(await millrace(['log', 'verify', '--data', data])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/sequences \d+ to \d+ are whole/),
    });
    const segments = join(data, 'log', 'segments');
    const file = join(segments, readdirSync(segments)[0]!);
    const bytes = readFileSync(file);
    bytes[100]! ^= 1;
    writeFileSync(file, bytes);
    const verified = await millrace(['log', 'verify', '--data', data]);
    expect(verified.code).toBe(1);
    expect(verified.out).toMatch(
      /the log file "segments\/\d+\.segment" is damaged at byte 0: its checksum does not match/,
    );
    const json = JSON.parse((await millrace(['log', 'verify', '--json', '--data', data])).out);
    expect(json.files[0].damage).toMatchObject([{ offset: 0, from: expect.any(Number) }]);
  });
});

describe('millrace backup', { timeout: 180_000 }, () => {
  /** Sends commands until told to stop; resolves with the ids of those that were answered. */
  function load(url: string): { stop: () => Promise<string[]> } {
    let going = true;
    const answered: string[] = [];
    const lane = async (l: number): Promise<void> => {
      for (let i = 0; going; i++) {
        const id = `inv-${l}-${i}`;
        const body = JSON.stringify({
          type: 'CreateInvoice',
          data: {
            customer_id: `c${i % 7}`,
            customer_name: 'Ada',
            customer_email: 'ada@example.org',
            currency: 'EUR',
            due_date: '2030-01-31',
            line_items: [{ description: 'An hour', quantity: 2, unit_price: '49.50', tax_rate: '19' }],
          },
        });
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(`${url}/invoices/${id}/commands`, { method: 'POST', body, headers });
        expect(response.status).toBe(200);
        await response.arrayBuffer();
        answered.push(id);
      }
    };
    const lanes = Promise.all(Array.from({ length: 4 }, (_, l) => lane(l)));
    return {
      stop: async () => {
        going = false;
        await lanes;
        return answered;
      },
    };
  }

  const get = async (url: string) => {
    const response = await fetch(url);
    expect(response.status).toBe(200);
    return (await response.json()) as { rows: unknown[]; lag: number; views: { state: string }[] };
  };

  /** Rows once every view is built and has seen all records. */
  const rowsOf = async ({ url }: StartedServer): Promise<Map<string, string>> => {
    await until(
      'the views are live',
      async () => {
        const { lag, views } = await get(`${url}/status`);
        return lag === 0 && views.every(v => v.state === 'live');
      },
      60_000,
    );
    const rows = new Map<string, string>();
    for (const view of ['invoice_totals', 'payment_behaviour', 'revenue_by_day']) {
      rows.set(view, JSON.stringify((await get(`${url}/views/${view}?limit=10000`)).rows));
    }
    return rows;
  };

  it('under load gives a server that has every record before its position, and answers as one that replays them', async () => {
    const data = newFolder();
    const folder = join(newFolder(), 'backup');
    const server = await startServer(['--data', data, ...EMPTY]);
    const running = load(server.url);
    try {
      for (let i = 0; i < 2; i++) {
        const made = await millrace(['backup', folder, '--data', data]);
        expect(made).toMatchObject({
          code: 0,
          out: expect.stringMatching(/holds every record before \S+-\S+:/),
        });
      }
    } finally {
      await running.stop();
      await server.stop();
    }
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { position: number };
    expect(manifest.position).toBeGreaterThan(10);

    const restored = newFolder();
    const told = await millrace(['restore', folder, '--to', restored]);
    expect(told).toMatchObject({
      code: 0,
      out: expect.stringContaining('the views are rebuilt at the next start'),
    });
    // the same records in a folder of their own, by another way: one at a time, through the log
    const replayed = newFolder();
    await copyRecords(join(data, 'log'), join(replayed, 'log'), manifest.position);

    const answers: Map<string, string>[] = [];
    for (const dir of [restored, replayed]) {
      const again = await startServer(['--data', dir, ...EMPTY]);
      answers.push(await rowsOf(again));
      await again.stop();
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.get('invoice_totals')).toContain('EUR');
    expect(await millrace(['restore', folder, '--to', restored])).toMatchObject({ code: 1 });
  });
});

async function copyRecords(from: string, to: string, end: number): Promise<void> {
  const { openEmbeddedLog } = await import('../../src/log/embedded/embedded-log.ts');
  const { systemClock } = await import('../../src/core/clock.ts');
  const source = await openEmbeddedLog({ dir: from, clock: systemClock });
  const target = await openEmbeddedLog({ dir: to, clock: systemClock });
  for (const { name, partitions, keyIndex } of source.topics())
    target.createTopic({ name, partitions, keyIndex });
  for (let seq = 0; seq < end; seq++) {
    const record = source.record(seq);
    if (record === null) throw new Error(`record ${seq} is not there`);
    if (record.topic === '$tick') target.tick(record.appendTime);
    else {
      const { offset: _, ...copied } = record;
      target.append({ records: [copied], appendTime: record.appendTime });
    }
  }
  await target.append({ records: [] }).durable;
  await source.close();
  await target.close();
}
