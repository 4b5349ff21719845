CREATE VIEW aggregate_in_where AS
SELECT customer, COUNT(*) AS orders
FROM orders
WHERE COUNT(*) > 3
GROUP BY customer;
