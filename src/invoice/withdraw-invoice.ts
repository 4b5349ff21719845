import type { Command } from '../commands/command.ts';
import type { CommandHandler } from '../commands/command-handler.ts';
import { accept, refuse } from '../commands/decider.ts';
import type { DtoReader } from '../commands/dto-reader.ts';
import type { InvoiceEvent } from './invoice-event.ts';
import { isRefused, requireAlive, requireDraft } from './invoice-rules.ts';
import { customerOf, type InvoiceState, textOf } from './invoice-state.ts';

interface Reason {
  readonly reason: string | null;
}

export type DeleteInvoice = Command<'DeleteInvoice', Reason>;
export type VoidInvoice = Command<'VoidInvoice', Reason>;

const decode = (dto: DtoReader): Reason => ({
  reason: dto.optionalText('reason', { max: 500, multiline: true }),
});

export const deleteInvoice: CommandHandler<DeleteInvoice, InvoiceEvent, InvoiceState> = {
  type: 'DeleteInvoice',
  description: 'Deletes a draft. Its events stay.',
  decode,

  decide({ data, entityId }, state) {
    const invoice = requireDraft(state, entityId, 'a sent invoice can only be voided');
    if (isRefused(invoice)) return invoice;
    return accept<InvoiceEvent>({ type: 'InvoiceDeleted', ...customerOf(invoice), reason: data.reason });
  },
};

export const voidInvoice: CommandHandler<VoidInvoice, InvoiceEvent, InvoiceState> = {
  type: 'VoidInvoice',
  description: 'Declares a sent invoice void; it must not have payments.',
  decode,

  decide({ data, entityId }, state) {
    const invoice = requireAlive(state, entityId);
    if (isRefused(invoice)) return invoice;
    if (invoice.status === 'draft') {
      return refuse('not_sent', `invoice "${entityId}" was not sent yet`, 'delete the draft');
    }
    if (invoice.status === 'paid') return refuse('already_paid', `invoice "${entityId}" is paid in full`);
    if (invoice.paid > 0n) {
      return refuse('has_payments', `invoice "${entityId}" has payments`, 'an invoice with payments stands');
    }
    return accept<InvoiceEvent>({
      type: 'InvoiceVoided',
      ...customerOf(invoice),
      currency: invoice.currency,
      total: textOf(invoice, invoice.total),
      reason: data.reason,
    });
  },
};
