import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { millrace, newFolder, projectDir, removeFolders } from './command-line.ts';
import { type StartedServer, startServer } from './started-server.ts';

const CREATE = JSON.stringify({
  customer_id: 'c-1',
  customer_name: 'Ada',
  customer_email: 'ada@example.org',
  currency: 'EUR',
  due_date: '2030-01-31',
  line_items: [{ description: 'An hour', quantity: 2, unit_price: '49.50', tax_rate: '19' }],
});

let data: string;
let server: StartedServer | null = null;
beforeAll(async () => {
  data = newFolder();
  const views = newFolder();
  cpSync(join(projectDir, 'views', 'sources'), join(views, 'sources'), { recursive: true });
  for (const name of ['invoice_records', 'possible_fraud', 'words', 'word_counts']) {
    cpSync(join(projectDir, 'views', `${name}.sql`), join(views, `${name}.sql`));
  }
  server = await startServer(['--data', data, '--views', views, '--no-sample', '--no-watch']);
});
afterAll(async () => {
  await server?.stop();
  removeFolders();
});

const run = (...args: string[]) => millrace([...args, '--data', data]);
const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const ran = await run(...args, '--json');
  expect(ran.code, ran.err).toBe(0);
  // nothing but progress beside the document
  expect(ran.err.split('\n').filter(line => !/^building .* \(\d+ %\)$/.test(line))).toEqual(['']);
  return JSON.parse(ran.out) as Record<string, unknown>;
};

describe('topology', () => {
  it('draws who reads what, and tells the same as JSON', async () => {
    const { out } = await run('topology');
    expect(out).toMatch(
      /^topic invoice-commands\n└─ handler invoice +0 +\S+\/s\n {3}├─ topic invoice-events/m,
    );
    expect(out).toMatch(/^topic authorization-attempts\n└─ view possible_fraud/m);
    const { edges } = await json('topology');
    expect(edges).toContainEqual(
      expect.objectContaining({ from: 'topic authorization-attempts', to: 'view possible_fraud' }),
    );
  });
});

describe('send', () => {
  it('tells what happened', async () => {
    const ran = await run('send', 'i-1', 'CreateInvoice', CREATE);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(/^i-1 is at version 1: InvoiceCreated\n {2}command \S+, position \S+\n$/);
  });

  it('gives the first result again for an id that was sent before', async () => {
    const first = await json('send', 'i-1', 'SendInvoice', '--id', 'once');
    expect(await json('send', 'i-1', 'SendInvoice', '--id', 'once')).toEqual(first);
    expect(first).toMatchObject({ commandId: 'once', status: 'accepted', version: 2 });
  });

  it('keeps every digit of an amount', async () => {
    const result = await json('send', 'i-1', 'RecordPayment', '{"amount": 100.10}');
    expect(result.events).toMatchObject([{ type: 'PaymentReceived', amount: '100.10', balance: '17.71' }]);
  });

  it.each([
    [['i-1', 'SendInvoice'], 'invoice "i-1" was sent [already_sent]'],
    [['i-1', 'RecordPayment', '{"amount": 1.234}'], 'is more precise than EUR allows'],
    [['i-1', 'RecordPayment', '{"amount": 1}', '--expected-version', '9'], '[version_conflict]'],
    [['i-9', 'SendInvoice'], '[unknown_invoice]'],
    [['i-1', 'SendInvoce'], 'there is no command "SendInvoce"'],
    [['i-1', 'RecordPayment', '{amount: 1}'], 'the data of the command is no JSON'],
  ])('%j is refused in words', async (args, text) => {
    const ran = await run('send', ...args);
    expect(ran.code).toBe(1);
    expect(ran.out).toBe('');
    expect(ran.err).toContain(text);
    expect(ran.err).not.toContain('    at ');
  });
});

