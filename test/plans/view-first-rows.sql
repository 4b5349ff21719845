CREATE VIEW largest AS SELECT id, amount FROM orders ORDER BY amount DESC, id LIMIT 10;
CREATE VIEW best AS SELECT name, score FROM customers ORDER BY score DESC NULLS LAST LIMIT 3 OFFSET 1;
CREATE VIEW newest AS SELECT customer, id FROM (SELECT customer, id, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY placed_at DESC) AS place FROM orders) AS q WHERE place = 1;
CREATE VIEW few AS SELECT country, name, place FROM (SELECT country, name, ROW_NUMBER() OVER (PARTITION BY country ORDER BY score) AS place FROM customers WHERE score > 0) AS q WHERE place <= 3;
CREATE VIEW numbered AS SELECT id, ROW_NUMBER() OVER (ORDER BY score) AS place FROM customers;
CREATE VIEW frequent AS SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer ORDER BY n DESC LIMIT 5;
