import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reaction as mailer } from '../../pipelines/mailer.ts';
import { reaction as reporting } from '../../pipelines/reporting.ts';
import { decodeRequest } from '../../src/commands/command-request.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { createReaction, type TopicReaction } from '../../src/commands/reaction.ts';
import { Reactions } from '../../src/commands/reactions.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';

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
  const caughtUp = Promise.withResolvers<void>();
  const lastOfTopic = log.lastRecords(reaction.topic, 1)[0]?.seq ?? -1;
  const watched = createReaction({
    ...reaction,
    async handle(record, delivery) {
      await reaction.handle(record, delivery);
      if (record.seq === lastOfTopic) caughtUp.resolve();
    },
  });
  const reactions = new Reactions({ log, reactions: [watched] });
  reactions.start();
  await caughtUp.promise;
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
