CREATE VIEW open_string AS
SELECT order_id, 'in euro AS currency
FROM orders;
