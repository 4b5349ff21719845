-- What each customer ordered.
CREATE VIEW right_orders_by_customer AS
SELECT customer, COUNT(*) AS orders, SUM(amount) AS amount
FROM orders
GROUP BY customer;
