import { isJsonObject, jsonOf, minorDigits, moneyText, type PlainJson } from '../../src/index.ts';
import { type Customer, sampleCustomers } from './customers.ts';
import type { Random } from './random.ts';
import { DAY, dayText, HOUR, MINUTE, type Step } from './step.ts';

const WORK = [
  ['Concert tickets', 4_900],
  ['Hall rental', 125_000],
  ['Stage lighting', 38_950],
  ['Catering, per guest', 2_450],
  ['Printing of programmes', 89],
  ['Ushers, per hour', 2_175],
  ['Piano tuning', 14_500],
  ['Travel', 21_030],
] as const;

interface Line {
  readonly description: string;
  readonly quantity: number;
  /** minor units */
  readonly price: number;
  /** percent */
  readonly rate: number;
}

/** The commands of invoices that are issued in the `days` before `end`; ids are numbered in order of issue. */
export function invoiceLives(random: Random, options: { end: number; days: number; count: number }): Step[] {
  const { end, days, count } = options;
  const customers = sampleCustomers(random, 120);
  const issued = Array.from({ length: count }, () => {
    const day = end - random.whole(0, days) * DAY;
    return day + 7 * HOUR + random.whole(0, 10 * 60) * MINUTE + random.whole(0, 59_999);
  }).sort((a, b) => a - b);
  return issued.flatMap((at, i) =>
    invoiceLife(random, `inv-${String(i + 1).padStart(5, '0')}`, at, random.pick(customers)),
  );
}

function invoiceLife(random: Random, id: string, issued: number, customer: Customer): Step[] {
  const steps: Step[] = [];
  const digits = minorDigits(customer.currency) ?? 2;
  let at = issued;
  const send = (type: string, data: { readonly [field: string]: PlainJson }) => {
    const members = jsonOf(data);
    if (!isJsonObject(members)) return;
    const commandId = `sample-${id}-${steps.length + 1}`;
    steps.push({ at, command: { type, entityId: id, commandId, origin: 'sample', data: members } });
  };

  const lines = Array.from({ length: random.whole(1, 4) }, () => newLine(random));
  const due = issued + random.pick([14, 14, 30]) * DAY;
  send('CreateInvoice', {
    customer_id: customer.id,
    customer_name: customer.name,
    customer_email: customer.email,
    currency: customer.currency,
    issue_date: dayText(issued),
    due_date: dayText(due),
    line_items: lines.map(line => lineData(line, digits)),
  });
  if (random.chance(0.25)) {
    at += random.whole(1, 40) * MINUTE;
    const line = newLine(random);
    lines.push(line);
    send('AddLineItem', lineData(line, digits));
  }
  if (lines.length > 1 && random.chance(0.05)) {
    at += random.whole(1, 20) * MINUTE;
    lines.shift();
    send('RemoveLineItem', { line_item_id: '1' });
  }
  at += random.whole(5, 26 * 60) * MINUTE;
  if (random.chance(0.03)) {
    send('DeleteInvoice', { reason: 'entered twice' });
    return steps;
  }
  if (random.chance(0.02)) return steps; // stays a draft
  send('SendInvoice', {});
  at = Math.max(at, due + random.whole(...customer.daysLate) * DAY + random.whole(0, 8 * 60) * MINUTE);
  if (random.chance(0.015)) {
    send('VoidInvoice', { reason: 'order cancelled' });
    return steps;
  }
  if (random.chance(customer.neverPays)) return steps;
  const total = lines.reduce((sum, line) => sum + lineTotal(line), 0);
  const pay = (minor: number, method: string) =>
    send('RecordPayment', { amount: moneyText(BigInt(minor), digits), method });
  if (random.chance(0.01)) {
    pay(total + 1, 'transfer'); // refused: more than the balance
    at += random.whole(1, 30) * MINUTE;
  }
  if (total > 1 && random.chance(0.2)) {
    const part = Math.max(1, Math.floor(total * random.pick([0.25, 0.5, 0.8])));
    pay(part, 'transfer');
    if (random.chance(0.15)) return steps; // the rest is still open
    at += random.whole(2, 20) * DAY;
    pay(total - part, 'transfer');
  } else pay(total, random.pick(['transfer', 'transfer', 'card', 'direct debit']));
  return steps;
}

function newLine(random: Random): Line {
  const [description, price] = random.pick(WORK);
  return {
    description,
    quantity: random.whole(1, 12),
    price: price + random.whole(0, 99),
    rate: random.pick([19, 19, 7, 0]),
  };
}

function lineData(line: Line, digits: number) {
  return {
    description: line.description,
    quantity: line.quantity,
    unit_price: moneyText(BigInt(line.price), digits),
    tax_rate: line.rate,
  };
}

/** Minor units, as the domain reckons them: tax per line, half up. */
function lineTotal({ quantity, price, rate }: Line): number {
  const net = quantity * price;
  return net + Math.floor((net * rate + 50) / 100);
}
