import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ATTEMPTS_SOURCE } from '../fraud.ts';

const SOURCES = join(import.meta.dirname, '..', '..', 'views', 'sources');

const GROUPS = ['customer_id', 'currency', 'due_date', 'customer_name'];
const KEPT = ['total > 1', "currency <> 'JPY'", 'total < 1000000', "customer_id LIKE 'c-%'"];

/**
 * Views over the events and the snapshots of invoices, each of which every CreateInvoice changes. One of five is a strict
 * windowed table, whose changes are also written to a topic.
 */
export function liveViews(count: number): ReadonlyMap<string, string> {
  const views = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const name = `live_${i}`;
    const by = GROUPS[i % GROUPS.length];
    const where = `type = 'InvoiceCreated' AND ${KEPT[(i >> 2) % KEPT.length]}`;
    const sums = 'COUNT(*) AS invoices, SUM(total) AS total';
    views.set(name, statement(i % 5));
    function statement(kind: number): string {
      switch (kind) {
        case 3:
          return `CREATE TABLE ${name} AS SELECT ${by}, ${sums} FROM invoice_events WINDOW TUMBLING (SIZE 1 HOUR) WHERE ${where} GROUP BY ${by} EMIT CHANGES;`;
        case 4:
          return `CREATE VIEW ${name} AS SELECT invoice_id, customer_id, currency, total FROM invoice_events WHERE ${where};`;
        case 2:
          return `CREATE VIEW ${name} AS SELECT ${by}, ${sums}, MAX(total) AS most FROM invoices WHERE total > ${i} GROUP BY ${by};`;
        default:
          return `CREATE VIEW ${name} AS SELECT ${by}, ${sums} FROM invoice_events WHERE ${where} GROUP BY ${by};`;
      }
    }
  }
  return views;
}

/** A folder of views with the shipped sources and the attempts of the bench. */
export function viewsFolder(folder: string, views: ReadonlyMap<string, string>): string {
  mkdirSync(join(folder, 'sources'), { recursive: true });
  for (const file of readdirSync(SOURCES)) copyFileSync(join(SOURCES, file), join(folder, 'sources', file));
  writeFileSync(join(folder, 'sources', 'attempts.sql'), ATTEMPTS_SOURCE);
  for (const [name, text] of views) writeFileSync(join(folder, `${name}.sql`), text);
  return folder;
}
