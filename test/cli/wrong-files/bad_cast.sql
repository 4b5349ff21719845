CREATE VIEW bad_cast AS
SELECT order_id, CAST(amount AS MONEY) AS amount
FROM orders;
