CREATE STREAM tagged AS SELECT id, EXPLODE(tags) AS tag, LCASE(customer) AS customer FROM orders WHERE quantity > 0;
