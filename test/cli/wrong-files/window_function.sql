CREATE VIEW window_function AS
SELECT order_id, RANK() OVER (ORDER BY amount) AS place
FROM orders;
