-- Orders as they come in.
CREATE STREAM orders (
  order_id STRING KEY,
  customer STRING,
  amount DECIMAL(10, 2),
  quantity INT,
  placed_on STRING
) WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON');
