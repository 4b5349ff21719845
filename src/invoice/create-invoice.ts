import type { Command } from '../commands/command.ts';
import type { CommandHandler } from '../commands/command-handler.ts';
import { accept, refuse } from '../commands/decider.ts';
import type { InvoiceEvent } from './invoice-event.ts';
import type { InvoiceState } from './invoice-state.ts';
import {
  amountTooLarge,
  decodeLineItem,
  ID_RULE,
  isPriced,
  type LineItem,
  type LineItemData,
  MAX_AMOUNT,
  MAX_LINE_ITEMS,
  priceLine,
} from './line-item.ts';
import { minorDigits, moneyText } from './money.ts';

export interface CreateInvoiceData {
  readonly customerId: string;
  readonly customerName: string;
  readonly customerEmail: string;
  readonly currency: string;
  /** null: the day of the command, UTC */
  readonly issueDate: string | null;
  readonly dueDate: string;
  readonly lineItems: readonly LineItemData[];
}

export type CreateInvoice = Command<'CreateInvoice', CreateInvoiceData>;

const EMAIL = { regExp: /^[^\s@<>,;]+@[^\s@<>,;]+$/, says: 'is not an e-mail address' };

export const createInvoice: CommandHandler<CreateInvoice, InvoiceEvent, InvoiceState> = {
  type: 'CreateInvoice',
  description: 'Creates a draft for a customer, with or without line items.',

  decode: dto => ({
    customerId: dto.text('customer_id', ID_RULE),
    customerName: dto.text('customer_name', { max: 200 }),
    customerEmail: dto.text('customer_email', { max: 254, pattern: EMAIL }),
    currency: dto.text('currency', { max: 10 }),
    issueDate: dto.optionalDate('issue_date'),
    dueDate: dto.date('due_date'),
    lineItems: dto.list('line_items', MAX_LINE_ITEMS, decodeLineItem),
  }),

  decide(command, state) {
    const { data, entityId } = command;
    if (state) {
      return refuse('already_exists', `invoice "${entityId}" exists already`, 'choose another id');
    }
    const digits = minorDigits(data.currency);
    if (digits === null) {
      return refuse(
        'unknown_currency',
        `"${data.currency}" is no currency that invoices can have`,
        'use an ISO 4217 code such as EUR; those with three minor digits are not supported',
      );
    }
    const issueDate = data.issueDate ?? dayOf(command.now);
    if (data.dueDate < issueDate) {
      return refuse(
        'due_before_issue',
        `the due date ${data.dueDate} lies before the issue date ${issueDate}`,
        'make it due on the issue date or later',
      );
    }
    const lineItems: LineItem[] = [];
    const ids = new Set<string>();
    let total = 0n;
    for (const [i, line] of data.lineItems.entries()) {
      const id = line.lineItemId ?? String(i + 1);
      if (ids.has(id)) return refuse('line_item_exists', `two line items have the id "${id}"`);
      ids.add(id);
      const priced = priceLine(line, id, { code: data.currency, digits });
      if (!isPriced(priced)) return priced;
      total += priced.net + priced.tax;
      lineItems.push(priced.item);
    }
    if (total > MAX_AMOUNT) return amountTooLarge(data.currency);
    return accept<InvoiceEvent>({
      type: 'InvoiceCreated',
      customer_id: data.customerId,
      customer_name: data.customerName,
      customer_email: data.customerEmail,
      currency: data.currency,
      issue_date: issueDate,
      due_date: data.dueDate,
      line_items: lineItems,
      total: moneyText(total, digits),
    });
  },
};

/** The day in UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
