CREATE VIEW type_mismatch AS
SELECT order_id
FROM orders
WHERE quantity > 'many';
