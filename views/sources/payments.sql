-- Payments, each with its customer and the dates of its invoice, so that no view needs a join for them.
-- The command handler writes them in one append with the PaymentReceived event.
CREATE STREAM payments (
  payment_key STRING KEY,
  invoice_id STRING,
  payment_id STRING,
  customer_id STRING,
  customer_name STRING,
  customer_email STRING,
  amount DECIMAL(18, 2),
  currency STRING,
  method STRING,
  paid_on DATE,
  issue_date DATE,
  due_date DATE,
  total DECIMAL(18, 2),
  paid DECIMAL(18, 2),
  balance DECIMAL(18, 2),
  at TIMESTAMP
) WITH (KAFKA_TOPIC = 'payments', VALUE_FORMAT = 'JSON');
