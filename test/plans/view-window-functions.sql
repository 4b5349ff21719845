CREATE VIEW v AS
SELECT id, amount,
       SUM(amount) FILTER (WHERE amount > 0) OVER (PARTITION BY customer ORDER BY id) AS so_far,
       LAG(amount, 2) OVER (PARTITION BY customer ORDER BY id) AS before,
       DENSE_RANK() OVER (ORDER BY amount DESC) AS place,
       ROW_NUMBER() OVER (ORDER BY id) AS n
FROM orders;

CREATE VIEW groups AS
SELECT customer, COUNT(*) OVER () AS customers FROM orders GROUP BY customer HAVING COUNT(*) > 1;
