import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, '..', '..', 'views', 'sources');

const GROUPS = ['customer_id', 'currency', 'due_date', 'customer_name'];
const KEPT = ['total > 1', "currency <> 'JPY'", 'total < 1000000', "customer_id LIKE 'c-%'"];

/** Views over the events of invoices, each of which every CreateInvoice changes: tables, windows, streams, views. */
export function liveViews(count: number): ReadonlyMap<string, string> {
  const views = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const name = `live_${i}`;
    const by = GROUPS[i % GROUPS.length];
    const where = KEPT[(i >> 2) % KEPT.length];
    const from = `FROM invoice_events ${i % 5 === 3 ? 'WINDOW TUMBLING (SIZE 1 HOUR)' : ''} WHERE type = 'InvoiceCreated' AND ${where}`;
    views.set(
      name,
      i % 5 === 4
        ? `CREATE STREAM ${name} AS SELECT invoice_id, customer_id, currency, total ${from} EMIT CHANGES;`
        : i % 5 === 2
          ? `CREATE VIEW ${name} AS SELECT ${by}, COUNT(*) AS invoices, SUM(total) AS total, MAX(total) AS most FROM invoices WHERE total > ${i} GROUP BY ${by};`
          : `CREATE TABLE ${name} AS SELECT ${by}, COUNT(*) AS invoices, SUM(total) AS total ${from} GROUP BY ${by} EMIT CHANGES;`,
    );
  }
  return views;
}

/** A folder of views with the shipped sources. */
export function viewsFolder(folder: string, views: ReadonlyMap<string, string>): string {
  mkdirSync(join(folder, 'sources'), { recursive: true });
  for (const file of readdirSync(SOURCES)) copyFileSync(join(SOURCES, file), join(folder, 'sources', file));
  for (const [name, text] of views) writeFileSync(join(folder, `${name}.sql`), text);
  return folder;
}