describe('produce', () => {
  it('appends one record from the options', async () => {
    const record = ['--key', 'k', '--value', '{"user_id": "u-1", "page": "/"}', '--header', 'a=1', 'b=x=y'];
    const appended = await json('produce', 'page-views', ...record, '--timestamp', '2026-01-31T08:30:00Z');
    expect(appended).toMatchObject({ topic: 'page-views', records: 1 });
    expect(await json('tail', 'page-views', '--last', '1', '--limit', '1')).toMatchObject({
      key: 'k',
      value: { user_id: 'u-1', page: '/' },
      timestamp: Date.parse('2026-01-31T08:30:00Z'),
      headers: [
        { name: 'a', value: '1' },
        { name: 'b', value: 'x=y' },
      ],
    });
  });

  it('takes a value that is no JSON as text', async () => {
    await json('produce', 'text-lines', '--value', 'to be or not to be');
    expect(await json('tail', 'text-lines', '--last', '1', '--limit', '1')).toMatchObject({
      value: 'to be or not to be',
    });
  });

  it('appends lines of standard input, more than go into one batch', async () => {
    const lines = Array.from({ length: 5001 }, (_, i) => `{"key": "k${i}", "value": {"line": "line ${i}"}}`);
    const ran = await millrace(['produce', 'text-lines', '--data', data], {
      input: `${lines.join('\n')}\n\n`,
    });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(/^5001 records appended to text-lines, position \S+\n$/);
  });

  it('names the wrong line, and what was appended before it', async () => {
    const lines = Array.from({ length: 5001 }, () => '{"value": 1}');
    const ran = await millrace(['produce', 'page-views', '--data', data], {
      input: `${lines.join('\n')}\n{"valu": 2}\n`,
    });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(
      'line 5002 has an unknown member "valu" (the 5000 records before line 5001 are appended)',
    );
  });

  it.each([
    [['no-topic', '--value', '1'], 'there is no topic "no-topic"'],
    [['text-lines', '--value', '{"a": '], 'the value is no JSON'],
    [['invoice-events', '--value', '1'], 'written by command handlers only'],
    [['text-lines', '--key', 'k'], '--key, --timestamp and --header belong to one record'],
    [['text-lines'], 'there was no line on standard input'],
  ])('%j is refused in words', async (args, text) => {
    const ran = await run('produce', ...args);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(text);
  });
});

describe('query', () => {
  it('shows a table, or JSON', async () => {
    const sql = "SELECT invoice_id, status FROM invoices WHERE invoice_id = 'i-1'";
    expect((await run('query', sql)).out).toBe(
      ['invoice_id  status', '----------  ------', 'i-1         sent', '(1 row)', ''].join('\n'),
    );
    expect(await json('query', sql)).toMatchObject({ rows: [{ invoice_id: 'i-1', status: 'sent' }] });
  });

  it('shows where a statement is wrong', async () => {
    const ran = await run('query', 'SELECT stats FROM invoices');
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toBe(
      '<query>:1:8: unknown column "stats" [unknown_column]\n' +
        '1 | SELECT stats FROM invoices\n           ^^^^^\n  hint: did you mean "status"?\n',
    );
  });
});

describe('tail', () => {
  it('shows the rows of a view, then follows it from a position', async () => {
    const { position } = await json('send', 'i-2', 'CreateInvoice', CREATE);
    await json('send', 'i-2', 'SendInvoice');
    const rows = await run('tail', 'invoice_records', '--snapshot', '--limit', '1');
    expect(rows).toMatchObject({ code: 0, out: expect.stringMatching(/^= \{"invoice_id":"i-1".+\}\n$/) });
    const change = await run('tail', 'invoice_records', '--from', String(position), '--limit', '1', '--json');
    expect(JSON.parse(change.out)).toMatchObject({
      op: 'upsert',
      row: { invoice_id: 'i-2', status: 'sent' },
    });
  });

  it('shows the records of a topic with every digit of their numbers', async () => {
    const value = '{"user_id":"u-2","amount":12345678901234567.10}';
    await json('produce', 'page-views', '--value', value);
    for (const flags of [[], ['--json']]) {
      const ran = await run('tail', 'page-views', '--last', '1', '--limit', '1', ...flags);
      expect(ran.out).toContain(`"value":${value}`);
    }
  });

  it('refuses what is neither view nor topic, and a position that is none', async () => {
    expect(await run('tail', 'text-line')).toMatchObject({
      code: 1,
      err: 'there is no view and no topic "text-line" [not_found]\n  hint: did you mean "text-lines"?\n',
    });
    expect((await run('tail', 'invoice_records', '--from', 'x')).err).toContain('[position_malformed]');
    expect((await run('tail', 'text-lines', '--snapshot')).err).toContain('"text-lines" is a topic');
  });
});

