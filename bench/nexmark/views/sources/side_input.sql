-- A small table that bids are looked up in.
CREATE TABLE side_input (id BIGINT PRIMARY KEY, value STRING)
WITH (KAFKA_TOPIC = 'nexmark-side-input', FORMAT = 'JSON');
