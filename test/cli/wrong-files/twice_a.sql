CREATE VIEW twice_b AS
SELECT order_id FROM orders;
