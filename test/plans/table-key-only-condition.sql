-- a HAVING on the key alone filters before it groups, but not where records without a value are counted on the way
CREATE VIEW moved AS SELECT customer, COUNT(*) AS n FROM orders WHERE quantity > 0 GROUP BY customer HAVING customer <> 'test';
CREATE TABLE partly AS SELECT country, COUNT(*) AS n FROM customers GROUP BY country HAVING country <> 'CH' AND COUNT(*) > 1;
CREATE TABLE not_moved AS SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer HAVING customer <> 'test';
