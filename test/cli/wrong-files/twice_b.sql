CREATE VIEW twice_b AS
SELECT order_id, amount FROM orders;
