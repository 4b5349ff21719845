import type { Command } from '../commands/command.ts';
import type { CommandHandler } from '../commands/command-handler.ts';
import { accept, refuse } from '../commands/decider.ts';
import type { InvoiceEvent } from './invoice-event.ts';
import { isRefused, requireDraft } from './invoice-rules.ts';
import { customerOf, type InvoiceState, textOf } from './invoice-state.ts';

export type SendInvoice = Command<'SendInvoice', Record<string, never>>;

export const sendInvoice: CommandHandler<SendInvoice, InvoiceEvent, InvoiceState> = {
  type: 'SendInvoice',
  description: 'Sends a draft to its customer; from then on it can be paid and not changed.',
  decode: () => ({}),

  decide({ entityId }, state) {
    const invoice = requireDraft(state, entityId, 'an invoice is sent once');
    if (isRefused(invoice)) return invoice;
    if (invoice.lineItems.length === 0) {
      return refuse('no_line_items', `invoice "${entityId}" has no line items`, 'add a line item first');
    }
    if (invoice.total === 0n) {
      return refuse(
        'nothing_to_pay',
        `the total of invoice "${entityId}" is zero`,
        'add a line with a price',
      );
    }
    return accept<InvoiceEvent>({
      type: 'InvoiceSent',
      ...customerOf(invoice),
      currency: invoice.currency,
      issue_date: invoice.issueDate,
      due_date: invoice.dueDate,
      total: textOf(invoice, invoice.total),
    });
  },
};
