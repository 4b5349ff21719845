-- Customers, the latest of each.
CREATE TABLE customers (
  customer STRING PRIMARY KEY,
  name STRING,
  country STRING
) WITH (KAFKA_TOPIC = 'customers', VALUE_FORMAT = 'JSON');
