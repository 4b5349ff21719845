import type { Command } from '../commands/command.ts';
import type { CommandHandler } from '../commands/command-handler.ts';
import { accept, refuse } from '../commands/decider.ts';
import { dayOf } from './create-invoice.ts';
import type { InvoiceEvent } from './invoice-event.ts';
import { isRefused, requireAlive } from './invoice-rules.ts';
import { customerOf, type InvoiceState, textOf } from './invoice-state.ts';
import { ID_RULE, isNegative, overPrecise } from './line-item.ts';
import { minorUnits } from './money.ts';

export interface RecordPaymentData {
  readonly amount: string;
  /** null: the next number of the invoice */
  readonly paymentId: string | null;
  /** null: the day of the command, UTC */
  readonly paidOn: string | null;
  readonly method: string | null;
}

export type RecordPayment = Command<'RecordPayment', RecordPaymentData>;

const DAY = 86_400_000;
const MAX_PAYMENTS = 1_000;

export const recordPayment: CommandHandler<RecordPayment, InvoiceEvent, InvoiceState> = {
  type: 'RecordPayment',
  description: 'Records a payment, in part or in full, for a sent invoice.',

  decode(dto) {
    const data = {
      amount: dto.decimal('amount'),
      paymentId: dto.optionalText('payment_id', ID_RULE),
      paidOn: dto.optionalDate('paid_on'),
      method: dto.optionalText('method', { max: 50 }),
    };
    if (isNegative(data.amount)) dto.fail('amount', 'negative_amount', 'is negative', null);
    return data;
  },

  decide(command, state) {
    const { data, entityId, now } = command;
    const invoice = requireAlive(state, entityId);
    if (isRefused(invoice)) return invoice;
    if (invoice.status === 'draft') {
      return refuse('not_sent', `invoice "${entityId}" was not sent yet`, 'send it first');
    }
    if (invoice.status === 'paid') return refuse('already_paid', `invoice "${entityId}" is paid in full`);
    const { currency, digits } = invoice;
    const amount = minorUnits(data.amount, digits);
    if (amount === null) return overPrecise('payment', data.amount, { code: currency, digits });
    if (amount === 0n) return refuse('empty_payment', 'a payment of nothing is none');
    const open = invoice.total - invoice.paid;
    if (amount > open) {
      return refuse(
        'overpayment',
        `a payment of ${textOf(invoice, amount)} ${currency} exceeds the balance of ${textOf(invoice, open)} ${currency}`,
        'record at most the balance',
      );
    }
    const paidOn = data.paidOn ?? dayOf(now);
    // A day later than ours may have begun elsewhere on earth.
    if (paidOn > dayOf(now + DAY)) return refuse('paid_in_future', `${paidOn} has not come yet`);
    const paymentId = data.paymentId ?? String(invoice.payments.length + 1);
    if (invoice.payments.some(p => p.payment_id === paymentId)) {
      return refuse('payment_exists', `invoice "${entityId}" has a payment "${paymentId}" already`);
    }
    if (invoice.payments.length >= MAX_PAYMENTS) {
      return refuse('too_many_payments', `invoice "${entityId}" has ${MAX_PAYMENTS} payments already`);
    }
    const about = { ...customerOf(invoice), currency, paid_on: paidOn, due_date: invoice.dueDate };
    const received: InvoiceEvent = {
      type: 'PaymentReceived',
      payment_id: paymentId,
      amount: textOf(invoice, amount),
      ...about,
      method: data.method,
      issue_date: invoice.issueDate,
      total: textOf(invoice, invoice.total),
      paid: textOf(invoice, invoice.paid + amount),
      balance: textOf(invoice, open - amount),
    };
    if (amount < open) return accept(received);
    const paid: InvoiceEvent = { type: 'InvoicePaid', ...about, total: textOf(invoice, invoice.total) };
    return accept<InvoiceEvent>(received, paid);
  },
};
