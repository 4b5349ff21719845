import type { PlainJson } from '../../src/index.ts';
import type { Random } from './random.ts';
import { DAY, HOUR, MINUTE, type Step } from './step.ts';

const ARTICLES = ['poster', 'mug', 'cap', 'shirt', 'scarf', 'badge', 'record', 'book', 'bag', 'print'];
const COLOURS = ['black', 'white', 'red', 'blue', 'green', 'grey', 'brown', 'yellow'];
/** of all invoices, how many are made for an order of the shop */
const ORDERED = 0.4;

interface Item {
  readonly sku: string;
  readonly quantity: number;
}

interface Shipment {
  readonly at: number;
  readonly order: string;
  readonly items: readonly Item[];
}

/**
 * Orders of a shop and its warehouse beside the invoices that `lives` makes: an order is placed, gets its invoice, and is
 * shipped once that was sent; it is cancelled when the invoice is deleted or void. What is lacking for a shipment is
 * delivered shortly before it, so no stock is ever below zero.
 */
export function ordersAndStock(random: Random, lives: readonly Step[]): Step[] {
  const steps: Step[] = [];
  const shipments: Shipment[] = [];
  for (const life of livesOfInvoices(lives)) {
    if (!random.chance(ORDERED)) continue;
    const { invoice, customer, created } = life;
    const order = invoice.replace('inv-', 'ord-');
    const placed = created - random.whole(10 * MINUTE, 2 * DAY);
    const items = orderedItems(random);
    const write = (at: number, status: string, billed: boolean) =>
      steps.push({
        at,
        record: {
          topic: 'orders',
          key: order,
          value: {
            order_id: order,
            customer_id: customer,
            status,
            items: items.map(({ sku, quantity }) => ({ sku, quantity })),
            placed_at: placed,
            invoice_id: billed ? invoice : null,
          },
        },
      });
    write(placed, 'placed', false);
    write(created + random.whole(1_000, 5 * MINUTE), 'placed', true);
    const shipped = life.sent === null ? Number.POSITIVE_INFINITY : life.sent + random.whole(6, 96) * HOUR;
    if (life.ended !== null && life.ended < shipped) write(life.ended + MINUTE, 'cancelled', true);
    else if (life.sent !== null) {
      write(shipped, 'shipped', true);
      shipments.push({ at: shipped, order, items });
    }
  }
  return [...steps, ...movements(random, shipments)];
}

interface InvoiceLife {
  readonly invoice: string;
  readonly customer: string;
  readonly created: number;
  sent: number | null;
  /** deleted or void */
  ended: number | null;
}

function livesOfInvoices(steps: readonly Step[]): Iterable<InvoiceLife> {
  const lives = new Map<string, InvoiceLife>();
  for (const step of steps) {
    if (!('command' in step)) continue;
    const { type, entityId: invoice, data } = step.command;
    if (type === 'CreateInvoice') {
      const customer = String(data?.get('customer_id'));
      lives.set(invoice, { invoice, customer, created: step.at, sent: null, ended: null });
    }
    const life = lives.get(invoice);
    if (life === undefined) continue;
    if (type === 'SendInvoice') life.sent = step.at;
    if (type === 'DeleteInvoice' || type === 'VoidInvoice') life.ended = step.at;
  }
  return lives.values();
}

function orderedItems(random: Random): Item[] {
  const skus = new Set(
    Array.from({ length: random.whole(1, 3) }, () => `${random.pick(ARTICLES)}-${random.pick(COLOURS)}`),
  );
  return [...skus].map(sku => ({ sku, quantity: random.whole(1, 6) }));
}

function movements(random: Random, shipments: readonly Shipment[]): Step[] {
  const steps: Step[] = [];
  const stock = new Map<string, number>();
  const move = (at: number, sku: string, quantity: number, rest: Readonly<Record<string, PlainJson>>) => {
    stock.set(sku, (stock.get(sku) ?? 0) + quantity);
    steps.push({ at, record: { topic: 'inventory', key: sku, value: { sku, quantity, ...rest } } });
  };
  for (const { at, order, items } of shipments.toSorted((a, b) => a.at - b.at)) {
    for (const { sku, quantity } of items) {
      const lacking = quantity - (stock.get(sku) ?? 0);
      if (lacking > 0) move(at - HOUR, sku, lacking + random.whole(0, 8), { reason: 'delivery' });
      move(at, sku, -quantity, { reason: 'shipment', order_id: order });
    }
  }
  return steps;
}