describe('replay', () => {
  it('rebuilds a view and says so', async () => {
    expect(await run('replay', 'word_counts')).toMatchObject({
      code: 0,
      out: 'word_counts is rebuilt and served\n',
    });
    expect(await json('replay', 'invoice_records')).toMatchObject({ name: 'invoice_records', state: 'live' });
  });

  it('refuses a view that does not exist, and to cancel what is not running', async () => {
    expect((await run('replay', 'word_count')).err).toBe(
      'there is no view "word_count" [unknown_view]\n  hint: did you mean "word_counts"?\n',
    );
    expect(await run('replay', 'word_counts', '--cancel')).toMatchObject({ code: 1 });
  });
});

describe('status', () => {
  it('lists the views with their state', async () => {
    const ran = await run('status');
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(new RegExp(`^server ${server?.url}\n\\d+ records in the log, views `));
    expect(ran.out).toMatch(/^possible_fraud +live +yes +[\d.]+ \w+ +authorization_attempts$/m);
    const { name, errors, views, position } = await json('status');
    expect({ name, errors }).toEqual({ name: 'millrace', errors: [] });
    expect((views as { position: string }[]).map(v => v.position)).toEqual(Array(4).fill(position));
  });

  it('talks to the server that --url names', async () => {
    expect(await millrace(['status', '--url', `${server?.url}/`])).toMatchObject({ code: 0 });
    expect(await millrace(['status', '--url', 'http://127.0.0.1:1'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no server answers at http://127.0.0.1:1'),
    });
  });
});

describe('without a running server', () => {
  beforeAll(async () => {
    expect((await server?.stop())?.code).toBe(0);
    server = null;
  });

  it('the folder is opened for the call', async () => {
    expect((await run('status')).out).toMatch(
      /^no server runs on this folder\n\d+ records in the log, views up to date/,
    );
    expect(await json('query', 'SELECT COUNT(*) AS n FROM invoices')).toMatchObject({ rows: [{ n: '2' }] });
    expect(await json('send', 'i-3', 'CreateInvoice', CREATE)).toMatchObject({ version: 1 });
    expect(await json('produce', 'text-lines', '--value', 'x')).toMatchObject({ records: 1 });
    expect(await run('replay', 'word_counts', '--no-wait')).toMatchObject({
      code: 0,
      out: 'word_counts is rebuilt and served\n',
    });
  });

  it('tail shows what is there and ends', async () => {
    const ran = await run('tail', 'invoice_records');
    expect(ran.out.trim().split('\n')).toHaveLength(3);
    expect((await run('tail', 'text-lines', '--last', '2')).out.trim().split('\n')).toHaveLength(2);
    expect((await run('tail', 'invoice_records', '--from', 'x')).err).toContain(
      'no server runs on this folder',
    );
  });

  it('a folder without data is not made', async () => {
    const ran = await millrace(['query', 'SELECT 1', '--data', `${data}/no/such`]);
    expect(ran).toMatchObject({
      code: 1,
      err: `there is no data in ${data}/no/such, and no server runs on it [not_found]\n  hint: start one with \`npm start\`, or name one with --data or --url\n`,
    });
  });
});
