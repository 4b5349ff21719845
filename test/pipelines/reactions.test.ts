import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reaction as mailer } from '../../pipelines/mailer.ts';
import { reaction as reporting } from '../../pipelines/reporting.ts';
import { decodeRequest } from '../../src/commands/command-request.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import type { TopicReaction } from '../../src/commands/reaction.ts';
import { Reactions } from '../../src/commands/reactions.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { until } from '../until.ts';
import { smtpServer } from './smtp-server.ts';

let dataFolder: string;

beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'millrace-reactions-'));
});

afterEach(() => {
  rmSync(dataFolder, { recursive: true, force: true });
});

function setUp() {
  const log = createMemoryLog({ clock: new ManualClock(Date.UTC(2026, 2, 10, 9)) });
  const runtime = new CommandRuntime({
    log,
    entity: invoiceEntity,
    onError: error => {
      throw error;
    },
  });
  const send = (id: string, body: string) => runtime.submit(decodeRequest(Buffer.from(body), id));
  const sell = async (id: string, price: string) => {
    await send(
      id,
      `{"type":"CreateInvoice","data":{"customer_id":"cu-1","customer_name":"Ada Löwe",
        "customer_email":"ada@example.org","currency":"EUR","due_date":"2026-03-31",
        "line_items":[{"description":"Hall","unit_price":"${price}"}]}}`,
    );
    await send(id, '{"type":"SendInvoice"}');
  };
  const pay = (id: string, amount: string) =>
    send(id, `{"type":"RecordPayment","data":{"amount":"${amount}"}}`);
  return { log, sell, pay };
}

/** Runs the reaction until it has looked at everything. */
async function run(log: EventLog, reaction: TopicReaction): Promise<void> {
  const end = (log.lastRecords(reaction.topic, 1)[0]?.seq ?? -1) + 1;
  const reactions = new Reactions({ log, reactions: [reaction], wait: async () => {} });
  reactions.start();
  await until('everything is handled', () => (reactions.status()[0]?.position ?? 0) >= end);
  await reactions.stop();
}

test('the mailer writes to the customer when an invoice is sent and when a payment comes', async () => {
  const { log, sell, pay } = setUp();
  await sell('inv-1', '119.00');
  await pay('inv-1', '19.00');
  const make = () => ({ ...mailer({ dataFolder, settings: {} }), from: 'beginning' as const });
  await run(log, make());
  const folder = join(dataFolder, 'mail');
  const files = readdirSync(folder).sort();
  const mails = files.map(name => readFileSync(join(folder, name), 'utf8'));
  expect(mails).toHaveLength(2);
  const [sent, received] = mails;
  expect(sent).toMatch(/^Subject: Invoice inv-1: 119\.00 EUR until 2026-03-31$/m);
  expect(sent).toMatch(/^To: .*<ada@example\.org>$/m);
  expect(sent).toMatch(/^Date: Tue, 10 Mar 2026 09:00:00 \+0000$/m);
  expect(received).toMatch(/payment of 19\.00 EUR/);
  expect(received).toMatch(/Left to pay: 100\.00 EUR/);

  // The position was lost with the disk's last second: the same files are written again, none is added.
  log.append({ records: [], positions: [{ handler: 'reaction/mailer', seq: 0 }] });
  await run(log, make());
  expect(readdirSync(folder).sort()).toEqual(files);
});

