CREATE STREAM addresses AS SELECT id, address->* FROM orders;
