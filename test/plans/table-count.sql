CREATE TABLE orders_per_customer AS
SELECT customer, COUNT(*) AS orders, SUM(amount) AS total, AVG(quantity) AS average FROM orders GROUP BY customer;
