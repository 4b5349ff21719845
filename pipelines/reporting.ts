import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createReaction,
  type LogRecord,
  minorDigits,
  minorUnits,
  moneyText,
  type PaymentReceived,
  type ReactionContext,
  type TopicReaction,
} from '../src/index.ts';

type Payment = Omit<PaymentReceived, 'type'> & { readonly invoice_id: string };

/** A day's file: the revenue per currency, and the payments that make it. */
export interface DailyReport {
  readonly day: string;
  readonly revenue: { readonly [currency: string]: string };
  readonly payments: { readonly [key: string]: { readonly amount: string; readonly currency: string } };
}

/**
 * Keeps one report per day of payment: `reports/revenue-2026-03-10.json` in the data folder. A payment stands in it under
 * its own key, so that one which is handled again after a crash changes nothing.
 */
export function reaction({ dataFolder }: ReactionContext): TopicReaction {
  const folder = join(dataFolder, 'reports');
  return createReaction({
    name: 'reporting',
    topic: 'payments',
    async handle(record) {
      const payment = paymentOf(record);
      if (!payment) return;
      await mkdir(folder, { recursive: true });
      const path = join(folder, `revenue-${payment.paid_on}.json`);
      const report = withPayment(await readReport(path, payment.paid_on), payment);
      await writeFile(`${path}.part`, `${JSON.stringify(report, null, 2)}\n`);
      await rename(`${path}.part`, path);
    },
  });
}

export function withPayment(report: DailyReport, payment: Payment): DailyReport {
  const { amount, currency } = payment;
  // ids may hold a slash: only one of both may keep it
  const key = `${encodeURIComponent(payment.invoice_id)}/${payment.payment_id}`;
  const payments = { ...report.payments, [key]: { amount, currency } };
  const totals = new Map<string, bigint>();
  for (const paid of Object.values(payments)) {
    const digits = minorDigits(paid.currency) ?? 2;
    totals.set(paid.currency, (totals.get(paid.currency) ?? 0n) + (minorUnits(paid.amount, digits) ?? 0n));
  }
  const revenue = Object.fromEntries(
    [...totals].sort().map(([code, total]) => [code, moneyText(total, minorDigits(code) ?? 2)]),
  );
  return { day: report.day, revenue, payments };
}

async function readReport(path: string, day: string): Promise<DailyReport> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { day, revenue: {}, payments: {} };
    }
    throw error;
  }
}

/** Null: a record that is no payment. Its day names a file, so it must be one. */
function paymentOf(record: LogRecord): Payment | null {
  const payment: Partial<Payment> = JSON.parse(Buffer.from(record.value ?? []).toString('utf8') || '{}');
  return /^\d{4}-\d{2}-\d{2}$/.test(payment.paid_on ?? '') ? (payment as Payment) : null;
}
