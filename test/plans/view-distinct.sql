CREATE VIEW countries AS SELECT DISTINCT country FROM customers;
CREATE VIEW cities AS SELECT DISTINCT address->city AS city FROM orders WHERE quantity > 1;
