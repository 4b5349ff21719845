import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport, type SendMailOptions } from 'nodemailer';
import {
  CannotHandle,
  createReaction,
  type Delivery,
  type InvoiceSent,
  type LogRecord,
  type PaymentReceived,
  type ReactionContext,
  type TopicReaction,
} from '../src/index.ts';

type Recorded<E> = E & { readonly invoice_id: string; readonly version: number };

/**
 * Mails customers when an invoice is sent and when a payment is received. Mails go to an SMTP server where the setting
 * `smtp` names one, else they are written as .eml files. A mail that is sent again after a crash has the same
 * Message-ID (and the same file), so that nobody reads it twice. A mail that the server refuses for good is set aside.
 */
export function reaction({ dataFolder, settings }: ReactionContext): TopicReaction {
  const from = typeof settings.from === 'string' ? settings.from : 'Millrace <invoices@example.org>';
  const send =
    typeof settings.smtp === 'string' ? smtpSender(settings.smtp) : fileSender(join(dataFolder, 'mail'));
  return createReaction({
    name: 'mailer',
    topic: 'invoice-events',
    async handle(record, delivery) {
      const mail = mailOf(record);
      if (!mail) return;
      const date = new Date(record.timestamp);
      await send({ ...mail, from, messageId: messageId(delivery), date }, delivery.signal);
    },
  });
}

type Send = (mail: SendMailOptions, signal: AbortSignal) => Promise<void>;

function smtpSender(url: string): Send {
  const transport = createTransport(url);
  return async (mail, signal) => {
    // a server that does not answer must not hold up the end of the process
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(new Error('the process stops'));
    signal.addEventListener('abort', stop);
    try {
      await Promise.race([transport.sendMail(mail), stopped.promise]);
    } catch (error) {
      throw isFinal(error) ? new CannotHandle(error.message, { cause: error }) : error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

/** SMTP answers from 500 on say that trying again is of no use; 535 (credentials) may be mended. */
function isFinal(error: unknown): error is Error & { readonly responseCode: number } {
  if (!(error instanceof Error) || !('responseCode' in error)) return false;
  return Number(error.responseCode) >= 500 && !('code' in error && error.code === 'EAUTH');
}

function fileSender(folder: string): Send {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  return async mail => {
    const { message } = await transport.sendMail(mail);
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${String(mail.messageId).replace(/^<|@.*$/g, '')}.eml`);
    // A reader never finds half a mail.
    await writeFile(`${path}.part`, message as Buffer);
    await rename(`${path}.part`, path);
  };
}

function messageId({ idempotencyKey }: Delivery): string {
  return `<${idempotencyKey.replace(/[^A-Za-z0-9.-]+/g, '-')}@millrace>`;
}

/** Null: nobody is written to about this event. */
export function mailOf(record: LogRecord): SendMailOptions | null {
  const event: Recorded<InvoiceSent> | Recorded<PaymentReceived> | { readonly type: 'other' } = JSON.parse(
    Buffer.from(record.value ?? []).toString('utf8') || '{}',
  );
  switch (event.type) {
    case 'InvoiceSent':
      return {
        to: { name: event.customer_name, address: event.customer_email },
        subject: `Invoice ${event.invoice_id}: ${event.total} ${event.currency} until ${event.due_date}`,
        text: [
          `Dear ${event.customer_name},`,
          '',
          `please find invoice ${event.invoice_id} of ${event.issue_date}.`,
          `Amount: ${event.total} ${event.currency}, due on ${event.due_date}.`,
          '',
        ].join('\n'),
      };
    case 'PaymentReceived':
      return {
        to: { name: event.customer_name, address: event.customer_email },
        subject: `Payment received for invoice ${event.invoice_id}`,
        text: [
          `Dear ${event.customer_name},`,
          '',
          `thank you for your payment of ${event.amount} ${event.currency}, received on ${event.paid_on}.`,
          `Left to pay: ${event.balance} ${event.currency}.`,
          '',
        ].join('\n'),
      };
    default:
      return null;
  }
}
