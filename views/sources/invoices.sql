-- Invoices as they are now: the last snapshot of each, written together with every command's events.
-- Deleted and void invoices keep their row, with that status and nothing left to pay.
CREATE TABLE invoices (
  invoice_id STRING PRIMARY KEY,
  version INT,
  customer_id STRING,
  customer_name STRING,
  customer_email STRING,
  currency STRING,
  status STRING,
  issue_date DATE,
  due_date DATE,
  total DECIMAL(18, 2),
  paid DECIMAL(18, 2),
  balance DECIMAL(18, 2),
  updated_at TIMESTAMP
) WITH (KAFKA_TOPIC = 'invoice-snapshots', VALUE_FORMAT = 'JSON');
