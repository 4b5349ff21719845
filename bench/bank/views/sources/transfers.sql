-- Money that goes from one account to another.
CREATE STREAM transfers (
  id BIGINT,
  from_account INT,
  to_account INT,
  amount DECIMAL(12, 2)
) WITH (KAFKA_TOPIC = 'transfers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
