import type { Command } from '../commands/command.ts';
import type { CommandHandler } from '../commands/command-handler.ts';
import { accept, refuse } from '../commands/decider.ts';
import type { InvoiceEvent } from './invoice-event.ts';
import { isRefused, requireDraft } from './invoice-rules.ts';
import { amount, type InvoiceState, textOf } from './invoice-state.ts';
import {
  amountTooLarge,
  decodeLineItem,
  ID_RULE,
  isPriced,
  type LineItemData,
  MAX_AMOUNT,
  MAX_LINE_ITEMS,
  priceLine,
} from './line-item.ts';

export type AddLineItem = Command<'AddLineItem', LineItemData>;
export type RemoveLineItem = Command<'RemoveLineItem', { readonly lineItemId: string }>;

const DRAFTS_ONLY = 'only drafts can be changed; void it and create another';

export const addLineItem: CommandHandler<AddLineItem, InvoiceEvent, InvoiceState> = {
  type: 'AddLineItem',
  description: 'Adds a line item to a draft.',
  decode: decodeLineItem,

  decide({ data, entityId }, state) {
    const invoice = requireDraft(state, entityId, DRAFTS_ONLY);
    if (isRefused(invoice)) return invoice;
    if (invoice.lineItems.length >= MAX_LINE_ITEMS) {
      return refuse('too_many_line_items', `invoice "${entityId}" has ${MAX_LINE_ITEMS} line items already`);
    }
    const id = data.lineItemId ?? String(invoice.nextLine);
    if (invoice.lineItems.some(l => l.line_item_id === id)) {
      return refuse('line_item_exists', `invoice "${entityId}" has a line item "${id}" already`);
    }
    const priced = priceLine(data, id, { code: invoice.currency, digits: invoice.digits });
    if (!isPriced(priced)) return priced;
    const total = invoice.total + priced.net + priced.tax;
    if (total > MAX_AMOUNT) return amountTooLarge(invoice.currency);
    return accept<InvoiceEvent>({
      type: 'LineItemAdded',
      line_item: priced.item,
      total: textOf(invoice, total),
    });
  },
};

export const removeLineItem: CommandHandler<RemoveLineItem, InvoiceEvent, InvoiceState> = {
  type: 'RemoveLineItem',
  description: 'Removes a line item from a draft.',
  decode: dto => ({ lineItemId: dto.text('line_item_id', ID_RULE) }),

  decide({ data, entityId }, state) {
    const invoice = requireDraft(state, entityId, DRAFTS_ONLY);
    if (isRefused(invoice)) return invoice;
    const item = invoice.lineItems.find(l => l.line_item_id === data.lineItemId);
    if (!item) {
      return refuse(
        'unknown_line_item',
        `invoice "${entityId}" has no line item "${data.lineItemId}"`,
        `it has ${invoice.lineItems.map(l => l.line_item_id).join(', ') || 'none'}`,
      );
    }
    const total = invoice.total - amount(item.total, invoice.digits);
    return accept<InvoiceEvent>({
      type: 'LineItemRemoved',
      line_item: item,
      total: textOf(invoice, total),
    });
  },
};
