CREATE VIEW another_name AS
SELECT order_id FROM orders;
