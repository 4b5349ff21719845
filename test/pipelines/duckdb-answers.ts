import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { recordAt } from '../../src/core/log-record.ts';
import type { LogReader } from '../../src/log/event-log.ts';

/** What each topic of the sample holds, for DuckDB; `seq`, `ts` and `key` come from the record. */
const TABLES = {
  snapshots: {
    topic: 'invoice-snapshots',
    columns:
      'invoice_id VARCHAR, version INT, customer_id VARCHAR, customer_name VARCHAR, customer_email VARCHAR, ' +
      'currency VARCHAR, status VARCHAR, issue_date DATE, due_date DATE, total DECIMAL(18,2), paid DECIMAL(18,2), ' +
      'balance DECIMAL(18,2), updated_at BIGINT',
  },
  payments: {
    topic: 'payments',
    columns:
      'invoice_id VARCHAR, customer_id VARCHAR, amount DECIMAL(18,2), currency VARCHAR, paid_on DATE, due_date DATE',
  },
  attempts: { topic: 'authorization-attempts', columns: 'card_number VARCHAR' },
  page_views: { topic: 'page-views', columns: 'user_id VARCHAR, page VARCHAR' },
  text_lines: { topic: 'text-lines', columns: 'line VARCHAR' },
  order_versions: {
    topic: 'orders',
    columns:
      'order_id VARCHAR, customer_id VARCHAR, status VARCHAR, items JSON, ' +
      'placed_at BIGINT, invoice_id VARCHAR',
  },
  inventory: { topic: 'inventory', columns: 'sku VARCHAR, quantity INT' },
} as const;

const INVOICES = '(SELECT DISTINCT ON (invoice_id) * FROM snapshots ORDER BY invoice_id, seq DESC)';

const ORDERS = '(SELECT DISTINCT ON (order_id) * FROM order_versions ORDER BY order_id, seq DESC)';
const ITEMS = '[{"sku": "VARCHAR", "quantity": "INT"}]';
const STOCK = '(SELECT sku, sum(quantity) AS on_hand, count(*) AS movements FROM inventory GROUP BY sku)';

/** The shipped views, written by hand for DuckDB over the whole history. `today`: YYYY-MM-DD. */
export function answers(today: string): Readonly<Record<string, string>> {
  return {
    invoice_records: `
      SELECT invoice_id, version, customer_id, customer_name, currency, status, issue_date, due_date, total, paid,
        balance, updated_at
      FROM ${INVOICES} WHERE status <> 'deleted'`,
    invoice_totals: `
      SELECT customer_id, currency, status, count(*), sum(total), sum(paid), sum(balance)
      FROM ${INVOICES} GROUP BY ALL`,
    overdue_invoices: `
      SELECT invoice_id, customer_id, customer_name, customer_email, currency, balance, due_date
      FROM ${INVOICES} WHERE status = 'sent' AND due_date < DATE '${today}'`,
    revenue_by_day: 'SELECT paid_on, currency, count(*), sum(amount) FROM payments GROUP BY ALL',
    payment_behaviour: `
      SELECT customer_id, count(*), count(DISTINCT invoice_id), count(*) FILTER (paid_on > due_date),
        avg(paid_on - due_date), max(paid_on - due_date)
      FROM payments GROUP BY ALL`,
    // An attempt is late, and not counted, when its window has been closed for 24 h less the size of the window by the
    // largest event time that came in before it (or with it).
    possible_fraud: `
      SELECT card_number, opened, opened + 5000, count(*)
      FROM (
        SELECT card_number, ts // 5000 * 5000 AS opened, max(ts) OVER (ORDER BY seq) AS stream_time
        FROM attempts WHERE card_number IS NOT NULL)
      WHERE opened + 5000 + (86400000 - 5000) > stream_time
      GROUP BY ALL HAVING count(*) > 3`,
    word_counts: `
      SELECT word, count(*) FROM (SELECT unnest(string_split(lower(line), ' ')) AS word FROM text_lines)
      WHERE word <> '' GROUP BY ALL`,
    pageviews_per_user: 'SELECT user_id, count(*), arg_max(page, seq) FROM page_views GROUP BY ALL',
    stock_on_hand: `SELECT sku, on_hand, movements FROM ${STOCK}`,
    open_orders: `SELECT order_id, customer_id, placed_at, invoice_id, items FROM ${ORDERS} WHERE status = 'placed'`,
    items_to_restock: `
      SELECT w.sku, w.orders, w.pieces, coalesce(s.on_hand, 0), w.pieces - coalesce(s.on_hand, 0)
      FROM (
        SELECT item.sku, count(*) AS orders, sum(item.quantity) AS pieces
        FROM (SELECT unnest(from_json(items, '${ITEMS}')) AS item FROM ${ORDERS} WHERE status = 'placed') GROUP BY item.sku) AS w
      LEFT JOIN ${STOCK} AS s ON w.sku = s.sku
      WHERE w.pieces > coalesce(s.on_hand, 0)`,
    invoices_and_orders: `
      SELECT o.order_id, o.customer_id, o.status, o.placed_at, o.invoice_id, i.status, i.currency, i.total, i.balance,
        i.due_date
      FROM ${ORDERS} AS o LEFT JOIN ${INVOICES} AS i ON o.invoice_id = i.invoice_id`,
  };
}

/** Loads the log into DuckDB through files in `folder`; gives a function from SQL to rows as sorted lines of text. */
export async function duckdbOver(log: LogReader, folder: string) {
  const lines = new Map<string, string[]>(Object.values(TABLES).map(t => [t.topic, []]));
  for (const block of log.read(0)) {
    for (let i = 0; i < block.n; i++) {
      const { topic, seq, timestamp, value } = recordAt(block, i);
      const fields = Buffer.from(value ?? []).toString('utf8');
      lines.get(topic)?.push(`{"seq":${seq},"ts":${timestamp},${fields.slice(1)}`);
    }
  }
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  for (const [table, { topic, columns }] of Object.entries(TABLES)) {
    const file = join(folder, `${table}.ndjson`);
    writeFileSync(file, (lines.get(topic) ?? []).join('\n'));
    const types = `seq BIGINT, ts BIGINT, ${columns}`.replace(/(\w+) ([A-Z]+(?:\([\d,]+\))?)/g, "$1: '$2'");
    await connection.run(
      `CREATE TABLE ${table} AS FROM read_json('${file}', format = 'newline_delimited', columns = {${types}})`,
    );
  }
  return async (sql: string): Promise<readonly string[]> => {
    const reader = await connection.runAndReadAll(`SELECT COLUMNS(*)::VARCHAR FROM (${sql}) AS answer`);
    return reader
      .getRows()
      .map(row => row.map(String).join(' | '))
      .sort();
  };
}
