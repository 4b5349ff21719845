CREATE VIEW open_parenthesis AS
SELECT order_id, (amount * (quantity + 1) AS total
FROM orders;
