-- renamed key, computed and unnamed columns; only what is read is scanned
CREATE STREAM renamed AS
SELECT id AS order_id, amount * quantity, address->city, UCASE(customer) AS customer FROM orders;
