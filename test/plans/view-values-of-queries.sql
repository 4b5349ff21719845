CREATE VIEW newest AS
SELECT id, (SELECT o.id FROM orders o WHERE o.customer = c.id ORDER BY o.placed_at DESC LIMIT 1) AS newest FROM customers c;

CREATE VIEW before AS
SELECT id, (SELECT COUNT(*) FROM customers o WHERE o.country = c.country AND o.score > c.score) AS above FROM customers c;

CREATE VIEW less AS SELECT id FROM customers c WHERE score < ANY (SELECT quantity FROM orders);

CREATE VIEW tagged AS SELECT tag, COUNT(*) AS n FROM orders o, UNNEST(o.tags) AS tag GROUP BY ALL;

CREATE VIEW words AS SELECT id, UNNEST(SPLIT(name, ' ')) AS word FROM customers;
