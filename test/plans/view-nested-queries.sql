CREATE VIEW big AS WITH per_customer AS (SELECT customer, SUM(amount) AS total FROM orders GROUP BY customer), large(who, total) AS (SELECT customer, total FROM per_customer WHERE total > 100) SELECT c.name, l.total FROM customers c JOIN large l ON c.id = l.who;
CREATE VIEW busiest AS SELECT customer, MAX(n) AS most FROM (SELECT customer, COUNT(*) AS n FROM orders WINDOW TUMBLING (SIZE 1 DAY) GROUP BY customer) AS per_day GROUP BY customer;
CREATE VIEW twice AS WITH c AS (SELECT country, COUNT(*) AS n FROM customers GROUP BY country) SELECT a.country, b.n FROM c a LEFT JOIN c b ON a.n = b.n;
