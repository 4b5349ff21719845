CREATE VIEW pairs AS SELECT a.id AS one, b.id AS other FROM customers a CROSS JOIN customers b;
CREATE VIEW bigger AS SELECT o.id, c.id AS customer FROM orders o LEFT JOIN customers c ON c.score < o.quantity;
CREATE VIEW listed AS SELECT o.id, c.name FROM orders o, customers c WHERE o.customer = c.id AND c.score > o.quantity;
CREATE VIEW used AS SELECT id, amount, name FROM orders JOIN customers USING (id);
CREATE VIEW either AS SELECT id, amount, name FROM orders FULL JOIN customers USING (id);
CREATE VIEW common AS SELECT * FROM (SELECT id, country FROM customers) a NATURAL LEFT JOIN (SELECT id, amount FROM orders) b;
