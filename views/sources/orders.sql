-- Orders as they are now. The shop writes the whole order again whenever something about it changes: it was placed,
-- an invoice was made for it, it was shipped or cancelled.
CREATE TABLE orders (
  order_id STRING PRIMARY KEY,
  customer_id STRING,
  status STRING,
  items ARRAY<STRUCT<sku STRING, quantity INT>>,
  placed_at TIMESTAMP,
  invoice_id STRING
) WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON');
