/** Envelopes of commands as clients write them. */
export function createCommand(more = ''): string {
  return `{"type":"CreateInvoice",${more}"data":{"customer_id":"c1","customer_name":"Ada","customer_email":"ada@example.org",
    "currency":"EUR","issue_date":"2026-02-01","due_date":"2026-03-31",
    "line_items":[{"description":"Tea","quantity":2,"unit_price":10.10,"tax_rate":"19"}]}}`;
}

export const SEND = '{"type":"SendInvoice","data":{}}';

export function payCommand(amount: string, more = ''): string {
  return `{"type":"RecordPayment",${more}"data":{"amount":${amount}}}`;
}
