CREATE STREAM copied AS SELECT id, AS_VALUE(id) AS id_value, quantity FROM orders;