describe('the mailer with an SMTP server', () => {
  const smtpMailer = (smtp: string) => ({
    ...mailer({ dataFolder, settings: { smtp, from: 'Hall <hall@example.org>' } }),
    from: 'beginning' as const,
  });
  const idOf = (mail: string | undefined) => /^Message-ID: <(.*)>\r$/m.exec(mail ?? '')?.[1];

  test('sends each mail once, from the configured sender to the customer', async () => {
    const { log, sell, pay } = setUp();
    await sell('inv-1', '119.00');
    await pay('inv-1', '119.00');
    const { url, received } = await smtpServer();
    await run(log, smtpMailer(url));
    expect(received.map(m => [m.from, m.to])).toEqual([
      ['hall@example.org', 'ada@example.org'],
      ['hall@example.org', 'ada@example.org'],
    ]);
    expect(received[0]?.text).toMatch(/^Subject: Invoice inv-1: 119\.00 EUR until 2026-03-31\r$/m);
    expect(received[1]?.text).toMatch(/Left to pay: 0\.00 EUR\./);
    expect(idOf(received[0]?.text)).toMatch(/^mailer-invoice-events-\d+@millrace$/);
    expect(idOf(received[1]?.text)).not.toBe(idOf(received[0]?.text));
  });

  test('sends again what the server cannot take now', async () => {
    const { log, sell } = setUp();
    await sell('inv-1', '119.00');
    const { url, received, asked } = await smtpServer(n => (n < 3 ? '451 try later' : null));
    await run(log, smtpMailer(url));
    expect([asked.length, received.length]).toEqual([3, 1]);
    expect(log.topic('reaction-failures')).toBeNull();
  });

  test('sets aside what the server refuses for good, and goes on', async () => {
    const { log, sell } = setUp();
    await sell('inv-1', '1.00');
    await sell('inv-2', '2.00');
    const { url, received, asked } = await smtpServer(n => (n === 1 ? '550 no such mailbox' : null));
    await run(log, smtpMailer(url));
    expect(asked).toHaveLength(2);
    expect(received.map(m => /^Subject: Invoice (\S+):/m.exec(m.text)?.[1])).toEqual(['inv-2']);
    const [failure] = log.lastRecords('reaction-failures', 1);
    expect(JSON.parse(Buffer.from(failure?.value ?? []).toString())).toMatchObject({
      reaction: 'mailer',
      message: expect.stringContaining('550 no such mailbox'),
    });
  });

  test('ends with the process though the server does not answer, and sends the mail at the next start', async () => {
    const { log, sell } = setUp();
    await sell('inv-1', '119.00');
    const silent = await smtpServer(() => '');
    const reactions = new Reactions({ log, reactions: [smtpMailer(silent.url)] });
    reactions.start();
    await until('the mail is on its way', () => silent.asked.length === 1);
    await reactions.stop();
    const { url, received } = await smtpServer();
    await run(log, smtpMailer(url));
    expect(received).toHaveLength(1);
  });
});

test('reporting adds up the payments of a day exactly, each once', async () => {
  const { log, sell, pay } = setUp();
  await sell('inv-1', '900719925474.09');
  await sell('inv-2', '10.00');
  await pay('inv-1', '900719925474.09');
  await pay('inv-2', '0.10');
  const make = () => ({ ...reporting({ dataFolder, settings: {} }), from: 'beginning' as const });
  const read = () => JSON.parse(readFileSync(join(dataFolder, 'reports', 'revenue-2026-03-10.json'), 'utf8'));
  await run(log, make());
  expect(read().revenue).toEqual({ EUR: '900719925474.19' });
  log.append({ records: [], positions: [{ handler: 'reaction/reporting', seq: 0 }] });
  await pay('inv-2', '0.20');
  await run(log, make());
  expect(read()).toEqual({
    day: '2026-03-10',
    revenue: { EUR: '900719925474.39' },
    payments: {
      'inv-1/1': { amount: '900719925474.09', currency: 'EUR' },
      'inv-2/1': { amount: '0.10', currency: 'EUR' },
      'inv-2/2': { amount: '0.20', currency: 'EUR' },
    },
  });
});

test('reporting keeps payments apart whose ids look alike when put together', async () => {
  const { log, sell, pay } = setUp();
  await sell('a/b', '1.00');
  await sell('a', '2.00');
  await pay('a/b', '1.00", "payment_id":"c');
  await pay('a', '2.00", "payment_id":"b/c');
  await run(log, { ...reporting({ dataFolder, settings: {} }), from: 'beginning' });
  const report = JSON.parse(readFileSync(join(dataFolder, 'reports', 'revenue-2026-03-10.json'), 'utf8'));
  expect(report.revenue).toEqual({ EUR: '3.00' });
});
