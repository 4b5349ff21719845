import { dispatcher } from '../commands/command-handler.ts';
import type { EntityType } from '../commands/entity-type.ts';
import { type CreateInvoice, createInvoice } from './create-invoice.ts';
import { decodeEvent, encodeEvent } from './event-codec.ts';
import { decodeSnapshot, invoiceDocument } from './invoice-document.ts';
import type { InvoiceEvent } from './invoice-event.ts';
import { evolve, type InvoiceState } from './invoice-state.ts';
import { type AddLineItem, addLineItem, type RemoveLineItem, removeLineItem } from './line-item-commands.ts';
import { type RecordPayment, recordPayment } from './record-payment.ts';
import { type SendInvoice, sendInvoice } from './send-invoice.ts';
import { type DeleteInvoice, deleteInvoice, type VoidInvoice, voidInvoice } from './withdraw-invoice.ts';

export type InvoiceCommand =
  | CreateInvoice
  | AddLineItem
  | RemoveLineItem
  | SendInvoice
  | RecordPayment
  | DeleteInvoice
  | VoidInvoice;

/** Payments alone, each with its customer and due date: the source of revenue and payment behaviour. */
const PAYMENTS_TOPIC = 'payments';

export const INVOICE_TOPICS = {
  commands: 'invoice-commands',
  events: 'invoice-events',
  snapshots: 'invoice-snapshots',
  published: [PAYMENTS_TOPIC],
} as const;

const invoiceDispatcher = dispatcher<InvoiceCommand, InvoiceEvent, InvoiceState>([
  createInvoice,
  addLineItem,
  removeLineItem,
  sendInvoice,
  recordPayment,
  deleteInvoice,
  voidInvoice,
]);

/** The invoice for the command runtime, and for whoever wants to decide without one. */
export const invoiceEntity: EntityType<InvoiceCommand, InvoiceEvent, InvoiceState> = {
  name: 'invoice',
  topics: INVOICE_TOPICS,
  dispatcher: invoiceDispatcher,
  decider: { initial: null, decide: invoiceDispatcher.decide, evolve },
  encodeEvent,
  decodeEvent,
  encodeSnapshot: (state, meta) => ({ ...invoiceDocument(state, meta) }),
  decodeSnapshot,
  publish(event, meta) {
    if (event.type !== 'PaymentReceived') return [];
    const { type: _, ...payment } = event;
    const { entityId: invoice_id, version, at } = meta;
    return [
      {
        topic: PAYMENTS_TOPIC,
        key: `${invoice_id}/${event.payment_id}`,
        document: { invoice_id, version, at, ...payment },
      },
    ];
  },
};
