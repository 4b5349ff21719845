import { expect, test } from 'vitest';
import type { EventDocument } from '../../src/commands/entity-type.ts';
import {
  decodeEvent,
  encodeEvent,
  upcastInvoiceEvent,
  upcastInvoiceRecord,
} from '../../src/invoice/event-codec.ts';
import { decodeSnapshot, invoiceDocument } from '../../src/invoice/invoice-document.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { evolve, type InvoiceState } from '../../src/invoice/invoice-state.ts';
import { created, paid, paidInFull, sent } from './invoice-spec.ts';

const bytes = (document: unknown) => Buffer.from(JSON.stringify(document));
const meta = { entityId: 'inv-1', version: 1, at: 5, commandId: 'c-1' };

test('an event is read as it was written', () => {
  for (const event of [created, sent, paid('1.00', '1.00', '118.00'), paidInFull]) {
    const read = decodeEvent(bytes(encodeEvent(event, meta)));
    expect(read.version).toBe(1);
    expect(read.event).toMatchObject(event);
  }
});

test('an invoice created under schema version 1 had no currency: it was in euro', () => {
  const { currency: _, ...old }: EventDocument = { ...encodeEvent(created, meta), schema_version: 1 };
  expect(upcastInvoiceEvent(old)).toEqual({ ...encodeEvent(created, meta) });
  const { event } = decodeEvent(bytes(old));
  expect(evolve(null, event)).toEqual(evolve(null, created));
});

test('a schema version of the future, another type and bytes without sense are refused', () => {
  const document = encodeEvent(sent, meta);
  expect(() => decodeEvent(bytes({ ...document, schema_version: 9 }))).toThrow(
    /schema version 9 is not known/,
  );
  expect(() => decodeEvent(bytes({ ...document, type: 'toString' }))).toThrow(/"toString"/);
  expect(() => decodeEvent(Buffer.from('{'))).toThrow(/not JSON/);
});

test('a snapshot holds the whole state', () => {
  const events = [created, sent, paid('19.00', '19.00', '100.00')];
  const state = events.reduce<InvoiceState>(evolve, null);
  const document = invoiceDocument(state, { entityId: 'inv-1', version: 3, at: 5 });
  expect(document).toMatchObject({ status: 'sent', total: '119.00', paid: '19.00', balance: '100.00' });
  expect(decodeSnapshot(bytes(document))).toEqual({ state, version: 3 });
  expect(decodeSnapshot(bytes({ ...document, schema_version: 2 }))).toBeNull();
});

test('a payment is published with its customer and due date', () => {
  const published = invoiceEntity.publish?.(paid('19.00', '19.00', '100.00'), { ...meta, version: 3 });
  expect(published).toEqual([
    {
      topic: 'payments',
      key: 'inv-1/1',
      document: expect.objectContaining({
        invoice_id: 'inv-1',
        amount: '19.00',
        due_date: '2026-03-31',
        customer_id: 'cu-1',
      }),
    },
  ]);
});

test('views see lifted records, and those of today as they are', () => {
  const record = (value: Uint8Array | null) => ({
    seq: 1,
    topic: 'invoice-events',
    partition: 0,
    offset: 1,
    timestamp: 5,
    appendTime: 5,
    key: Buffer.from('inv-1'),
    value,
    headers: [],
  });
  const { currency: _, ...old }: EventDocument = { ...encodeEvent(created, meta), schema_version: 1 };
  const lifted = upcastInvoiceRecord(record(bytes(old)));
  expect(JSON.parse(Buffer.from(lifted.value ?? []).toString())).toEqual(encodeEvent(created, meta));
  for (const value of [
    bytes(encodeEvent(created, meta)),
    bytes(encodeEvent(sent, meta)),
    null,
    Buffer.from('{'),
  ]) {
    const same = record(value);
    expect(upcastInvoiceRecord(same)).toBe(same);
  }
});
