CREATE VIEW unknown_function AS
SELECT order_id, UPPPER(customer) AS customer
FROM orders;
