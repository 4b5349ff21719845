CREATE VIEW argument_count AS
SELECT order_id, LPAD(customer, 10, '*', 'x') AS customer
FROM orders;
