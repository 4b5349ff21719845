import { assert, unreachable } from '../core/assert.ts';
import type { InvoiceCreated, InvoiceEvent } from './invoice-event.ts';
import type { LineItem } from './line-item.ts';
import { minorDigits, minorUnits, moneyText } from './money.ts';

export type InvoiceStatus = 'draft' | 'sent' | 'paid' | 'deleted' | 'void';

/** An invoice as the events made it; money in minor units. */
export interface Invoice {
  readonly status: InvoiceStatus;
  readonly customerId: string;
  readonly customerName: string;
  readonly customerEmail: string;
  readonly currency: string;
  /** minor digits of the currency */
  readonly digits: number;
  readonly issueDate: string;
  readonly dueDate: string;
  readonly lineItems: readonly LineItem[];
  /** number of the next line that comes without an id; never given twice */
  readonly nextLine: number;
  readonly payments: readonly Payment[];
  readonly total: bigint;
  readonly paid: bigint;
}

export interface Payment {
  readonly payment_id: string;
  readonly amount: string;
  readonly paid_on: string;
  // written as JSON
  readonly [field: string]: string;
}

/** Null: nothing is known of it. */
export type InvoiceState = Invoice | null;

export function evolve(state: InvoiceState, event: InvoiceEvent): InvoiceState {
  if (event.type === 'InvoiceCreated') return created(event);
  assert(state, `${event.type} of an invoice that was never created`);
  switch (event.type) {
    case 'LineItemAdded':
      return {
        ...state,
        lineItems: [...state.lineItems, event.line_item],
        nextLine: state.nextLine + 1,
        total: amount(event.total, state.digits),
      };
    case 'LineItemRemoved':
      return {
        ...state,
        lineItems: state.lineItems.filter(l => l.line_item_id !== event.line_item.line_item_id),
        total: amount(event.total, state.digits),
      };
    case 'InvoiceSent':
      return { ...state, status: 'sent' };
    case 'PaymentReceived': {
      const { payment_id, paid_on } = event;
      return {
        ...state,
        payments: [...state.payments, { payment_id, amount: event.amount, paid_on }],
        paid: amount(event.paid, state.digits),
      };
    }
    case 'InvoicePaid':
      return { ...state, status: 'paid' };
    case 'InvoiceDeleted':
      return { ...state, status: 'deleted' };
    case 'InvoiceVoided':
      return { ...state, status: 'void' };
    default:
      return unreachable(event);
  }
}

function created(event: InvoiceCreated): Invoice {
  const digits = minorDigits(event.currency) ?? 2;
  return {
    status: 'draft',
    customerId: event.customer_id,
    customerName: event.customer_name,
    customerEmail: event.customer_email,
    currency: event.currency,
    digits,
    issueDate: event.issue_date,
    dueDate: event.due_date,
    lineItems: event.line_items,
    nextLine: event.line_items.length + 1,
    payments: [],
    total: amount(event.total, digits),
    paid: 0n,
  };
}

/** What is left to pay; nothing on a deleted or voided invoice. */
export function balance(invoice: Invoice): bigint {
  return invoice.status === 'deleted' || invoice.status === 'void' ? 0n : invoice.total - invoice.paid;
}

export function textOf(invoice: Pick<Invoice, 'digits'>, minor: bigint): string {
  return moneyText(minor, invoice.digits);
}

export function customerOf(invoice: Invoice) {
  return {
    customer_id: invoice.customerId,
    customer_name: invoice.customerName,
    customer_email: invoice.customerEmail,
  };
}

/** Of an amount that an event holds: it was exact when written. */
export function amount(text: string, digits: number): bigint {
  const minor = minorUnits(text, digits);
  assert(minor !== null, `an event holds the amount ${text}`);
  return minor;
}
