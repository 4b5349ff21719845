CREATE VIEW near AS SELECT o.id, o.amount, c.url FROM orders o JOIN clicks c ON o.id = c.url AND o.quantity = c.user_id AND o.amount > 10;
CREATE VIEW named AS SELECT o.id, c.name, o.ROWTIME AS placed FROM orders o LEFT JOIN customers c ON o.customer = c.id;
CREATE VIEW pairs AS SELECT a.id AS one, b.id AS other FROM customers a JOIN customers b ON a.country = b.country AND a.id < b.id;
CREATE VIEW per_country AS SELECT c.country, COUNT(*) AS n, SUM(o.amount) AS total FROM orders o JOIN customers c ON o.customer = c.id WHERE o.due < CURRENT_DATE GROUP BY c.country;
CREATE VIEW chain AS SELECT o.id, c.name, k.url FROM orders o FULL JOIN customers c ON o.customer = c.id LEFT JOIN clicks k ON c.name = k.url;
