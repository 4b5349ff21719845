-- Attempts to authorize a payment with a card.
CREATE STREAM authorization_attempts (
  card_number STRING,
  amount DECIMAL(12, 2),
  currency STRING,
  merchant STRING,
  country STRING
) WITH (KAFKA_TOPIC = 'authorization-attempts', VALUE_FORMAT = 'JSON');
