import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { type RunningMillrace, startMillrace } from '../../src/main.ts';
import { answers, duckdbOver } from '../pipelines/duckdb-answers.ts';
import { root, shippedViews } from './shipped-plan.ts';

/**
 * What ships, as a user meets it: the server lays down the sample, more comes in over HTTP, and every view answers over
 * REST, page by page, what hand-written SQL answers in DuckDB over the same records. (`test/pipelines` compares the
 * reference fold and the engine in the same way.)
 */
const UNTIL = Date.UTC(2026, 10, 24, 10);
const HOUR = 3_600_000;

let folder: string;
let server: RunningMillrace;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-shipped-'));
  server = await startMillrace({
    dataDir: join(folder, 'data'),
    viewsDir: join(root, 'views'),
    pipelinesDir: join(root, 'pipelines'),
    port: 0,
    sample: true,
    sampleUntil: UNTIL,
    watch: false,
    quiet: true,
    announce: false,
    clock: new ManualClock(UNTIL),
  });
  await sendCommands();
  await produceAttempts();
  await server.caughtUp();
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function post(path: string, type: string, body: string): Promise<void> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

async function sendCommands(): Promise<void> {
  const send = (type: string, data: object) =>
    post('/invoices/inv-new/commands', 'application/json', JSON.stringify({ type, data }));
  await send('CreateInvoice', {
    customer_id: 'cu-new',
    customer_name: 'Ünal & Söhne',
    customer_email: 'office@example.org',
    currency: 'EUR',
    issue_date: '2026-11-20',
    due_date: '2026-11-24',
    line_items: [{ description: 'Rigging', quantity: 3, unit_price: '33.35', tax_rate: 19 }],
  });
  await send('SendInvoice', {});
  await send('RecordPayment', { amount: '19.05', method: 'card' });
}

/** A burst that comes an hour late and counts, one that comes two days late and does not, and attempts without card. */
async function produceAttempts(): Promise<void> {
  const burst = (card: string | null, at: number, count: number) =>
    Array.from({ length: count }, (_, i) =>
      JSON.stringify({
        key: card,
        value: { card_number: card, amount: '10.00' },
        timestamp: Math.floor(at / 5_000) * 5_000 + i,
      }),
    );
  const lines = [
    ...burst('fresh', UNTIL - HOUR, 1),
    ...burst('delayed', UNTIL - 2 * HOUR, 5),
    ...burst('forgotten', UNTIL - 48 * HOUR, 6),
    ...burst(null, UNTIL - HOUR, 7),
  ];
  await post('/topics/authorization-attempts/records', 'application/x-ndjson', `${lines.join('\n')}\n`);
}

type Cell = string | number | boolean | null | readonly object[];

interface Page {
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  readonly next: string | null;
}

/** All rows of a view, page by page, as lines that DuckDB's answers are compared with. */
async function rowsOf(view: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const cursor: string = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
    const response = await fetch(`${server.url}/views/${view}?limit=700${cursor}`);
    expect(response.status, view).toBe(200);
    const page = (await response.json()) as Page;
    lines.push(...page.rows.map(row => Object.values(row).map(cellText).join(' | ')));
    next = page.next;
  }
  return lines.sort();
}

function cellText(value: Cell): string {
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  const instant = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);
  return instant ? String(Date.parse(value)) : String(value);
}

/** DuckDB writes whole numbers of DOUBLE with `.0`, JSON without. */
function withoutPoint(line: string): string {
  return line.replace(/(\d)\.0(?= \||$)/g, '$1');
}

async function expected(today: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const duckdb = await duckdbOver(server.log, folder);
  const rows = new Map<string, readonly string[]>();
  for (const [view, sql] of Object.entries(answers(today))) {
    rows.set(view, (await duckdb(sql)).map(withoutPoint).sort());
  }
  return rows;
}

test('every shipped view answers over REST what DuckDB answers on the same history', async () => {
  const rows = await expected('2026-11-24');
  // `words` is a stream and has no rows
  expect([...rows.keys(), 'words'].sort()).toEqual(shippedViews().sort());
  for (const [view, lines] of rows) {
    expect(lines.length, view).toBeGreaterThan(20);
    expect(await rowsOf(view), view).toEqual(lines);
  }
});

const QUERIES = [
  {
    millrace:
      'SELECT currency, COUNT(*) AS n, SUM(balance) AS owed FROM invoice_totals WHERE balance > 0 GROUP BY currency',
    duckdb: (views: Readonly<Record<string, string>>) =>
      `SELECT currency, count(*), sum(owed) FROM (${views.invoice_totals}) AS t(customer, currency, status, n, total, paid, owed)
       WHERE owed > 0 GROUP BY currency`,
  },
  {
    millrace:
      "SELECT EXTRACT(DOW FROM day) AS weekday, AVG(revenue) AS mean, MAX(payments) AS most FROM revenue_by_day WHERE currency = 'EUR' GROUP BY 1",
    duckdb: (views: Readonly<Record<string, string>>) =>
      `SELECT dayofweek(day), round(sum(revenue)::DECIMAL(38, 8) / count(*), 6)::DECIMAL(38, 6), max(payments)
       FROM (${views.revenue_by_day}) AS t(day, currency, payments, revenue) WHERE currency = 'EUR' GROUP BY 1`,
  },
  {
    millrace:
      'SELECT status, MIN(due_date) AS first, COUNT(DISTINCT customer_id) AS customers FROM invoices GROUP BY status',
    duckdb: () =>
      `SELECT status, min(due_date), count(DISTINCT customer_id)
       FROM (SELECT DISTINCT ON (invoice_id) * FROM snapshots ORDER BY invoice_id, seq DESC) GROUP BY status`,
  },
];

test.each(QUERIES)('asked once: $millrace', async ({ millrace, duckdb }) => {
  const response = await fetch(`${server.url}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql: millrace }),
  });
  expect(response.status).toBe(200);
  const { rows } = (await response.json()) as Page;
  const ask = await duckdbOver(server.log, folder);
  const lines = (await ask(duckdb(answers('2026-11-24')))).map(withoutPoint).sort();
  expect(lines.length).toBeGreaterThan(1);
  expect(rows.map(row => Object.values(row).map(cellText).join(' | ')).sort()).toEqual(lines);
});

test('attempts within the grace count, later ones stand in the ledger', async () => {
  const fraud = await rowsOf('possible_fraud');
  expect(fraud.filter(line => line.startsWith('delayed'))).toHaveLength(1);
  expect(fraud.filter(line => line.startsWith('forgotten'))).toEqual([]);
  const ledger = (await (await fetch(`${server.url}/ledger`)).json()) as {
    counts: { view: string; reason: string; count: number }[];
  };
  const counts = ledger.counts.filter(c => c.view === 'possible_fraud');
  expect(Object.fromEntries(counts.map(c => [c.reason, c.count]))).toEqual({ late: 6, null_key: 7 });
});

test('when the day turns, what has become overdue is served, with no event at all', async () => {
  const before = await rowsOf('overdue_invoices');
  await server.log.tick(Date.UTC(2026, 10, 25)).durable;
  await server.caughtUp();
  const after = await rowsOf('overdue_invoices');
  expect(after).toEqual((await expected('2026-11-25')).get('overdue_invoices'));
  const fresh = after.filter(line => !before.includes(line));
  expect(fresh.some(line => line.startsWith('inv-new | '))).toBe(true);
});
