import type { Snapshot, SnapshotMeta } from '../commands/entity-type.ts';
import { assert } from '../core/assert.ts';
import {
  amount,
  balance,
  type Invoice,
  type InvoiceState,
  type InvoiceStatus,
  textOf,
} from './invoice-state.ts';
import type { LineItem } from './line-item.ts';
import { minorDigits } from './money.ts';

/** An invoice as it is written and read: the snapshot's record, the row of the `invoices` table, the HTTP answer. */
export interface InvoiceDocument {
  readonly schema_version: 1;
  readonly invoice_id: string;
  readonly version: number;
  readonly customer_id: string;
  readonly customer_name: string;
  readonly customer_email: string;
  readonly currency: string;
  readonly status: InvoiceStatus;
  readonly issue_date: string;
  readonly due_date: string;
  readonly total: string;
  readonly paid: string;
  readonly balance: string;
  /** ms */
  readonly updated_at: number;
  readonly line_items: readonly LineItem[];
  readonly payments: Invoice['payments'];
  readonly next_line: number;
}

export function invoiceDocument(state: InvoiceState, meta: SnapshotMeta): InvoiceDocument {
  assert(state, 'an invoice that has events exists');
  return {
    schema_version: 1,
    invoice_id: meta.entityId,
    version: meta.version,
    customer_id: state.customerId,
    customer_name: state.customerName,
    customer_email: state.customerEmail,
    currency: state.currency,
    status: state.status,
    issue_date: state.issueDate,
    due_date: state.dueDate,
    total: textOf(state, state.total),
    paid: textOf(state, state.paid),
    balance: textOf(state, balance(state)),
    updated_at: meta.at,
    line_items: state.lineItems,
    payments: state.payments,
    next_line: state.nextLine,
  };
}

/** Null when the snapshot has another form: then the events are read. */
export function decodeSnapshot(value: Uint8Array): Snapshot<InvoiceState> | null {
  let row: InvoiceDocument;
  try {
    row = JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return null;
  }
  if (row?.schema_version !== 1 || !Number.isSafeInteger(row.version)) return null;
  const digits = minorDigits(row.currency) ?? 2;
  const state: Invoice = {
    status: row.status,
    customerId: row.customer_id,
    customerName: row.customer_name,
    customerEmail: row.customer_email,
    currency: row.currency,
    digits,
    issueDate: row.issue_date,
    dueDate: row.due_date,
    lineItems: row.line_items,
    nextLine: row.next_line,
    payments: row.payments,
    total: amount(row.total, digits),
    paid: amount(row.paid, digits),
  };
  return { state, version: row.version };
}
