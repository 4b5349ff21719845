CREATE VIEW unknown_source AS
SELECT order_id
FROM order;
