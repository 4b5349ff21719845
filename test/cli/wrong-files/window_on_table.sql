CREATE TABLE window_on_table AS
SELECT country, COUNT(*) AS customers
FROM customers WINDOW TUMBLING (SIZE 1 HOUR)
GROUP BY country;
