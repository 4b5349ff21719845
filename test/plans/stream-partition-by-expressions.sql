CREATE STREAM by_city WITH (KEY_FORMAT = 'JSON') AS
SELECT address->city, quantity + 1 AS more, amount FROM orders WHERE quantity IS NOT NULL
PARTITION BY address->city, quantity + 1;
