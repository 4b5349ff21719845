-- all columns of a stream, and a filter on one
CREATE STREAM big_orders AS SELECT * FROM orders WHERE amount > 100;
