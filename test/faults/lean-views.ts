/** The views of the crash tests: of each kind of state one, small enough to be built in a moment. */
const SOURCES = `
CREATE STREAM attempts (card STRING, amount DECIMAL(12, 2)) WITH (KAFKA_TOPIC = 'attempts', VALUE_FORMAT = 'JSON');
CREATE TABLE cards (card STRING PRIMARY KEY, holder STRING) WITH (KAFKA_TOPIC = 'cards', VALUE_FORMAT = 'JSON');
CREATE STREAM lines (line STRING) WITH (KAFKA_TOPIC = 'lines', VALUE_FORMAT = 'JSON');
CREATE TABLE invoices (
  invoice_id STRING PRIMARY KEY, version INT, customer_id STRING, currency STRING, status STRING, due_date DATE,
  total DECIMAL(18, 2), paid DECIMAL(18, 2), balance DECIMAL(18, 2)
) WITH (KAFKA_TOPIC = 'invoice-snapshots', VALUE_FORMAT = 'JSON');
CREATE STREAM payments (payment_key STRING KEY, invoice_id STRING, amount DECIMAL(18, 2))
  WITH (KAFKA_TOPIC = 'payments', VALUE_FORMAT = 'JSON');`;

/** `least`: a number in one of the views, so that a build can be asked for by changing its file */
export function leanViews(least: number): ReadonlyMap<string, string> {
  return new Map([
    ['sources/all', SOURCES],
    [
      'fraud',
      `CREATE TABLE fraud WITH (KAFKA_TOPIC = 'fraud') AS SELECT card, COUNT(*) AS attempts, SUM(amount) AS amount
       FROM attempts WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY card HAVING COUNT(*) > 3;`,
    ],
    [
      'closed',
      `CREATE TABLE closed WITH (KAFKA_TOPIC = 'closed') AS SELECT card, COUNT(*) AS attempts
       FROM attempts WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 2 SECONDS) GROUP BY card EMIT FINAL;`,
    ],
    [
      'sessions',
      `CREATE TABLE sessions AS SELECT card, COUNT(*) AS attempts, MAX(amount) AS largest
       FROM attempts WINDOW SESSION (2 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY card;`,
    ],
    [
      'totals',
      `CREATE VIEW totals AS SELECT customer_id, currency, status, COUNT(*) AS invoices, SUM(total) AS total,
       SUM(balance) AS balance FROM invoices GROUP BY customer_id, currency, status;`,
    ],
    [
      'overdue',
      `CREATE VIEW overdue AS SELECT invoice_id, customer_id, balance, due_date FROM invoices
       WHERE status = 'sent' AND due_date < CURRENT_DATE;`,
    ],
    [
      'named',
      `CREATE STREAM named WITH (KAFKA_TOPIC = 'named') AS SELECT a.card AS card, a.amount AS amount, c.holder AS holder
       FROM attempts a LEFT JOIN cards c ON a.card = c.card;`,
    ],
    [
      'holders',
      `CREATE TABLE holders WITH (KAFKA_TOPIC = 'holders') AS SELECT holder, COUNT(*) AS attempts, SUM(amount) AS amount
       FROM named GROUP BY holder;`,
    ],
    [
      'paid',
      `CREATE VIEW paid AS SELECT p.payment_key, p.amount, i.customer_id, i.status
       FROM payments p JOIN invoices i ON p.invoice_id = i.invoice_id;`,
    ],
    ['words', `CREATE STREAM words AS SELECT EXPLODE(SPLIT(line, ' ')) AS word FROM lines;`],
    [
      'counted',
      `CREATE TABLE counted AS SELECT word, COUNT(*) AS n FROM words GROUP BY word HAVING COUNT(*) > ${least};`,
    ],
  ]);
}

/** the view whose text `least` changes */
export const CHANGING = 'counted';

/** names of the views that may be replayed at any time */
export const REPLAYED = [
  'fraud',
  'closed',
  'sessions',
  'totals',
  'overdue',
  'named',
  'holders',
  'paid',
  'words',
];
