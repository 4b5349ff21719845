import type { LineItem } from './line-item.ts';

/**
 * What happened to invoices, in the words of the record: names are the columns of the `invoice_events` stream, money is
 * decimal text in the invoice's currency, days are YYYY-MM-DD. Events carry what a view would otherwise need a join for.
 */
export type InvoiceEvent =
  | InvoiceCreated
  | LineItemAdded
  | LineItemRemoved
  | InvoiceSent
  | PaymentReceived
  | InvoicePaid
  | InvoiceDeleted
  | InvoiceVoided;

interface Customer {
  readonly customer_id: string;
  readonly customer_name: string;
  readonly customer_email: string;
}

export interface InvoiceCreated extends Customer {
  readonly type: 'InvoiceCreated';
  readonly currency: string;
  readonly issue_date: string;
  readonly due_date: string;
  readonly line_items: readonly LineItem[];
  readonly total: string;
}

export interface LineItemAdded {
  readonly type: 'LineItemAdded';
  readonly line_item: LineItem;
  /** of the invoice, with it */
  readonly total: string;
}

export interface LineItemRemoved {
  readonly type: 'LineItemRemoved';
  readonly line_item: LineItem;
  /** of the invoice, without it */
  readonly total: string;
}

export interface InvoiceSent extends Customer {
  readonly type: 'InvoiceSent';
  readonly currency: string;
  readonly issue_date: string;
  readonly due_date: string;
  readonly total: string;
}

export interface PaymentReceived extends Customer {
  readonly type: 'PaymentReceived';
  readonly payment_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly paid_on: string;
  readonly method: string | null;
  readonly issue_date: string;
  readonly due_date: string;
  readonly total: string;
  /** paid so far, with this payment */
  readonly paid: string;
  /** left to pay after it */
  readonly balance: string;
}

/** The balance has become zero. */
export interface InvoicePaid extends Customer {
  readonly type: 'InvoicePaid';
  readonly currency: string;
  readonly paid_on: string;
  readonly due_date: string;
  readonly total: string;
}

export interface InvoiceDeleted extends Customer {
  readonly type: 'InvoiceDeleted';
  readonly reason: string | null;
}

export interface InvoiceVoided extends Customer {
  readonly type: 'InvoiceVoided';
  readonly currency: string;
  readonly total: string;
  readonly reason: string | null;
}
