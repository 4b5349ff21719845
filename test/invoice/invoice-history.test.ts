import { describe, expect, test } from 'vitest';
import { decodeRequest } from '../../src/commands/command-request.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { MillraceError } from '../../src/core/errors.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { invoiceAt, invoiceEvents } from '../../src/invoice/invoice-history.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';

const clock = new ManualClock(Date.UTC(2026, 2, 1, 9));

async function lifeOfAnInvoice() {
  const log = createMemoryLog({ clock });
  const runtime = new CommandRuntime({
    log,
    entity: invoiceEntity,
    onError: error => {
      throw error;
    },
  });
  const send = async (body: string) => {
    clock.advance(3_600_000);
    return runtime.submit(decodeRequest(Buffer.from(body), 'inv-1'));
  };
  await send(`{"type":"CreateInvoice","data":{"customer_id":"cu-1","customer_name":"Ada",
    "customer_email":"ada@example.org","currency":"EUR","due_date":"2026-03-31",
    "line_items":[{"description":"Hall","unit_price":100.00,"tax_rate":19}]}}`);
  await send('{"type":"AddLineItem","data":{"description":"Beer","quantity":3,"unit_price":"2.50"}}');
  await send('{"type":"SendInvoice"}');
  const result = await send('{"type":"RecordPayment","data":{"amount":126.50}}');
  return { log, result };
}

describe('the past of an invoice', () => {
  test('its state now is the row of the invoices table', async () => {
    const { log, result } = await lifeOfAnInvoice();
    const row = log.lastByKey('invoice-snapshots', Buffer.from('inv-1'))?.value;
    expect(invoiceAt(log, 'inv-1')).toEqual(JSON.parse(Buffer.from(row ?? []).toString()));
    expect(invoiceAt(log, 'inv-1')).toMatchObject({
      version: result.version,
      status: 'paid',
      total: '126.50',
      paid: '126.50',
      balance: '0.00',
    });
  });

  test('is readable at every version', async () => {
    const { log } = await lifeOfAnInvoice();
    const past = [1, 2, 3, 4, 5].map(version => invoiceAt(log, 'inv-1', { version }));
    expect(past.map(i => [i.version, i.status, i.total, i.balance])).toEqual([
      [1, 'draft', '119.00', '119.00'],
      [2, 'draft', '126.50', '126.50'],
      [3, 'sent', '126.50', '126.50'],
      [4, 'sent', '126.50', '0.00'],
      [5, 'paid', '126.50', '0.00'],
    ]);
  });

  test('is readable at every time', async () => {
    const { log } = await lifeOfAnInvoice();
    const [first, second] = invoiceEvents(log, 'inv-1').map(e => e.appendTime);
    expect(invoiceAt(log, 'inv-1', { at: first }).version).toBe(1);
    expect(invoiceAt(log, 'inv-1', { at: (second ?? 0) - 1 }).version).toBe(1);
    expect(invoiceAt(log, 'inv-1', { at: second }).version).toBe(2);
    expect(() => invoiceAt(log, 'inv-1', { at: (first ?? 0) - 1 })).toThrow(/there is no invoice "inv-1" at/);
  });

  test('the audit trail tells every event with its place', async () => {
    const { log } = await lifeOfAnInvoice();
    const trail = invoiceEvents(log, 'inv-1');
    expect(trail.map(e => [e.event.type, e.event.version, e.event.schema_version])).toEqual([
      ['InvoiceCreated', 1, 2],
      ['LineItemAdded', 2, 1],
      ['InvoiceSent', 3, 1],
      ['PaymentReceived', 4, 1],
      ['InvoicePaid', 5, 1],
    ]);
    for (const { seq } of trail) expect(log.record(seq)?.topic).toBe('invoice-events');
  });

  test('an unknown invoice, version 0 and a version to come are not there', async () => {
    const { log } = await lifeOfAnInvoice();
    for (const read of [
      () => invoiceAt(log, 'inv-2'),
      () => invoiceEvents(log, 'inv-2'),
      () => invoiceAt(log, 'inv-1', { version: 0 }),
      () => invoiceAt(log, 'inv-1', { version: 6 }),
    ]) {
      expect(read).toThrow(MillraceError);
      expect(read).toThrow(/there is no invoice|not yet/);
    }
  });
});
