import type { AppendRecord } from '../src/log/event-log.ts';

/** Snapshots of invoices as the command side writes them after each command: created, two lines, sent, paid. */

const START = Date.UTC(2026, 0, 1);
const STATUSES = ['draft', 'draft', 'draft', 'sent', 'paid'];
const CURRENCIES = ['EUR', 'USD', 'GBP'];
/** invoices under way at a time */
const OPEN = 5_000;

export const SNAPSHOTS_PER_INVOICE = STATUSES.length;

export function* invoiceSnapshots(topic: string, invoices: number): Generator<AppendRecord> {
  let at = START;
  for (let first = 0; first < invoices; first += OPEN) {
    for (let step = 0; step < STATUSES.length; step++) {
      for (let i = first; i < Math.min(first + OPEN, invoices); i++) {
        at += 40;
        yield {
          topic,
          key: Buffer.from(`inv-${i}`),
          value: Buffer.from(JSON.stringify(snapshot(i, step, at))),
          timestamp: at,
        };
      }
    }
  }
}

function snapshot(i: number, step: number, at: number) {
  const lines = Math.min(step, 2);
  const cents = lines === 0 ? 0 : ((i * 7_919) % 90_000) + 100 * lines;
  const amount = (n: number) => `${Math.floor(n / 100)}.${String(n % 100).padStart(2, '0')}`;
  const customer = (i * 104_729) % 20_000;
  const paid = STATUSES[step] === 'paid' ? cents : 0;
  return {
    schema_version: 1,
    invoice_id: `inv-${i}`,
    version: step + 1,
    customer_id: `c-${customer}`,
    customer_name: `Customer ${customer}`,
    customer_email: `billing@customer-${customer}.example`,
    currency: CURRENCIES[customer % 3],
    status: STATUSES[step],
    issue_date: '2026-01-01',
    due_date: '2026-01-31',
    total: amount(cents),
    paid: amount(paid),
    balance: amount(cents - paid),
    updated_at: at,
    line_items: Array.from({ length: lines }, (_, l) => ({
      line_item_id: String(l + 1),
      description: 'Consulting, per hour',
      quantity: '1.000',
      unit_price: amount(cents >> 1),
      tax_rate: '0.00',
      net: amount(cents >> 1),
      tax: '0.00',
      total: amount(cents >> 1),
    })),
    payments: paid > 0 ? [{ payment_id: 'p-1', amount: amount(paid), paid_on: '2026-01-20' }] : [],
    next_line: lines + 1,
  };
}
