CREATE TABLE totals WITH (KEY_FORMAT = 'JSON') AS
SELECT address->city AS city, quantity / 10 AS tens, SUM(amount) + 1 AS total, MIN(amount) AS least
FROM orders GROUP BY quantity / 10, address->city HAVING quantity / 10 < 3 AND SUM(amount) > 0;
