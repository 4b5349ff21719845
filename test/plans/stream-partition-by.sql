CREATE STREAM by_customer AS SELECT * FROM orders PARTITION BY customer;
