CREATE TYPE money AS DECIMAL(18, 2);
CREATE STREAM orders (
  id STRING KEY,
  customer STRING,
  amount money,
  quantity INT,
  tags ARRAY<STRING>,
  address STRUCT<street STRING, city STRING>,
  placed_at TIMESTAMP,
  due DATE
) WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', TIMESTAMP = 'placed_at');
CREATE STREAM clicks (url STRING, user_id INT, attributes MAP<STRING, STRING>)
  WITH (KAFKA_TOPIC = 'clicks', FORMAT = 'JSON', PARTITIONS = 4);
CREATE TABLE customers (id STRING PRIMARY KEY, name STRING, country STRING, score INT, balance money)
  WITH (KAFKA_TOPIC = 'customers', VALUE_FORMAT = 'DELIMITED', VALUE_DELIMITER = ';');
CREATE STREAM readings (device STRING KEY, value DOUBLE, raw BYTES HEADER('raw'))
  WITH (KAFKA_TOPIC = 'readings', VALUE_FORMAT = 'JSON', WINDOW_TYPE = 'TUMBLING', WINDOW_SIZE = '10 SECONDS');
