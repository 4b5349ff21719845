import { expect, test } from 'vitest';
import { columnsEngine } from '../../src/cli/test/case-engine.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { ViewRows } from '../../src/dataflow/reference/view-rows.ts';
import { isJsonObject, jsonOf, type PlainJson } from '../../src/index.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { shippedPlan } from './shipped-plan.ts';

const MINUTE = 60_000;

/** A server in small: the clock is set, a tick is written, and both machines read what is new. */
async function startedAt(now: number, zone: string) {
  const options = await shippedPlan(zone);
  const clock = new ManualClock(now);
  const log = createMemoryLog({ clock });
  const commands = new CommandRuntime({
    log,
    entity: invoiceEntity,
    onError: error => {
      throw error;
    },
  });
  const fold = createReferenceFold(options);
  const engine = columnsEngine(createEngine)(options);
  const overdue = options.plan.views.find(v => v.name === 'overdue_invoices');
  if (!overdue) throw new Error('overdue_invoices is a view that ships');
  const rows = new ViewRows(overdue.root.schema);
  let position = 0;
  const caughtUp = () => {
    for (const block of log.read(position)) {
      fold.step(block);
      engine.step(block);
    }
    position = log.end();
    for (const change of engine.takeChanges('overdue_invoices')) rows.apply(change);
    const ids = rows.inOrder().map(({ row }) => row[0]);
    expect(ids).toEqual(fold.rows('overdue_invoices').map(({ row }) => row[0]));
    return ids;
  };
  return {
    command(type: string, data: { readonly [field: string]: PlainJson }) {
      const members = jsonOf(data);
      if (!isJsonObject(members)) throw new Error('a command carries an object');
      const commandId = `${type}-${log.end()}`;
      commands.handleAt({ type, entityId: 'inv-1', commandId, origin: 'test', data: members }, clock.now());
    },
    /** Nothing happens until `at`, but the clock. */
    overdueAt(at: number) {
      clock.set(at);
      log.tick(at);
      return caughtUp();
    },
    overdueNow: caughtUp,
    deadlines: () => [fold.deadline(), engine.deadline()],
  };
}

const CASES = [
  { zone: 'UTC', midnight: '2026-04-01T00:00:00.000Z' },
  // summer time since Sunday: two hours ahead
  { zone: 'Europe/Berlin', midnight: '2026-03-31T22:00:00.000Z' },
  { zone: 'America/Los_Angeles', midnight: '2026-04-01T07:00:00.000Z' },
];

test.each(CASES)(
  'an invoice due on 31 March is overdue at midnight in $zone, with no event at all',
  async ({ zone, midnight }) => {
    const at = Date.parse(midnight);
    const server = await startedAt(at - 10 * 86_400_000, zone);
    server.command('CreateInvoice', {
      customer_id: 'c-1',
      customer_name: 'Ada',
      customer_email: 'ada@example.org',
      currency: 'EUR',
      issue_date: '2026-03-20',
      due_date: '2026-03-31',
      line_items: [{ description: 'Chairs', quantity: 2, unit_price: '50.00', tax_rate: 0 }],
    });
    server.command('SendInvoice', {});
    expect(server.overdueNow()).toEqual([]);
    // so the server knows when to write its next tick
    expect(server.deadlines()).toEqual([at, at]);
    expect(server.overdueAt(at - MINUTE)).toEqual([]);
    expect(server.overdueAt(at - 1)).toEqual([]);
    expect(server.overdueAt(at)).toEqual(['inv-1']);
    expect(server.overdueAt(at + MINUTE)).toEqual(['inv-1']);
    server.command('RecordPayment', { amount: '40.00', method: 'transfer' });
    expect(server.overdueNow()).toEqual(['inv-1']);
    server.command('RecordPayment', { amount: '60.00', method: 'transfer' });
    expect(server.overdueNow()).toEqual([]);
    expect(server.overdueAt(at + 86_400_000)).toEqual([]);
  },
);

test('an invoice paid in time is never overdue', async () => {
  const at = Date.parse('2026-04-01T00:00:00.000Z');
  const server = await startedAt(at - 86_400_000, 'UTC');
  server.command('CreateInvoice', {
    customer_id: 'c-1',
    customer_name: 'Ada',
    customer_email: 'ada@example.org',
    currency: 'EUR',
    issue_date: '2026-03-20',
    due_date: '2026-03-31',
    line_items: [{ description: 'Chairs', quantity: 1, unit_price: '10.00', tax_rate: 0 }],
  });
  server.command('SendInvoice', {});
  server.command('RecordPayment', { amount: '10.00', method: 'card' });
  expect(server.overdueAt(at - 1)).toEqual([]);
  expect(server.overdueAt(at)).toEqual([]);
  expect(server.deadlines()).toEqual([null, null]);
});
