import { expect } from 'vitest';
import { DtoReader, type FieldError } from '../../src/commands/dto-reader.ts';
import { isJsonObject, parseJson } from '../../src/core/json.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import type { InvoiceCreated, InvoiceEvent } from '../../src/invoice/invoice-event.ts';
import { evolve, type InvoiceState } from '../../src/invoice/invoice-state.ts';

/** noon of a day, as the clock that travels in the command */
export const NOW = Date.UTC(2026, 2, 10, 12);

/**
 * A sentence about the decider: given what happened, when a command comes, then this happens or is refused.
 * The command's data is given as JSON text, so that money is written as senders write it.
 */
export function given(...events: readonly InvoiceEvent[]) {
  const state = events.reduce<InvoiceState>(evolve, null);
  return {
    when(type: string, data = '{}', now = NOW) {
      const handler = invoiceEntity.dispatcher.find(type);
      const members = parseJson(data);
      if (!handler || !isJsonObject(members)) throw new Error(`${type} ${data}`);
      const dto = new DtoReader(members);
      const decoded = handler.decode(dto);
      dto.end();
      const command = { type, commandId: 'c', entityId: 'inv-1', now, data: decoded } as never;
      const decide = () => {
        expect(dto.errors).toEqual([]);
        return invoiceEntity.decider.decide(command, state);
      };
      return {
        /** checks the given fields of each event */
        then(...expected: readonly Partial<InvoiceEvent>[]) {
          expect(decide()).toEqual({
            accepted: true,
            events: expected.map(e => expect.objectContaining(e)),
          });
        },
        refused(code: string) {
          const decision = decide();
          expect(decision.accepted ? 'accepted' : decision.refusal.code).toBe(code);
        },
        /** the data itself is faulty: path and code of every fault */
        invalid(...faults: readonly (readonly [path: string, code: string])[]) {
          expect(dto.errors.map((e: FieldError) => [e.path, e.code])).toEqual(faults);
        },
      };
    },
  };
}

const customer = { customer_id: 'cu-1', customer_name: 'Ada', customer_email: 'ada@example.org' };

export const created: InvoiceCreated = {
  type: 'InvoiceCreated',
  ...customer,
  currency: 'EUR',
  issue_date: '2026-03-01',
  due_date: '2026-03-31',
  line_items: [
    {
      line_item_id: '1',
      description: 'Tickets',
      quantity: '2',
      unit_price: '50.00',
      tax_rate: '19',
      net: '100.00',
      tax: '19.00',
      total: '119.00',
    },
  ],
  total: '119.00',
};

export const createdEmpty: InvoiceCreated = { ...created, line_items: [], total: '0.00' };

export const sent: InvoiceEvent = {
  type: 'InvoiceSent',
  ...customer,
  currency: 'EUR',
  issue_date: '2026-03-01',
  due_date: '2026-03-31',
  total: '119.00',
};

export function paid(amount: string, sum: string, balance: string, payment_id = '1'): InvoiceEvent {
  return {
    type: 'PaymentReceived',
    payment_id,
    amount,
    ...customer,
    currency: 'EUR',
    paid_on: '2026-03-09',
    method: null,
    issue_date: '2026-03-01',
    due_date: '2026-03-31',
    total: '119.00',
    paid: sum,
    balance,
  };
}

export const paidInFull: InvoiceEvent = {
  type: 'InvoicePaid',
  ...customer,
  currency: 'EUR',
  paid_on: '2026-03-09',
  due_date: '2026-03-31',
  total: '119.00',
};

export const deleted: InvoiceEvent = { type: 'InvoiceDeleted', ...customer, reason: null };

export const voided: InvoiceEvent = {
  type: 'InvoiceVoided',
  ...customer,
  currency: 'EUR',
  total: '119.00',
  reason: null,
};
