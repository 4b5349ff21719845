-- The same bids, their time being when they came in.
CREATE STREAM arriving_bid (auction BIGINT, bidder BIGINT, price BIGINT, dateTime TIMESTAMP)
WITH (KAFKA_TOPIC = 'nexmark-bid', VALUE_FORMAT = 'JSON');
