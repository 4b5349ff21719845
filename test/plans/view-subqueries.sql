CREATE VIEW known AS SELECT id, amount FROM orders WHERE customer IN (SELECT id FROM customers WHERE score > 1);
CREATE VIEW silent AS SELECT id, name FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer = c.id AND o.quantity > c.score);
CREATE VIEW elsewhere AS SELECT id FROM customers WHERE country NOT IN (SELECT customer FROM orders);
CREATE VIEW marked AS SELECT id, country IN (SELECT customer FROM orders) AS found FROM customers WHERE score > 3 OR EXISTS (SELECT 1 FROM clicks);
CREATE VIEW above AS SELECT id, score FROM customers c WHERE score > (SELECT AVG(score) FROM customers o WHERE o.country = c.country);
CREATE VIEW counted AS SELECT id, (SELECT COUNT(*) FROM orders o WHERE o.customer = c.id) AS n, (SELECT MAX(amount) FROM orders) AS most FROM customers c;
CREATE VIEW one AS SELECT id, (SELECT name FROM customers c WHERE c.country = o.customer) AS name FROM orders o;
CREATE VIEW groups AS SELECT country, COUNT(*) AS n FROM customers c GROUP BY country HAVING COUNT(*) > (SELECT COUNT(*) FROM orders o WHERE o.customer = c.country);
