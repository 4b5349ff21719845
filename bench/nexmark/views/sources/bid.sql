-- What is bid for it, in cents. Its time is when the bid was made.
CREATE STREAM bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime TIMESTAMP, extra STRING
) WITH (KAFKA_TOPIC = 'nexmark-bid', VALUE_FORMAT = 'JSON', TIMESTAMP = 'dateTime');
