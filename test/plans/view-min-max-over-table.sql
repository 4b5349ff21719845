CREATE VIEW extremes AS
SELECT country, MIN(score) AS least, MAX(score) AS most, COUNT(*) AS n FROM customers GROUP BY country HAVING COUNT(*) > 1;
