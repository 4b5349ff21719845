CREATE VIEW unknown_column AS
SELECT order_id, amuont
FROM orders;
