import { afterEach, expect, it } from 'vitest';
import { type HttpFixture, httpFixture } from './http-fixture.ts';

const PLAIN = 'application/json';
/** Says the same, but goes through the framework. */
const USUAL = 'application/json; charset=utf-8';

const opened: HttpFixture[] = [];

afterEach(async () => {
  for (const http of opened.splice(0)) await http.close();
});

const LINES = [{ description: 'Zoë’s work', quantity: 2, unit_price: '10.50', tax_rate: 19 }];

function create(more: Record<string, unknown> = {}): string {
  const data = {
    customer_id: 'c-1',
    customer_name: 'Zoë',
    customer_email: 'zoe@example.org',
    currency: 'EUR',
    due_date: '2031-01-31',
    line_items: LINES,
  };
  return JSON.stringify({ type: 'CreateInvoice', ...more, data });
}

const REQUESTS: readonly (readonly [path: string, body: string])[] = [
  ['/invoices/i-1/commands', create()],
  ['/invoices/i-1/commands', create()],
  ['/invoices/i-2/commands', create({ commandId: 'mine', origin: 'tab' })],
  ['/invoices/i-2/commands', create({ commandId: 'mine' })],
  ['/invoices/i-2/commands', '{"type":"SendInvoice","expectedVersion":7}'],
  ['/invoices/i-2/commands', '{"type":"SendInvoice","data":{}}'],
  ['/invoices/i-2/commands', '{"type":"SendInvoice","commandId":null,"data":{}}'],
  ['/invoices/i-2/commands', '  {"type":"RecordPayment","data":{"amount":0.10}}'],
  ['/invoices/i-3/commands', create({ commandId: 'not an id' })],
  ['/invoices/i-3/commands', '{"type":"Dance"}'],
  ['/invoices/i-3/commands', '{"type":'],
  ['/invoices/i-3/commands', ''],
  ['/invoices/i-3/commands', '[]'],
  ['/invoices/i-3/commands', 'x'.repeat(100_001)],
  ['/invoices/i-3/commands?wait=1s', create()],
  ['/invoices/i%203/commands', create()],
];

/** All answers, and what stands in the commands' topic then. */
async function history(contentType: string): Promise<unknown> {
  const http = await httpFixture();
  opened.push(http);
  const url = await http.listen();
  const answers: unknown[] = [];
  for (const [path, body] of REQUESTS) {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': contentType },
    });
    const heads = Object.fromEntries(response.headers);
    delete heads.date;
    answers.push({ path, status: response.status, heads, body: await response.text() });
  }
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const counted = metrics
    .split('\n')
    .filter(l => /^millrace_(http_request|command)_duration_seconds_count/.test(l))
    .toSorted();
  return { answers, counted };
}

it('a command is answered and counted the same whichever way it goes', async () => {
  expect(await history(PLAIN)).toEqual(await history(USUAL));
});

it('a command that brings no id is kept as it was sent, with the id that it was given', async () => {
  const http = await httpFixture();
  opened.push(http);
  const url = await http.listen();
  const sent = ' { "type": "CreateInvoice", "data": { "customer_id": "c", "wrong": 1.50 } }';
  const headers = { 'content-type': PLAIN };
  await fetch(`${url}/invoices/i-1/commands`, { method: 'POST', headers, body: create() });
  expect((await fetch(`${url}/invoices/i-1/commands`, { method: 'POST', headers, body: sent })).status).toBe(
    400,
  );
  const records = await http.get('/topics/invoice-commands/records');
  expect(JSON.parse(records.body).records.map((r: { value: unknown }) => r.value)).toEqual([
    { commandId: 'made-1', ...JSON.parse(create()) },
  ]);
});

it('a sender that goes away before its command is whole leaves nothing behind', async () => {
  const http = await httpFixture();
  opened.push(http);
  const url = new URL(await http.listen());
  const { connect } = await import('node:net');
  const socket = connect(Number(url.port), url.hostname);
  socket.write(
    `POST /invoices/i-1/commands HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: ${PLAIN}\r\ncontent-length: 500\r\n\r\n{"type":`,
  );
  await new Promise(resolve => socket.once('connect', resolve));
  socket.destroy();
  const response = await fetch(`${url.origin}/invoices/i-1/commands`, {
    method: 'POST',
    body: create(),
    headers: { 'content-type': PLAIN },
  });
  expect(response.status).toBe(200);
  expect(http.failures).toEqual([]);
});
