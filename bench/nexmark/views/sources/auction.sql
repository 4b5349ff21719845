-- What is offered, by whom and until when.
CREATE STREAM auction (
  id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT,
  dateTime TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra STRING
) WITH (KAFKA_TOPIC = 'nexmark-auction', VALUE_FORMAT = 'JSON', TIMESTAMP = 'dateTime');
