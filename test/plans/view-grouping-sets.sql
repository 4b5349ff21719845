CREATE VIEW totals AS SELECT country, name, COUNT(*) AS n, GROUPING(country, name) AS level FROM customers GROUP BY ROLLUP (country, name);
CREATE VIEW cubes AS SELECT DISTINCT country, SUM(score) AS total FROM customers GROUP BY GROUPING SETS ((country), ());
