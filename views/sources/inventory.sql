-- What comes into the warehouse and what leaves it: deliveries, shipments, losses. What leaves has a negative quantity.
CREATE STREAM inventory (
  sku STRING KEY,
  quantity INT,
  reason STRING,
  order_id STRING
) WITH (KAFKA_TOPIC = 'inventory', VALUE_FORMAT = 'JSON');
