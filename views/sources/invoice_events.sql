-- Everything that happened to invoices, as it happened. Each event fills the columns that its type has:
-- InvoiceCreated, LineItemAdded, LineItemRemoved, InvoiceSent, PaymentReceived, InvoicePaid, InvoiceDeleted, InvoiceVoided.
CREATE STREAM invoice_events (
  invoice_id STRING KEY,
  type STRING,
  schema_version INT,
  version INT,
  at TIMESTAMP,
  command_id STRING,
  customer_id STRING,
  customer_name STRING,
  customer_email STRING,
  currency STRING,
  issue_date DATE,
  due_date DATE,
  total DECIMAL(18, 2),
  line_items ARRAY<STRUCT<
    line_item_id STRING, description STRING, quantity DECIMAL(18, 3), unit_price DECIMAL(18, 2),
    tax_rate DECIMAL(5, 2), net DECIMAL(18, 2), tax DECIMAL(18, 2), total DECIMAL(18, 2)>>,
  line_item STRUCT<
    line_item_id STRING, description STRING, quantity DECIMAL(18, 3), unit_price DECIMAL(18, 2),
    tax_rate DECIMAL(5, 2), net DECIMAL(18, 2), tax DECIMAL(18, 2), total DECIMAL(18, 2)>,
  payment_id STRING,
  amount DECIMAL(18, 2),
  method STRING,
  paid_on DATE,
  paid DECIMAL(18, 2),
  balance DECIMAL(18, 2),
  reason STRING
) WITH (KAFKA_TOPIC = 'invoice-events', VALUE_FORMAT = 'JSON');
