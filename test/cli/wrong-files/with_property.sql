CREATE TABLE with_property WITH (KAFKA_TOPC = 'with-property') AS
SELECT customer, COUNT(*) AS orders
FROM orders
GROUP BY customer;
