CREATE VIEW everything AS SELECT id, amount FROM orders UNION ALL SELECT url, 0 FROM clicks UNION ALL SELECT device, NULL FROM readings;
CREATE VIEW names AS SELECT name FROM customers UNION SELECT customer FROM orders;
CREATE VIEW both AS SELECT id FROM customers INTERSECT SELECT customer FROM orders;
CREATE VIEW lazy AS SELECT id FROM customers EXCEPT SELECT customer FROM orders;
CREATE VIEW rest AS SELECT country FROM customers EXCEPT ALL (SELECT customer FROM orders INTERSECT ALL SELECT id FROM customers);
CREATE VIEW counted AS SELECT place, COUNT(*) AS n FROM (SELECT country AS place FROM customers UNION ALL SELECT customer FROM orders) AS q GROUP BY place;
