-- The first three orders of each customer.
SELECT order_id, customer FROM orders
WHERE ROW_NUMBER() OVER (PARTITION BY customer ORDER BY ROWTIME) <= 3;
