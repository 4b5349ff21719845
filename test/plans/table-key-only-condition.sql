-- a HAVING on the key alone filters before it groups
CREATE TABLE some AS SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer HAVING customer <> 'test';
