import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DtoReader } from '../../src/commands/dto-reader.ts';
import { isJsonObject, parseJson } from '../../src/core/json.ts';
import { decodeEvent, encodeEvent } from '../../src/invoice/event-codec.ts';
import { decodeSnapshot, invoiceDocument } from '../../src/invoice/invoice-document.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { amount, balance, evolve, type InvoiceState, textOf } from '../../src/invoice/invoice-state.ts';
import { NOW } from './invoice-spec.ts';

const money = fc.oneof(
  fc
    .integer({ min: 0, max: 50_000 })
    .map(cents => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`),
  fc.constantFrom('0', '1000000000000', '0.001'),
);
const line = fc.record({
  description: fc.constantFrom('Hall', 'Beer'),
  quantity: fc.constantFrom('1', '2.5', '0.001', '1000'),
  unit_price: money,
  tax_rate: fc.constantFrom('0', '7', '19', '5.55'),
});
const sentence = fc.oneof(
  fc.record({
    type: fc.constant('CreateInvoice'),
    data: fc.record({
      customer_id: fc.constant('cu-1'),
      customer_name: fc.constant('Ada'),
      customer_email: fc.constant('ada@example.org'),
      currency: fc.constantFrom('EUR', 'JPY'),
      due_date: fc.constantFrom('2026-03-31', '2026-03-10'),
      line_items: fc.array(line, { maxLength: 3 }),
    }),
  }),
  fc.record({ type: fc.constant('AddLineItem'), data: line }),
  fc.record({
    type: fc.constant('RemoveLineItem'),
    data: fc.record({ line_item_id: fc.constantFrom('1', '2', '3') }),
  }),
  fc.record({ type: fc.constant('SendInvoice'), data: fc.constant({}) }),
  fc.record({ type: fc.constant('RecordPayment'), data: fc.record({ amount: money }) }),
  fc.constant({ type: 'RecordPayment', data: 'all that is open' }),
  fc.record({ type: fc.constantFrom('DeleteInvoice', 'VoidInvoice'), data: fc.constant({}) }),
);

/** Applies a command; a fault or a refusal leaves the state. Gives the state after each event. */
function apply(state: InvoiceState, { type, data }: { type: string; data: unknown }): InvoiceState[] {
  const open = { amount: state ? textOf(state, balance(state)) : '1' };
  const members = parseJson(JSON.stringify(data === 'all that is open' ? open : data));
  const dto = new DtoReader(isJsonObject(members) ? members : new Map());
  const decoded = invoiceEntity.dispatcher.find(type)?.decode(dto);
  if (dto.errors.length > 0) return [];
  const command = { type, commandId: 'c', entityId: 'inv-1', now: NOW, data: decoded } as never;
  const decision = invoiceEntity.decider.decide(command, state);
  if (!decision.accepted) return [];
  let current = state;
  return decision.events.map(event => {
    const document = encodeEvent(event, { entityId: 'inv-1', version: 1, at: NOW, commandId: 'c' });
    // what is evolved is what a reader of the log sees
    current = evolve(current, decodeEvent(Buffer.from(JSON.stringify(document))).event);
    return current;
  });
}

test('whatever is sent: the total is the sum of the lines, never more is paid, and the snapshot holds it all', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(sentence, { minLength: 1, maxLength: 12 }), sentences => {
      let state: InvoiceState = null;
      for (const sent of sentences) {
        for (const next of apply(state, sent)) {
          state = next;
          if (!next) throw new Error('an event made nothing');
          seen.add(next.status);
          const sum = next.lineItems.reduce((total, l) => total + amount(l.total, next.digits), 0n);
          expect(next.total).toBe(sum);
          const paid = next.payments.reduce((total, p) => total + amount(p.amount, next.digits), 0n);
          expect(next.paid).toBe(paid);
          expect(paid <= next.total).toBe(true);
          expect(balance(next) >= 0n).toBe(true);
          if (next.status === 'paid') expect(balance(next)).toBe(0n);
          const meta = { entityId: 'inv-1', version: 1, at: NOW };
          const row = Buffer.from(JSON.stringify(invoiceDocument(next, meta)));
          expect(decodeSnapshot(row)?.state).toEqual(next);
        }
      }
    }),
    // a failure prints its seed
    { numRuns: 2_000 },
  );
  expect([...seen].sort()).toEqual(['deleted', 'draft', 'paid', 'sent', 'void']);
});
