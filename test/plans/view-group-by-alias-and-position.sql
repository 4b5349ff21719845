CREATE VIEW per_day AS
SELECT CAST(placed_at AS DATE) AS day, UCASE(customer) AS who, SUM(quantity) AS n, AVG(amount) AS average, MAX(amount)
FROM orders GROUP BY day, 2;
