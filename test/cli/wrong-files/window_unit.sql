CREATE TABLE window_unit AS
SELECT customer, COUNT(*) AS orders
FROM orders WINDOW TUMBLING (SIZE 5 SECS)
GROUP BY customer;
