CREATE STREAM lines WITH (KAFKA_TOPIC = 'order-lines', VALUE_FORMAT = 'DELIMITED', VALUE_DELIMITER = '|', PARTITIONS = 3, TIMESTAMP = 'at') AS
SELECT id, placed_at AS at, amount FROM orders;
