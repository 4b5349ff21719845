CREATE VIEW having_without_group AS
SELECT order_id, amount
FROM orders
HAVING amount > 3;
