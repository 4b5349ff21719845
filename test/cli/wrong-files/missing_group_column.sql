CREATE VIEW missing_group_column AS
SELECT customer, placed_on, COUNT(*) AS orders
FROM orders
GROUP BY customer;
