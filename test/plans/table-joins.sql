CREATE TABLE countries (code STRING PRIMARY KEY, title STRING, zone STRING) WITH (KAFKA_TOPIC = 'countries', VALUE_FORMAT = 'JSON');
CREATE TABLE spent AS SELECT customer, SUM(amount) AS total FROM orders GROUP BY customer;
CREATE TABLE both AS SELECT c.id, c.name, s.total FROM customers c JOIN spent s ON c.id = s.customer;
CREATE TABLE spenders AS SELECT s.customer, c.name, s.total FROM customers c RIGHT JOIN spent s ON c.id = s.customer WHERE s.total > 100;
CREATE TABLE all_of_them AS SELECT ROWKEY AS id, c.name, s.total FROM customers c FULL JOIN spent s ON c.id = s.customer;
CREATE TABLE at_home AS SELECT c.id AS id, c.name, l.title, c.ROWTIME AS changed FROM customers c LEFT JOIN countries l ON c.country = l.code;
CREATE TABLE chain AS SELECT c.id, l.title, s.total FROM customers c JOIN countries l ON UCASE(c.country) = l.code LEFT JOIN spent s ON c.id = s.customer;
CREATE TABLE per_zone AS SELECT l.zone, COUNT(*) AS n, SUM(c.score) AS score FROM customers c JOIN countries l ON c.country = l.code GROUP BY l.zone;
