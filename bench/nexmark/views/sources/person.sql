-- Who has registered at the auction house.
CREATE STREAM person (
  id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING,
  dateTime TIMESTAMP, extra STRING
) WITH (KAFKA_TOPIC = 'nexmark-person', VALUE_FORMAT = 'JSON', TIMESTAMP = 'dateTime');
